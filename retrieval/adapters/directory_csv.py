"""People and groups from CSV files, for organisations whose list of people is a file.

    people.csv   id,name,clearance,regions,groups         ann,Ann Archer,confidential,eu;us,board;staff
    groups.csv   id,name,members                          board,The board,ann;bob;group:directors

A header has `id` and whichever of the other columns are to be managed by the file; what has no column is left as it is. Ids are the
immutable ids of the provider whose tokens people present, or local names; several values are separated by semicolons. An empty
clearance is the service's default, empty regions are all. A column of groups or members states them in full: whoever it leaves out,
leaves, unless another file of the same import says otherwise or somebody else entered the membership. UTF-8, one header line.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from retrieval.domain.audit import OPERATOR
from retrieval.domain.directory import EntryKind, check_regions, check_visible, identify, kind_of
from retrieval.domain.directory_import import Clearance, DirectoryImport, ImportCounts, ImportedEntry, Regions
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.permissions import LOCAL_ISSUER
from retrieval.domain.sources import Classification
from retrieval.ports.directory import Directory
from retrieval.settings import Settings

MAX_PROBLEMS = 20
"""Listed at most: a file in another format is wrong in every line."""
PEOPLE = ("id", "name", "clearance", "regions", "groups")
GROUPS = ("id", "name", "members")
FOLDER_FILES = ("people.csv", "groups.csv")
_GROUP = "group:"
_KINDS = tuple(f"{kind.value}:" for kind in EntryKind)

Value = TypeVar("Value")


@dataclass(frozen=True)
class CsvLimits:
    """The largest file and the longest name that are read."""

    file_bytes: int
    name_characters: int


def import_directory(
    directory: Directory,
    files: Sequence[Path],
    settings: Settings,
    *,
    delete_missing: bool = False,
    dry_run: bool = False,
    by: str = OPERATOR.subject,
) -> ImportCounts:
    """Bring the directory to what the files say, or, when anything is wrong with them, change nothing. The same again changes nothing.

    Raises:
        InvalidInput: names file, line and column of everything that is wrong.
        AlreadyEntered: a row names what SCIM manages.
    """
    issuer = settings.resolved_directory_issuer or LOCAL_ISSUER
    limits = CsvLimits(settings.directory_csv_max_bytes, settings.directory_max_name_characters)
    wanted = read_directory(files, issuer=issuer, limits=limits)
    if delete_missing and wanted.kinds_stated - {kind_of(subject).value for subject in wanted.entries}:
        raise InvalidInput.of("files", "a file holds no rows, so everybody whom earlier ones entered would be deleted")
    return directory.take(wanted, delete_missing=delete_missing, dry_run=dry_run, by=by)


def files_at(path: Path) -> list[Path]:
    """The file itself, or a folder's people.csv and groups.csv. Raises InvalidInput when there is none."""
    found = [path / name for name in FOLDER_FILES if (path / name).is_file()] if path.is_dir() else [path]
    if not all(file.is_file() for file in found) or not found:
        raise InvalidInput.of("directory_csv", "names neither a file nor a folder with people.csv or groups.csv")
    return found


def read_directory(files: Sequence[Path], *, issuer: str, limits: CsvLimits) -> DirectoryImport:
    """What the files say together. Raises InvalidInput."""
    reading = _Reading(issuer, limits)
    for path in files:
        reading.file(path.name, _text(path, limits.file_bytes))
    if reading.problems:
        raise InvalidInput(reading.problems[:MAX_PROBLEMS])
    return reading.result()


@dataclass(frozen=True)
class _Row:
    """One line. `cells` by column; a column that the file does not have is not in it."""

    file: str
    line: int
    cells: dict[str, str]

    @property
    def place(self) -> str:
        return f"{self.file}, line {self.line}"


@dataclass
class _Reading:
    """What has been read so far, and everything that is wrong with it."""

    issuer: str
    limits: CsvLimits
    problems: list[FieldProblem] = field(default_factory=list)
    entries: dict[str, ImportedEntry] = field(default_factory=dict)
    memberships: set[tuple[str, str]] = field(default_factory=set)
    members_stated: set[str] = field(default_factory=set)
    groups_stated: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    def file(self, name: str, text: str) -> None:
        lines = _lines(name, text, self.problems)
        header = next(lines, None)
        columns = () if header is None else tuple(cell.strip() for cell in header[1])
        kind = _kind(columns)
        if kind is None:
            wanted = f"{','.join(PEOPLE)} or {','.join(GROUPS)}; id and one more that tells which"
            self.problems.append(FieldProblem(f"{name}, line 1", "is not a header of people or of groups", wanted))
            return
        self.kinds.add(kind.value)
        for line, cells in lines:
            if len(cells) != len(columns):
                self.problems.append(
                    FieldProblem(f"{name}, line {line}", "has more or fewer cells than the header", f"{len(columns)} cells")
                )
            else:
                self._row(_Row(name, line, dict(zip(columns, map(str.strip, cells), strict=True))), kind)

    def result(self) -> DirectoryImport:
        return DirectoryImport(
            self.entries,
            frozenset(self.memberships),
            frozenset(self.members_stated),
            frozenset(self.groups_stated),
            frozenset(self.kinds),
        )

    def _row(self, row: _Row, kind: EntryKind) -> None:
        subject = self._checked(row, "id", lambda cell: self._subject(kind, cell))
        if subject is None:
            return
        if subject in self.entries:
            self.problems.append(FieldProblem(f"{row.place}, id", "is in the files twice", f"first at {self.entries[subject].place}"))
            return
        clearance = self._checked(row, "clearance", _clearance)
        regions = self._checked(row, "regions", _regions)
        name = self._checked(row, "name", self._name) or row.cells["id"]
        self.entries[subject] = ImportedEntry(subject, name, row.place, clearance, regions)
        groups = self._checked(row, "groups", self._groups)
        if groups is not None:
            self.members_stated.add(subject)
            self.memberships |= {(subject, group) for group in groups}
        members = self._checked(row, "members", self._members)
        if members is not None:
            self.groups_stated.add(subject)
            self.memberships |= {(member, subject) for member in members}

    def _checked(self, row: _Row, column: str, read: Callable[[str], Value]) -> Value | None:
        """None for a column that the file does not have, and for a cell that is wrong."""
        if column not in row.cells:
            return None
        try:
            return read(row.cells[column])
        except InvalidInput as error:
            self.problems += [FieldProblem(f"{row.place}, {column}", each.problem, each.limit) for each in error.problems]
            return None

    def _subject(self, kind: EntryKind, cell: str) -> str:
        if not cell:
            raise InvalidInput.of("id", "is required")
        if cell.startswith(_KINDS):
            raise InvalidInput.of("id", "is written without its kind: 'ann', not 'user:ann'")
        return identify(kind, cell, issuer=self.issuer)

    def _name(self, cell: str) -> str:
        if len(cell) > self.limits.name_characters:
            raise InvalidInput.of("name", "is too long", limit=f"{self.limits.name_characters} characters")
        return check_visible(cell, "name")

    def _groups(self, cell: str) -> list[str]:
        return [self._subject(EntryKind.GROUP, each) for each in _several(cell)]

    def _members(self, cell: str) -> list[str]:
        return [
            self._subject(EntryKind.GROUP if each.startswith(_GROUP) else EntryKind.USER, each.removeprefix(_GROUP))
            for each in _several(cell)
        ]


def _text(path: Path, max_bytes: int) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise InvalidInput.of(path.name, "is too large", limit=f"{max_bytes} bytes")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput.of(path.name, "is not UTF-8") from error
    except OSError as error:
        raise InvalidInput.of(path.name, f"cannot be read ({type(error).__name__})") from error


def _lines(name: str, text: str, problems: list[FieldProblem]) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty, with its number. A cell may be as long as the file: a large group is one cell."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # the library's own way, for the process; it only ever grows
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        problems.append(FieldProblem(f"{name}, line {start}", f"is not CSV ({error})"))


def _kind(columns: tuple[str, ...]) -> EntryKind | None:
    """People or groups, by a column that only one of them has."""
    named = set(columns)
    if "id" not in named or len(named) < len(columns):
        return None
    if named <= set(GROUPS) and "members" in named:
        return EntryKind.GROUP
    return EntryKind.USER if named <= set(PEOPLE) and named & {"clearance", "regions", "groups"} else None


def _several(cell: str) -> list[str]:
    parts = [part.strip() for part in cell.split(";")] if cell else []
    if not all(parts):
        raise InvalidInput.of("cell", "has an empty value between two semicolons")
    return parts


def _clearance(cell: str) -> Clearance:
    try:
        return Clearance(Classification(cell) if cell else None)
    except ValueError as error:
        raise InvalidInput.of("clearance", "not a clearance", limit="one of " + ", ".join(each.value for each in Classification)) from error


def _regions(cell: str) -> Regions:
    return Regions(check_regions(_several(cell)) if cell else None)
