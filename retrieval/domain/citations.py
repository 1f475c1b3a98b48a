"""Receipts of citations: what was shown to whom, and what has become of it. A receipt holds hashes and never a text."""

from dataclasses import dataclass
from enum import StrEnum

from retrieval.domain.documents import Span
from retrieval.domain.ids import text_hash


class CitationState(StrEnum):
    """What a citation is worth now, for one who was given it.

    Attributes:
        INTACT: the document's current text holds the quote at the same place.
        CHANGED: there is a newer text, and something else stands at that place.
        WITHDRAWN: the document is no longer published.
        NOT_READABLE: this principal may not read the document any more; nothing else about it is told.
    """

    INTACT = "intact"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    NOT_READABLE = "not_readable"


@dataclass(frozen=True)
class CitationReceipt:
    """That a quote was given to somebody.

    Attributes:
        citation: the citation's id.
        content_hash: of the version's original bytes.
        span: of the quote, in the version's text.
        quote_hash: `text_hash` of the quote.
        given_at: when it was last given to this principal; ISO 8601, UTC.
        request_id: of the request that it answered.
    """

    citation: str
    document: str
    version: str
    version_number: int
    content_hash: str
    passage: str
    span: Span
    quote_hash: str
    given_at: str
    request_id: str | None

    def is_quote(self, text: str) -> bool:
        """Whether `text` is the quote that was given."""
        return len(text) == len(self.span) and text_hash(text) == self.quote_hash


@dataclass(frozen=True)
class QuotedNow:
    """Where a quote stands in the document's current version.

    Attributes:
        quote: exactly the version's text at `span`.
        page, heading_path: of the passage that it begins in.
    """

    span: Span
    quote: str
    page: int | None
    heading_path: tuple[str, ...]


@dataclass(frozen=True)
class CurrentVersion:
    """The document's version that may be read now."""

    id: str
    number: int
    content_hash: str
    title: str
    uri: str


@dataclass(frozen=True)
class CheckedCitation:
    """A receipt, and what a principal who was given it may know of it now.

    Attributes:
        current: None unless the document is published and this principal may read it.
        quoted: where the quote stands now; None where it stands nowhere in the current text or where there is none to read.
        access_class, revision: for the audit log, never for the caller.
    """

    receipt: CitationReceipt
    state: CitationState
    current: CurrentVersion | None = None
    quoted: QuotedNow | None = None
    access_class: int | None = None
    revision: int = 0

    @property
    def is_current(self) -> bool:
        """Whether the cited version is the one that is published now."""
        return self.current is not None and self.current.id == self.receipt.version


def place_of(receipt: CitationReceipt, cited: str | None, now: str) -> Span | None:
    """Where the quote stands in the document's text `now`: at its place, else where it stands nearest to it, else None.

    Args:
        receipt: of the quote.
        cited: the whole text of the cited version; None when it is no longer kept.
        now: the whole text of the current version.
    """
    if receipt.is_quote(receipt.span.of(now)):
        return receipt.span
    quote = "" if cited is None else receipt.span.of(cited)
    if not receipt.is_quote(quote):
        return None
    starts = [now.rfind(quote, 0, receipt.span.start + len(quote)), now.find(quote, receipt.span.start)]
    found = [start for start in starts if start >= 0]
    if not found:
        return None
    nearest = min(found, key=lambda start: (abs(start - receipt.span.start), start))
    return Span(nearest, nearest + len(quote))
