"""Passages that passed the gate, made by hand."""

from retrieval.domain.documents import Span
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage


def a_passage(text: str, *, title: str = "Handbook", source: str = "handbook", start: int = 0) -> ReadablePassage:
    """A readable passage of this text. Its ids follow from the title and the text."""
    id_ = text_hash(f"{title}\n{text}")[:12]
    return ReadablePassage(
        id=f"psg_{id_}",
        document=f"doc_{id_}",
        version=f"ver_{id_}",
        version_number=1,
        source=source,
        ordinal=0,
        span=Span(start, start + len(text)),
        text=text,
        page=None,
        heading_path=(),
        title=title,
        uri="file:///handbook.md",
        media_type="text/markdown",
        modified_at=None,
        revision=1,
    )
