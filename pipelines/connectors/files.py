"""The `files` connector: the documents of a folder tree with their permissions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from pipelines.connectors.local_tree import LocalTree
from pipelines.connectors.location import local_path_problem, local_root, selection, value, values
from pipelines.connectors.names import is_hidden, is_temporary, names_in_keys
from pipelines.connectors.object_tree import ObjectTree, store_problem
from pipelines.connectors.permissions import Inherited, Rules
from pipelines.connectors.permissions_file import (
    MAX_PERMISSIONS_BYTES,
    PERMISSIONS_FILE,
    FolderPermissions,
    parse_permissions,
    permissions_file_problem,
)
from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import FileRefused, Probe
from pipelines.connectors.probing import probe_listing
from pipelines.connectors.selection import Selection
from pipelines.connectors.tree import Entry, Folder, Parts, Tree
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode, SourceFile
from retrieval.domain.errors import FieldProblem, SourceUnavailable
from retrieval.domain.source_kinds import FILES
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

MAX_DEPTH = 100
"""Folders within folders. Deeper is a loop or a mistake."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Place:
    """A folder still to be listed."""

    parts: Parts
    key: str
    inherited: Inherited


_TOP = _Place((), "", Inherited())


class FilesConnector:
    """A tree of folders, local or in an object store."""

    def __init__(self, tree: Tree, *, selection: Selection, rules: Rules, max_files: int, max_file_bytes: int) -> None:
        self._tree = tree
        self._selection = selection
        self._rules = rules
        self._max_files = max_files
        self._max_file_bytes = max_file_bytes

    def list(self) -> Iterator[SourceFile]:
        counts: Counter[str] = Counter()
        waiting = [_TOP]
        while waiting:
            place = waiting.pop()
            folder = self._tree.folder(place.parts)
            counts["not_regular"] += len(folder.strange)
            own = self._own_permissions(place, folder)
            inherited = place.inherited.below(own)
            names = _names(folder, place.key)
            for entry in sorted(folder.files, key=lambda entry: entry.name):
                key = place.key + names[entry.name]
                if self._is_document(entry.name, key):
                    counts["documents"] += 1
                    self._check_count(counts["documents"])
                    yield self._source_file(place, entry, key, inherited, own)
            waiting += self._below(place, folder, names, inherited)
        _log.info("source listed", **counts)

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        parts = self._tree.parts(file.uri)
        if parts is None or not _spells(parts, file.key):
            raise FileRefused("the file is not below the source's root")
        if any(map(is_hidden, parts)):
            raise FileRefused("hidden files are not documents")
        if file.size_bytes is not None and file.size_bytes > self._max_file_bytes:
            raise FileRefused(f"larger than the limit of {self._max_file_bytes} bytes", code=QuarantineCode.TOO_LARGE)
        return self._tree.fetch(parts, known=known, max_bytes=self._max_file_bytes)

    def top_permissions(self) -> Inherited:
        """What the root's own permissions file says of everything below."""
        return Inherited().below(self._own_permissions(_TOP, self._tree.folder(())))

    def probe(self) -> Probe:
        return probe_listing(self)

    def close(self) -> None:
        self._tree.close()

    def _own_permissions(self, place: _Place, folder: Folder) -> FolderPermissions | None:
        """The folder's own permissions file. One that is misspelt, a link or unreadable closes the folder."""
        present = [*(entry.name for entry in folder.files), *folder.folders, *folder.strange]
        for name in sorted(present):
            problem = permissions_file_problem(name)
            if problem:
                return FolderPermissions(place.key + name, problem=problem)
        if PERMISSIONS_FILE not in present:
            return None
        where = place.key + PERMISSIONS_FILE
        content = self._tree.head((*place.parts, PERMISSIONS_FILE), max_bytes=MAX_PERMISSIONS_BYTES + 1)
        if content is None:
            return FolderPermissions(where, problem="cannot be read, or is not a regular file")
        return parse_permissions(content, where=where)

    def _is_document(self, name: str, key: str) -> bool:
        return not is_hidden(name) and not is_temporary(name) and self._selection.takes(key)

    def _check_count(self, documents: int) -> None:
        if documents > self._max_files:
            raise SourceUnavailable(f"the source has more than {self._max_files} files; include less, or raise source_max_files")

    def _source_file(self, place: _Place, entry: Entry, key: str, inherited: Inherited, own: FolderPermissions | None) -> SourceFile:
        found = self._rules.policy_of(key, inherited=inherited, folder=own)
        return SourceFile(
            key,
            self._tree.uri((*place.parts, entry.name)),
            fingerprint=entry.fingerprint,
            size_bytes=entry.size_bytes,
            modified_at=entry.modified_at,
            policy=found.policy,
            policy_problem=found.problem,
        )

    def _below(self, place: _Place, folder: Folder, names: dict[str, str], inherited: Inherited) -> Iterator[_Place]:
        """The folders to list next, the last in order first, because the last one added is listed next."""
        for name in sorted(folder.folders, reverse=True):
            key = place.key + names[name]
            if is_hidden(name) or self._selection.skips_all_below(key):
                continue
            if len(place.parts) >= MAX_DEPTH:
                raise SourceUnavailable(f"folders are nested more than {MAX_DEPTH} deep")
            yield _Place((*place.parts, name), key + "/", inherited)


def _names(folder: Folder, key: str) -> dict[str, str]:
    try:
        return dict(names_in_keys([*(entry.name for entry in folder.files), *folder.folders]))
    except ValueError as error:
        raise SourceUnavailable(f"in the folder '{key}', {error}") from error


def _spells(parts: Sequence[str], key: str) -> bool:
    """Whether the key is these names, each as it stands or composed."""
    names = key.split("/")
    return len(names) == len(parts) and all(name in _spellings(part) for name, part in zip(names, parts, strict=True))


def _spellings(part: str) -> set[str]:
    shown = part.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return {shown, *names_in_keys([part]).values()}


def _connect(spec: SourceSpec, settings: Settings) -> FilesConnector:
    root = value(spec, FILES, "root")
    path = local_root(root)
    return FilesConnector(
        LocalTree(Path(path)) if path is not None else ObjectTree(root),
        selection=selection(spec, FILES),
        rules=Rules(spec.rules),
        max_files=settings.source_max_files,
        max_file_bytes=settings.source_max_file_bytes,
    )


def _problems(spec: SourceSpec, _settings: Settings) -> Iterator[FieldProblem]:
    for root in values(spec, FILES, "root"):
        path = local_root(root)
        problem = store_problem(root) if path is None else local_path_problem(path)
        if problem:
            yield FieldProblem("location.root", problem)


PLUGIN = Plugin(FILES, connect=_connect, problems=_problems)
