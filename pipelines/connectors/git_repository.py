"""Where a repository's objects are: in a folder of this machine, or in a copy that is brought up to date over https."""

import base64
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import httpx

from pipelines.connectors.git_program import Git, GitFailed, GitLimits
from pipelines.connectors.hosts import addresses_of, may_be_private
from retrieval.domain.errors import SourceUnavailable
from retrieval.settings import Settings

MOST_PACKS = 50
"""Each change that is fetched is a pack more. With so many, the copy is made anew."""
_FETCH = ("--quiet", "--no-tags", "--force", "--no-write-fetch-head")
_TIP = "refs/archivist/tip"
_REASONS = (
    (("could not read Username", "Authentication failed", "error: 401", "error: 403"), "it does not take the token"),
    (("couldn't find remote ref", "not our ref"), "it has no branch, tag or commit of that name"),
    (("SSL certificate", "certificate verif"), "its certificate cannot be verified"),
    (("signal 25", "File too large", "File size limit"), "it is larger than git_max_bytes allows"),
    (("out of memory", "Cannot allocate", "mmap failed"), "it needs more memory than git_memory_bytes allows"),
    (("not found", "error: 404"), "there is none at that address, or the token may not read it"),
    (("redirect",), "the address redirects; name the one that it leads to"),
    (("took longer",), "it took longer than git_timeout_seconds"),
)


class Repository(Protocol):
    """A repository of which one commit is read."""

    @property
    def git(self) -> Git: ...

    def update(self) -> str:
        """The commit that is read from now on, as new as the repository has it. Raises SourceUnavailable."""
        ...

    def tip(self) -> str:
        """The commit that the last `update` found, by whatever process."""
        ...


@dataclass(frozen=True)
class LocalRepository:
    """A repository in a folder, with or without a work tree."""

    root: Path
    ref: str
    limits: GitLimits

    @property
    def git(self) -> Git:
        return Git(_git_directory(self.root), self.limits)

    def update(self) -> str:
        return self.tip()

    def tip(self) -> str:
        return _commit(self.git, self.ref)


@dataclass(frozen=True)
class RemoteRepository:
    """A repository behind an https address.

    Attributes:
        copy: the folder of the copy: a cache, made anew whenever it is not there or is one of another address.
        token: called when it is needed; empty for a public repository.
        commits: how much of the history is read. One more is fetched: what the oldest one changed cannot be told.
    """

    url: str
    ref: str
    copy: Path
    login: str
    token: Callable[[], str]
    commits: int
    limits: GitLimits
    settings: Settings

    @property
    def git(self) -> Git:
        return Git(self.copy, self.limits)

    def update(self) -> str:
        self.copy.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self.copy):
            self._prepare()
            git = replace(self.git, configuration=self._configuration(), protocols="https")
            try:
                git.run("fetch", *_FETCH, f"--depth={self.commits + 1}", self.url, f"+{self.ref}:{_TIP}")
            except GitFailed as error:
                raise SourceUnavailable(f"the repository cannot be fetched: {_reason(error)}") from None
            finally:
                _clear(self.copy)
        return self.tip()

    def tip(self) -> str:
        if not (self.copy / "HEAD").exists():
            return self.update()
        return _commit(self.git, _TIP)

    def _prepare(self) -> None:
        """An empty copy, unless there is one of this address that has not grown too many packs."""
        mark = self.copy / "archivist-copy-of"
        address = hashlib.sha256(self.url.encode()).hexdigest()
        packs = len(list((self.copy / "objects" / "pack").glob("*.pack"))) if self.copy.exists() else 0
        if mark.exists() and mark.read_text(encoding="ascii") == address and packs <= MOST_PACKS:
            return
        shutil.rmtree(self.copy, ignore_errors=True)
        self.git.run("init", "--quiet", "--bare", "--template=")
        mark.write_text(address, encoding="ascii")

    def _configuration(self) -> Mapping[str, str]:
        """The only addresses that are connected to, and what proves who we are. Neither stands on a command line or in the copy."""
        url = httpx.URL(self.url)
        port = url.port or 443
        addresses = addresses_of(url.host, port, allow_private=may_be_private(url.host, self.settings))
        written = ",".join(f"[{address}]" if address.version == 6 else str(address) for address in addresses)
        found = {"http.curloptResolve": f"{url.host}:{port}:{written}"}
        if self.settings.source_ca_file:
            found["http.sslCAInfo"] = self.settings.source_ca_file
        if token := self.token():
            found["http.extraHeader"] = "Authorization: Basic " + base64.b64encode(f"{self.login}:{token}".encode()).decode()
        return found


def _git_directory(root: Path) -> Path:
    """`.git` or the root itself. One that borrows its objects from elsewhere would be a way to read that."""
    inner = root / ".git"
    if inner.is_symlink() or inner.is_file():
        raise SourceUnavailable("the folder is a work tree or submodule of another repository; name that one")
    directory = inner if inner.is_dir() else root
    if not (directory / "HEAD").is_file() or not (directory / "objects").is_dir():
        raise SourceUnavailable("there is no git repository in that folder")
    borrows = [directory / "commondir", directory / "objects" / "info" / "alternates"]
    links = [directory / "objects", directory / "objects" / "pack", directory / "objects" / "info"]
    if any(path.exists() for path in borrows) or any(path.is_symlink() for path in links):
        raise SourceUnavailable("the repository borrows its objects from another one; name that one")
    return directory


def _commit(git: Git, ref: str) -> str:
    try:
        return git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").decode("ascii").strip()
    except GitFailed:
        raise SourceUnavailable("the repository has no branch, tag or commit of that name") from None


def _reason(error: GitFailed) -> str:
    said = f"{error} {error.told}"
    return next((meaning for words, meaning in _REASONS if any(word in said for word in words)), "git ended with an error")


def _clear(copy: Path) -> None:
    """Take away what a fetch that was stopped has left."""
    for left in (*copy.glob("objects/pack/tmp_*"), *copy.glob("*.lock")):
        with suppress(OSError):
            left.unlink()


@contextmanager
def _alone(copy: Path) -> Iterator[None]:
    """One process at a time changes a copy."""
    with copy.with_name(copy.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
