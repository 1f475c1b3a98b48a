"""Which stretches of a text are set off: the words of a query, or spans."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retrieval.domain.documents import Span
from retrieval.domain.terms import stem, terms

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Piece:
    """A stretch of text. `is_first`: the first marked one, where a link leads."""

    text: str
    is_marked: bool = False
    is_first: bool = False


def marked(text: str, spans: Iterable[Span]) -> list[Piece]:
    """The whole text in pieces; those within a span are marked. Spans may overlap and reach past the text."""
    pieces: list[Piece] = []
    at = 0
    for span in _joined(spans, len(text)):
        if at < span.start:
            pieces.append(Piece(text[at : span.start]))
        pieces.append(Piece(span.of(text), is_marked=True, is_first=not any(piece.is_marked for piece in pieces)))
        at = span.end
    return [*pieces, Piece(text[at:])] if at < len(text) else pieces


def matched_words(text: str, query: str) -> list[Span]:
    """Words of the text that the query has, too, whatever their ending; stop words are none."""
    wanted = set(terms(query))
    return [Span(*word.span()) for word in _WORD.finditer(text) if stem(word[0].lower()) in wanted]


def _joined(spans: Iterable[Span], length: int) -> Sequence[Span]:
    joined: list[Span] = []
    for span in sorted(spans):
        start, end = min(span.start, length), min(span.end, length)
        if joined and start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, end))
        elif start < end:
            joined.append(Span(start, end))
    return joined
