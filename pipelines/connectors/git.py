"""The `git` connector: the files of a repository as one branch or tag has them, and, if asked for, the messages of its newest commits.

Permissions are those of a folder tree: `.permissions.yaml` in the repository, and the source's rules. A commit's message can tell what
was done in a folder that few may read; so messages are documents only where the source says so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.connectors.credentials import credential
from pipelines.connectors.files import FilesConnector
from pipelines.connectors.git_program import GitLimits, is_installed
from pipelines.connectors.git_repository import LocalRepository, RemoteRepository, Repository
from pipelines.connectors.git_tree import GitTree
from pipelines.connectors.location import local_path_problem, local_root, selection, value, values
from pipelines.connectors.permissions import Rules
from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import FileRefused, Probe
from pipelines.connectors.probing import probe_listing
from pipelines.connectors.urls import check_url
from retrieval.domain.documents import Fetched, Gone, NotModified, SourceFile
from retrieval.domain.errors import FieldProblem
from retrieval.domain.source_kinds import GIT
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

COMMITS = ".git/commits/"
"""Before the keys of messages. No file of a repository can be there."""
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True)
class _Message:
    """One commit, without its files."""

    commit: str
    author: str
    at: datetime
    text: str

    def document(self) -> bytes:
        """Markdown; the commit's first line is the heading."""
        subject, _, body = self.text.strip().partition("\n")
        return f"# {subject}\n\nCommit {self.commit[:12]} by {self.author} on {self.at:%Y-%m-%d}.\n\n{body.strip()}\n".encode()


class GitConnector:
    """A repository's files, and then its newest `messages` commits."""

    def __init__(self, files: FilesConnector, repository: Repository, *, uri: str, messages: int, rules: Rules, tree: GitTree) -> None:
        self._files = files
        self._repository = repository
        self._uri = uri
        self._messages = messages
        self._rules = rules
        self._tree = tree

    def list(self) -> Iterator[SourceFile]:
        self._tree.update()
        yield from self._files.list()
        if self._messages:
            inherited = self._files.top_permissions()
            for message in self._history(self._repository.tip(), self._messages):
                key = f"{COMMITS}{message.commit}.md"
                found = self._rules.policy_of(key, inherited=inherited)
                yield SourceFile(key, f"{self._uri}#{message.commit}", message.commit, None, message.at, found.policy, found.problem)

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        if not file.key.startswith(COMMITS):
            return self._files.fetch(file, known=known)
        commit = file.key.removeprefix(COMMITS).removesuffix(".md")
        if not self._messages or not _COMMIT.fullmatch(commit):
            raise FileRefused("the message is not one of the source's")
        if known == commit:
            return NotModified()
        message = next(self._history(commit, 1))
        return Fetched(message.document(), validator=commit, media_type="text/markdown", modified_at=message.at)

    def probe(self) -> Probe:
        return probe_listing(self)

    def close(self) -> None:
        self._files.close()

    def _history(self, tip: str, count: int) -> Iterator[_Message]:
        arguments = ("rev-list", "--no-commit-header", f"--max-count={count}", "--format=%H%x00%an%x00%ct%x00%B%x00", tip)
        parts = self._repository.git.parts(*arguments)
        for commit in parts:
            author, seconds, text = (next(parts).decode("utf-8", "replace") for _ in range(3))
            yield _Message(commit.decode("ascii").strip(), author, datetime.fromtimestamp(int(seconds), UTC), text)


def _connect(spec: SourceSpec, settings: Settings) -> GitConnector:
    root = value(spec, GIT, "repository")
    repository = _repository(spec, root, settings)
    path = local_root(root)
    address = root if path is None else Path(path).as_uri()
    prefix = value(spec, GIT, "link") or address
    tree = GitTree(repository, prefix=prefix.rstrip("/"), commits=settings.git_history_commits, max_files=settings.source_max_files)
    rules = Rules(spec.rules)
    files = FilesConnector(
        tree,
        selection=selection(spec, GIT),
        rules=rules,
        max_files=settings.source_max_files,
        max_file_bytes=settings.source_max_file_bytes,
    )
    return GitConnector(files, repository, uri=address, messages=int(value(spec, GIT, "history")), rules=rules, tree=tree)


def _repository(spec: SourceSpec, root: str, settings: Settings) -> Repository:
    ref = value(spec, GIT, "ref")
    limits = GitLimits(settings.git_timeout_seconds, settings.git_memory_bytes, settings.git_max_bytes)
    path = local_root(root)
    if path is not None:
        return LocalRepository(Path(path), ref, limits)
    reference = value(spec, GIT, "token")
    return RemoteRepository(
        url=root,
        ref=ref,
        copy=settings.data_directory.absolute() / "repositories" / spec.id,
        login=value(spec, GIT, "login"),
        token=lambda: credential(reference, settings) if reference else "",
        commits=settings.git_history_commits,
        limits=limits,
        settings=settings,
    )


def _problems(spec: SourceSpec, settings: Settings) -> Iterator[FieldProblem]:
    for root in values(spec, GIT, "repository"):
        path = local_root(root)
        if problem := _address_problem(root) if path is None else local_path_problem(path):
            yield FieldProblem("location.repository", problem)
    if not is_installed():
        yield FieldProblem("location.repository", "needs the program git on the machine that reads sources")
    if any(not _REF.fullmatch(ref) or ".." in ref or ref.endswith(".lock") for ref in values(spec, GIT, "ref")):
        yield FieldProblem("location.ref", "the name of a branch or tag, such as 'main' or 'release/2.0', or a commit's number")
    if any("\n" in login or ":" in login for login in values(spec, GIT, "login")):
        yield FieldProblem("location.login", "a name without ':'")
    for count in values(spec, GIT, "history"):
        if not count.isdecimal() or int(count) > settings.git_history_commits:
            yield FieldProblem("location.history", "how many commits, in digits", f"0 to {settings.git_history_commits}")
    for link in values(spec, GIT, "link"):
        try:
            check_url(link, any_port=True)
        except FileRefused as refused:
            yield FieldProblem("location.link", refused.reason)


def _address_problem(url: str) -> str | None:
    try:
        return None if check_url(url, any_port=True).scheme == "https" else "an absolute path, or an https:// address"
    except FileRefused as refused:
        return refused.reason


PLUGIN = Plugin(GIT, connect=_connect, problems=_problems)
