"""Citations: every passage or quote that leaves is tied to the span of the version it stands in."""

from retrieval.domain.answers import Citation
from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage


def cite(passage: ReadablePassage, *, within: Span | None = None) -> Citation:
    """A citation of the whole passage, or of `within`, a span of the passage's own text.

    Raises:
        ValueError: when `within` is not inside the passage.
    """
    inside = Span(0, len(passage.text)) if within is None else within
    if inside.end > len(passage.text):
        raise ValueError("a quote must lie within its passage")
    return Citation(
        document=passage.document,
        version=passage.version,
        version_number=passage.version_number,
        source=passage.source,
        title=passage.title,
        uri=passage.uri,
        page=passage.page,
        heading_path=passage.heading_path,
        passage=passage.id,
        span=Span(passage.span.start + inside.start, passage.span.start + inside.end),
        quote=inside.of(passage.text),
    )
