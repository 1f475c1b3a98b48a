"""Which stretch of a document's text is shown: a cited span with its context, or the beginning."""

from api.responses.documents import ExtractOut
from api.responses.hits import SpanOut
from api.schemas import DocumentParameters
from retrieval.domain.documents import Span
from retrieval.domain.errors import InvalidInput
from retrieval.settings import Settings


def checked_span(wanted: DocumentParameters, settings: Settings) -> Span | None:
    """The span asked for; None when none was. Judges the parameters alone, before any document is read.

    Raises:
        InvalidInput: names `start`, `end` or `context` and its limit.
    """
    if wanted.context is not None and wanted.context > settings.extract_max_context_characters:
        raise InvalidInput.of("context", "is too long", limit=f"{settings.extract_max_context_characters} characters")
    return check_span(wanted.start, wanted.end, settings)


def check_span(start: int | None, end: int | None, settings: Settings) -> Span | None:
    """The same for the span's ends. Raises InvalidInput naming `start` or `end` and its limit."""
    if start is None and end is None:
        return None
    if start is None:
        raise InvalidInput.of("start", "is required with 'end'")
    if end is None:
        raise InvalidInput.of("end", "is required with 'start'")
    if end <= start:
        raise InvalidInput.of("end", "must be greater than 'start'")
    if end - start > settings.extract_max_characters:
        raise InvalidInput.of("end", "makes the span too long", limit=f"{settings.extract_max_characters} characters")
    return Span(start, end)


def extract(text: str, span: Span | None, *, context: int | None, settings: Settings) -> ExtractOut:
    """The span with its context on either side, or the first characters of the text.

    Raises:
        InvalidInput: the span reaches past the end of the text.
    """
    if span is None:
        shown = text[: settings.extract_default_characters]
        return ExtractOut(text=shown, start=0, end=len(shown), highlight=None)
    if span.end > len(text):
        raise InvalidInput.of("end", "is past the end of the text", limit=f"{len(text)} characters")
    around = settings.extract_context_characters if context is None else context
    start, end = max(0, span.start - around), min(len(text), span.end + around)
    highlight = SpanOut(start=span.start - start, end=span.end - start)
    return ExtractOut(text=text[start:end], start=start, end=end, highlight=highlight)
