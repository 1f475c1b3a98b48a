"""What every connector does: list a source, fetch one of its files, say what is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode, Rejection, SourceFile
from retrieval.domain.errors import ArchivistError

PROBE_MAX_FILES = 1_000
"""Files that a probe looks at before it says 'at least'."""


class FileRefused(ArchivistError):
    """One file is not taken in: too large, not a regular file, outside the source. The rest of the source goes on."""

    def __init__(self, reason: str, *, code: QuarantineCode = QuarantineCode.FETCH_FAILED, retryable: bool = False) -> None:
        super().__init__(reason)
        self.rejection = Rejection(code, reason, retryable=retryable)

    @property
    def reason(self) -> str:
        return self.rejection.reason


@dataclass(frozen=True)
class Probe:
    """What a first look at a source found.

    Attributes:
        problem: why the source cannot be reached, in words for the data owner; None when it can.
        files: documents seen, at most `PROBE_MAX_FILES`.
        has_more: there are more than that.
        size_bytes: of the documents seen; None when the source does not say.
        formats: count by lower-case file name extension with its dot; `""` for none.
        without_permission: documents seen that nobody could read.
    """

    problem: str | None = None
    files: int = 0
    has_more: bool = False
    size_bytes: int | None = None
    formats: Mapping[str, int] = field(default_factory=dict)
    without_permission: int = 0

    @property
    def is_reachable(self) -> bool:
        return self.problem is None


class Connector(Protocol):
    """One source, ready to be read. Blocking; `fetch` may be called from several threads."""

    def list(self) -> Iterator[SourceFile]:
        """Every document of the source with its policy, each key once, in a stable order.

        Raises:
            SourceUnavailable: at any point, when the listing cannot be completed. It never ends early.
        """
        ...

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        """The bytes of one listed file, unless they are those of `known`, the validator of the last fetch.

        Raises:
            FileRefused: this file is not taken in; the reason is fit for the data owner.
            SourceUnavailable: nothing can be said of the file now; try again later.
        """
        ...

    def probe(self) -> Probe:
        """Whether the source can be reached and what is there. Never raises for a source that cannot be reached."""
        ...

    def close(self) -> None: ...
