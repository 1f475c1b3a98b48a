"""Hits with their passages and citations."""

from typing import Literal

from pydantic import BaseModel, Field

from retrieval.domain.answers import Citation, Extract, RetrievedPassage
from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage

SCORE_DECIMALS = 4
"""Fewer than the service compares by: float noise must not make two equal responses differ."""


class SpanOut(BaseModel):
    """Characters `start` up to, not including, `end`; Unicode characters, counted from 0."""

    start: int
    end: int

    @classmethod
    def of(cls, span: Span) -> "SpanOut":
        return cls(start=span.start, end=span.end)


class CitationOut(BaseModel):
    """Ties a quote to the document version it stands in: `quote` is exactly that version's text at `span`."""

    id: str
    document: str
    version: str
    version_number: int
    source: str
    title: str
    uri: str
    page: int | None
    heading_path: list[str]
    passage: str
    span: SpanOut
    quote: str

    @classmethod
    def of(cls, citation: Citation) -> "CitationOut":
        return cls(
            id=citation.id,
            document=citation.document,
            version=citation.version,
            version_number=citation.version_number,
            source=citation.source,
            title=citation.title,
            uri=citation.uri,
            page=citation.page,
            heading_path=list(citation.heading_path),
            passage=citation.passage,
            span=SpanOut.of(citation.span),
            quote=citation.quote,
        )


class PassageOut(BaseModel):
    """A passage and where it stands in its document version."""

    id: str
    text: str
    page: int | None
    heading_path: list[str]
    span: SpanOut
    media_type: str
    modified_at: str | None = Field(description="As the source says; ISO 8601, UTC.")

    @classmethod
    def of(cls, passage: ReadablePassage) -> "PassageOut":
        return cls(
            id=passage.id,
            text=passage.text,
            page=passage.page,
            heading_path=list(passage.heading_path),
            span=SpanOut.of(passage.span),
            media_type=passage.media_type,
            modified_at=passage.modified_at,
        )


class JoinedOut(BaseModel):
    """Neighbouring hits as one text: exactly the version's at `span`."""

    text: str
    span: SpanOut

    @classmethod
    def of(cls, extract: Extract) -> "JoinedOut":
        return cls(text=extract.text, span=SpanOut.of(extract.span))


class HitOut(BaseModel):
    """A passage at a rank; 1 is best."""

    rank: int
    score: float = Field(description="Comparable within this response only. Not a probability.")
    found_by: list[Literal["lexical", "dense", "graph"]] = Field(description="`dense` also for its second search, by what was found first.")
    passage: PassageOut
    citation: CitationOut
    duplicates: list[CitationOut] = Field(description="Near duplicates that are no hits of their own; empty unless they are collapsed.")
    extract: JoinedOut | None = Field(description="This hit and neighbours that are hits, too, as one text; null without any.")

    @classmethod
    def of(cls, hit: RetrievedPassage) -> "HitOut":
        found_by: list[Literal["lexical", "dense", "graph"]] = []
        if hit.fused.lexical_rank is not None:
            found_by.append("lexical")
        if hit.fused.dense_rank is not None or hit.fused.feedback_rank is not None:
            found_by.append("dense")
        if hit.fused.graph_rank is not None:
            found_by.append("graph")
        return cls(
            rank=hit.rank,
            score=round(hit.score, SCORE_DECIMALS),
            found_by=found_by,
            passage=PassageOut.of(hit.passage),
            citation=CitationOut.of(hit.citation),
            duplicates=[CitationOut.of(duplicate) for duplicate in hit.duplicates],
            extract=None if hit.extract is None else JoinedOut.of(hit.extract),
        )
