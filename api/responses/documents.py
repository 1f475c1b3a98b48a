"""A document, its versions and a stretch of its text; and lists of documents."""

from pydantic import BaseModel, Field

from api.responses.hits import SpanOut
from retrieval.ports.reading import DocumentPage, ListedDocument, ReadableDocument, VersionSummary


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


class ListedDocumentOut(BaseModel):
    """A document that you may read, as it is now."""

    id: str
    source: str
    title: str
    uri: str
    media_type: str
    version: str
    version_number: int
    modified_at: str | None = Field(description="As the source says; ISO 8601, UTC.")

    @classmethod
    def of(cls, document: ListedDocument) -> "ListedDocumentOut":
        return cls(
            id=document.id,
            source=document.source,
            title=document.title,
            uri=document.uri,
            media_type=document.media_type,
            version=document.version,
            version_number=document.version_number,
            modified_at=document.modified_at,
        )


class DocumentListResponse(BaseModel):
    """A page of the documents that you may read."""

    request_id: str
    documents: list[ListedDocumentOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")
    consistency_token: str

    @classmethod
    def of(cls, page: DocumentPage, *, request_id: str, next_cursor: str | None, consistency_token: str) -> "DocumentListResponse":
        return cls(
            request_id=request_id,
            documents=[ListedDocumentOut.of(document) for document in page.documents],
            next_cursor=next_cursor,
            consistency_token=consistency_token,
        )
