"""A document, its versions and a stretch of its text."""

from pydantic import BaseModel, Field

from api.responses.hits import SpanOut
from retrieval.ports.reading import ReadableDocument, VersionSummary


class VersionOut(BaseModel):
    """One version of a document. Numbers count up and are never used twice."""

    id: str
    number: int
    state: str
    content_hash: str = Field(description="BLAKE2b-256 of the original bytes.")
    published_at: str | None
    characters: int

    @classmethod
    def of(cls, version: VersionSummary) -> "VersionOut":
        return cls(
            id=version.id,
            number=version.number,
            state=version.state,
            content_hash=version.content_hash,
            published_at=version.published_at,
            characters=version.characters,
        )


class PageOut(BaseModel):
    """Which characters of the text stand on a page."""

    page: int
    span: SpanOut


class ExtractOut(BaseModel):
    """A stretch of the version's text."""

    text: str
    start: int = Field(description="Where `text` starts in the version's text.")
    end: int
    highlight: SpanOut | None = Field(description="The span asked for, as offsets into `text` of this extract; null when none was.")


class DocumentResponse(BaseModel):
    """A document as you may see it."""

    request_id: str
    id: str
    source: str
    title: str
    uri: str
    media_type: str
    metadata: dict[str, str]
    version: VersionOut
    versions: list[VersionOut] = Field(description="Those that you may read, newest first.")
    pages: list[PageOut]
    extract: ExtractOut

    @classmethod
    def of(cls, document: ReadableDocument, extract: ExtractOut, *, request_id: str) -> "DocumentResponse":
        return cls(
            request_id=request_id,
            id=document.id,
            source=document.source,
            title=document.title,
            uri=document.uri,
            media_type=document.media_type,
            metadata=dict(document.metadata),
            version=VersionOut.of(document.version),
            versions=[VersionOut.of(version) for version in document.versions],
            pages=[PageOut(page=page, span=SpanOut(start=start, end=end)) for page, start, end in document.pages],
            extract=extract,
        )
