"""The versions of a document, and what changed between two of them."""

from pydantic import BaseModel, Field

from api.responses.hits import SpanOut
from retrieval.domain.diffs import Hunk, TextDiff
from retrieval.domain.versions import DocumentHistory, VersionInTime


class TimeOut(BaseModel):
    """A time in which a version was the current one; ISO 8601, UTC."""

    since: str
    until: str | None = Field(description="null while it is.")

    @classmethod
    def of(cls, time: tuple[str, str | None]) -> "TimeOut":
        return cls(since=time[0], until=time[1])


class VersionInTimeOut(BaseModel):
    """One version of a document. Numbers count up and are never used twice."""

    id: str
    number: int
    state: str
    content_hash: str = Field(description="BLAKE2b-256 of the original bytes.")
    title: str
    published_at: str | None
    characters: int
    current: list[TimeOut] = Field(description="When it was the current one, first to last.")

    @classmethod
    def of(cls, version: VersionInTime) -> "VersionInTimeOut":
        said = {name: value for name, value in vars(version).items() if name != "times"}
        return cls(**said, current=[TimeOut.of(time) for time in version.times])


class DocumentHistoryResponse(BaseModel):
    """The versions of a document that you may read, newest first."""

    request_id: str
    document: str
    source: str
    versions: list[VersionInTimeOut]

    @classmethod
    def of(cls, history: DocumentHistory, *, request_id: str) -> "DocumentHistoryResponse":
        versions = [VersionInTimeOut.of(version) for version in history.versions]
        return cls(request_id=request_id, document=history.document, source=history.source, versions=versions)


class HunkOut(BaseModel):
    """One changed place: whole lines."""

    before: SpanOut = Field(description="Where `removed` stands in the first version's text.")
    after: SpanOut = Field(description="Where `added` stands in the second version's text.")
    removed: str
    added: str

    @classmethod
    def of(cls, hunk: Hunk) -> "HunkOut":
        before, after = (SpanOut(start=span.start, end=span.end) for span in (hunk.before, hunk.after))
        return cls(before=before, after=after, removed=hunk.removed, added=hunk.added)


class DiffResponse(BaseModel):
    """What changed from one version of a document to another."""

    request_id: str
    document: str
    compared: list[VersionInTimeOut] = Field(description="The versions, newest first.")
    changes: list[HunkOut] = Field(description="In the order of the text.")
    is_whole: bool = Field(description="false where there are more changes, or longer ones, than are shown.")

    @classmethod
    def of(cls, history: DocumentHistory, diff: TextDiff, *, request_id: str) -> "DiffResponse":
        return cls(
            request_id=request_id,
            document=history.document,
            compared=[VersionInTimeOut.of(version) for version in history.versions],
            changes=[HunkOut.of(hunk) for hunk in diff.hunks],
            is_whole=diff.is_whole,
        )
