"""One commit of a repository as a tree of folders. Its names are only ever looked up, so none of them can lead anywhere."""

import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipelines.connectors.git_program import Git, end
from pipelines.connectors.git_repository import Repository
from pipelines.connectors.port import FileRefused
from pipelines.connectors.tree import Entry, Folder, Parts, is_name, parts_below, uri_below
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode
from retrieval.domain.errors import SourceUnavailable

_REGULAR = frozenset({b"100644", b"100755", b"100664"})
_MAX_DEPTH = 200
_DAMAGED = "the repository is damaged, or git needs more memory than git_memory_bytes to read a file"
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass
class _Contents:
    """Of one folder, while the tree is read."""

    files: dict[str, Entry] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    strange: set[str] = field(default_factory=set)


class GitTree:
    """The files of a repository's tip, as the last `update` found it, here or in another process.

    Args:
        prefix: of addresses at which people find the files, without a slash at its end.
        commits: the newest so many are looked at for the times of files.
    """

    def __init__(self, repository: Repository, *, prefix: str, commits: int, max_files: int) -> None:
        self._repository = repository
        self._prefix = prefix + "/"
        self._commits = commits
        self._max_files = max_files
        self._folders: Mapping[Parts, _Contents] = {}
        self._lock = threading.Lock()
        self._blobs: subprocess.Popen[bytes] | None = None

    def update(self) -> None:
        """From here on, speak of the newest commit."""
        commit = self._repository.update()
        with self._lock:
            self._folders = self._read(commit)

    def folder(self, parts: Parts) -> Folder:
        found = self._contents().get(parts)
        if found is None:
            raise SourceUnavailable(f"the folder '{'/'.join(parts)}' is not there any more")
        return Folder(list(found.files.values()), sorted(found.folders), sorted(found.strange))

    def head(self, parts: Parts, *, max_bytes: int) -> bytes | None:
        entry = self._entry(parts)
        if entry is None or (entry.size_bytes or 0) > max_bytes:
            return None
        return self._blob(entry)

    def fetch(self, parts: Parts, *, known: str | None, max_bytes: int) -> Fetched | NotModified | Gone:
        entry = self._entry(parts)
        if entry is None:
            return Gone()
        if known == entry.fingerprint:
            return NotModified()
        if (entry.size_bytes or 0) > max_bytes:
            raise FileRefused(f"larger than the limit of {max_bytes} bytes", code=QuarantineCode.TOO_LARGE)
        content = self._blob(entry)
        if content.startswith(_LFS_POINTER):
            raise FileRefused("a Git LFS pointer: the file itself is not in the repository", code=QuarantineCode.UNSUPPORTED)
        return Fetched(content, validator=entry.fingerprint, modified_at=entry.modified_at)

    def uri(self, parts: Parts) -> str:
        return uri_below(self._prefix, parts)

    def parts(self, uri: str) -> Parts | None:
        return parts_below(self._prefix, uri)

    def close(self) -> None:
        with self._lock:
            if self._blobs is not None:
                end(self._blobs)
                self._blobs = None

    def _entry(self, parts: Parts) -> Entry | None:
        contents = self._contents().get(parts[:-1])
        return contents.files.get(parts[-1]) if contents else None

    def _contents(self) -> Mapping[Parts, _Contents]:
        with self._lock:
            self._folders = self._folders or self._read(self._repository.tip())
            return self._folders

    def _read(self, commit: str) -> Mapping[Parts, _Contents]:
        git = self._repository.git
        modified = _times(git, commit, self._commits)
        folders: dict[Parts, _Contents] = {(): _Contents()}
        for number, written in enumerate(git.parts("ls-tree", "-r", "-z", "-l", "--full-tree", commit)):
            if number >= self._max_files:
                raise SourceUnavailable(f"the repository has more than {self._max_files} files; raise source_max_files")
            described, _, path = written.partition(b"\t")
            mode, _kind, blob, size = described.split()
            if size == b"BAD":
                raise SourceUnavailable(_DAMAGED)
            *above, name = os.fsdecode(path).split("/")
            if not all(map(is_name, (*above, name))):
                folders[()].strange.add(name)
                continue
            if len(above) > _MAX_DEPTH:
                raise SourceUnavailable(f"folders are nested more than {_MAX_DEPTH} deep")
            contents = _made(folders, tuple(above))
            if mode in _REGULAR:
                contents.files[name] = Entry(name, int(size), blob.decode("ascii"), modified.get(path))
            else:
                contents.strange.add(name)
        return folders

    def _blob(self, entry: Entry) -> bytes:
        """Its bytes, whose number the tree told. The process that reads them stays for the next."""
        with self._lock:
            program = self._blobs or self._repository.git.start("cat-file", "--batch")
            self._blobs = program
            assert program.stdin is not None and program.stdout is not None  # noqa: PT018 - pipes both
            try:
                program.stdin.write(f"{entry.fingerprint}\n".encode("ascii"))
                program.stdin.flush()
                answered = program.stdout.readline().split()
                if answered[1:] == [b"blob", str(entry.size_bytes).encode("ascii")]:
                    content = program.stdout.read((entry.size_bytes or 0) + 1)[:-1]
                    if len(content) == entry.size_bytes:
                        return content
            except OSError:
                pass  # it has ended: said below
            end(program)
            self._blobs = None
        raise SourceUnavailable(_DAMAGED)


def _made(folders: dict[Parts, _Contents], parts: Parts) -> _Contents:
    """The folder, with those above it."""
    if parts not in folders:
        folders[parts] = _Contents()
        _made(folders, parts[:-1]).folders.add(parts[-1])
    return folders[parts]


def _times(git: Git, commit: str, commits: int) -> Mapping[bytes, datetime]:
    """Path to the time of the newest commit that touched it, of the newest `commits`; what is older has none."""
    listed = git.run("rev-list", f"--max-count={commits}", commit)
    shallow = git.directory / "shallow"
    cut = frozenset(shallow.read_bytes().split()) if shallow.is_file() else frozenset()
    whole = b"".join(line + b"\n" for line in listed.split() if line not in cut)
    found: dict[bytes, datetime] = {}
    at = datetime.fromtimestamp(0, UTC)
    parts = git.parts("diff-tree", "--stdin", "-r", "--root", "-z", "--raw", "--no-renames", "--format=@%ct", given=whole)
    for part in parts:
        if part.startswith(b"@"):
            at = _moment(part[1:])
        elif part.lstrip(b"\n").startswith(b":"):
            found.setdefault(next(parts), at)
    return found


def _moment(seconds: bytes) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
