"""A citation's receipt, and what has become of what was cited."""

from pydantic import BaseModel, Field

from api.responses.hits import SpanOut
from retrieval.domain.citations import CheckedCitation, CitationReceipt, CitationState, CurrentVersion, QuotedNow


class CitedVersionOut(BaseModel):
    """The version that was cited."""

    id: str
    number: int
    content_hash: str = Field(description="BLAKE2b-256 of the original bytes.")

    @classmethod
    def of(cls, receipt: CitationReceipt) -> "CitedVersionOut":
        return cls(id=receipt.version, number=receipt.version_number, content_hash=receipt.content_hash)


class CurrentVersionOut(BaseModel):
    """The document's version that is published now."""

    id: str
    number: int
    content_hash: str = Field(description="BLAKE2b-256 of the original bytes.")
    title: str
    uri: str

    @classmethod
    def of(cls, version: CurrentVersion) -> "CurrentVersionOut":
        return cls(id=version.id, number=version.number, content_hash=version.content_hash, title=version.title, uri=version.uri)


class QuotedNowOut(BaseModel):
    """Where the quote stands in the current version: exactly that version's text at `span`."""

    span: SpanOut
    quote: str
    page: int | None
    heading_path: list[str]

    @classmethod
    def of(cls, quoted: QuotedNow) -> "QuotedNowOut":
        return cls(span=SpanOut.of(quoted.span), quote=quoted.quote, page=quoted.page, heading_path=list(quoted.heading_path))


class CitationReceiptResponse(BaseModel):
    """What was cited to you. Others who were given the same citation have receipts of their own."""

    request_id: str
    id: str
    document: str
    version: CitedVersionOut
    passage: str
    span: SpanOut = Field(description="Of the quote, in the cited version's text.")
    quote_hash: str = Field(description="BLAKE2b-256 of the quote in UTF-8.")
    given_at: str = Field(description="When it was last given to you; ISO 8601, UTC.")
    given_in: str | None = Field(description="Id of the request that it answered.")
    readable: bool = Field(description="Whether you may read the document now.")
    current: CurrentVersionOut | None = Field(description="Null where you may not read it, or where it is no longer published.")
    quoted: QuotedNowOut | None = Field(description="Null where the quote stands nowhere in the current version.")

    @classmethod
    def of(cls, found: CheckedCitation, *, request_id: str) -> "CitationReceiptResponse":
        receipt = found.receipt
        return cls(
            request_id=request_id,
            id=receipt.citation,
            document=receipt.document,
            version=CitedVersionOut.of(receipt),
            passage=receipt.passage,
            span=SpanOut.of(receipt.span),
            quote_hash=receipt.quote_hash,
            given_at=receipt.given_at,
            given_in=receipt.request_id,
            readable=found.current is not None,
            current=None if found.current is None else CurrentVersionOut.of(found.current),
            quoted=None if found.quoted is None else QuotedNowOut.of(found.quoted),
        )


class CitationCheckResponse(BaseModel):
    """What has become of a citation."""

    request_id: str
    id: str
    state: CitationState = Field(
        description="`intact`: the current text holds the quote at its place; `changed`: something else stands there; `withdrawn`: the "
        "document is no longer published; `not_readable`: you may not read it any more."
    )
    version_is_current: bool = Field(description="Whether the cited version is the one that is published now.")
    stands: bool | None = Field(description="Whether the quote stands anywhere in the current version; null where there is none for you.")
    quoted: QuotedNowOut | None

    @classmethod
    def of(cls, found: CheckedCitation, *, request_id: str) -> "CitationCheckResponse":
        return cls(
            request_id=request_id,
            id=found.receipt.citation,
            state=found.state,
            version_is_current=found.is_current,
            stands=None if found.current is None else found.quoted is not None,
            quoted=None if found.quoted is None else QuotedNowOut.of(found.quoted),
        )
