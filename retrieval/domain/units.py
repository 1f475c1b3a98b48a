"""What can be quoted from a text: sentences, and the rows of tables."""

from collections.abc import Iterator

from retrieval.domain.documents import Span
from retrieval.domain.sentences import sentences

CELL_SEPARATOR = " | "


def units(text: str) -> Iterator[Span]:
    """The sentences and table rows of `text` in order, without surrounding white space."""
    start = prose = 0
    for line in text.splitlines(keepends=True):
        end = start + len(line)
        if CELL_SEPARATOR in line:
            yield from _sentences_in(text, prose, start)
            yield Span(start + len(line) - len(line.lstrip()), start + len(line.rstrip()))
            prose = end
        start = end
    yield from _sentences_in(text, prose, start)


def _sentences_in(text: str, start: int, end: int) -> Iterator[Span]:
    for span in sentences(text[start:end]):
        yield Span(start + span.start, start + span.end)
