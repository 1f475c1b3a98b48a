"""Pieces: what passages are packed from. Sentences, lines of code, whole tables; where one is too large, rows, words, characters."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.stages.measure import MAX_CHARACTERS_PER_TOKEN, Measure
from retrieval.domain.documents import ElementKind, Span
from retrieval.domain.sentences import sentences

_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")


@dataclass(frozen=True)
class Block:
    """A stretch of text that belongs together, without surrounding white space."""

    span: Span
    kind: ElementKind
    page: int | None
    path: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """A span that is not cut any further.

    Attributes:
        block: pieces with the same number come from one block and are better kept together.
        size: tokens, see `Measure`.
        header: the header row of the table of which this is a later part; empty otherwise.
        is_sentence: whether overlap may repeat it.
    """

    span: Span
    block: int
    page: int | None
    size: int
    header: str = ""
    is_sentence: bool = False


def pieces_of(text: str, blocks: Sequence[Block], rooms: Sequence[int], measure: Measure, *, header_share: int) -> list[Piece]:
    """The pieces of all blocks in order, none larger than its block's room as far as cutting helps.

    Args:
        text: the document's.
        blocks: in order.
        rooms: for each block, the tokens that its prefix leaves.
        measure: of sizes.
        header_share: most tokens of a table's header row that its later parts carry.
    """
    units = [(number, span) for number, block in enumerate(blocks) for span in _units(text, block)]
    sizes = measure.sizes([span.of(text) for _, span in units])
    cutter = _Cutter(text, measure, header_share)
    found: list[Piece] = []
    for (number, span), size in zip(units, sizes, strict=True):
        found.extend(cutter.pieces(blocks[number], number, span, size, rooms[number]))
    return found


def halved(text: str, piece: Piece, measure: Measure) -> list[Piece]:
    """A piece cut in two near its middle, between words where it has any; the piece itself when it is one character."""
    spans = _halves(text, piece.span)
    sizes = measure.sizes([span.of(text) for span in spans])
    return [Piece(span, piece.block, piece.page, size, piece.header) for span, size in zip(spans, sizes, strict=True)]


def trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without surrounding white space; None when there is nothing else."""
    part = text[start:end]
    stripped = part.strip()
    if not stripped:
        return None
    start += len(part) - len(part.lstrip())
    return Span(start, start + len(stripped))


def _units(text: str, block: Block) -> list[Span]:
    if block.kind is ElementKind.TABLE:
        return [block.span]
    if block.kind is ElementKind.CODE:
        return _matches(_LINE, text, block.span)
    start = block.span.start
    return [Span(span.start + start, span.end + start) for span in sentences(block.span.of(text))]


@dataclass(frozen=True)
class _Cutter:
    text: str
    measure: Measure
    header_share: int

    def pieces(self, block: Block, number: int, span: Span, size: int, room: int) -> Iterator[Piece]:
        if size <= room:
            yield Piece(span, number, block.page, size, is_sentence=block.kind not in (ElementKind.TABLE, ElementKind.CODE))
        elif block.kind is ElementKind.TABLE:
            yield from self._rows(block, number, room)
        else:
            for part, part_size in self._words(span, room):
                yield Piece(part, number, block.page, part_size)

    def _rows(self, block: Block, number: int, room: int) -> Iterator[Piece]:
        rows = _matches(_LINE, self.text, block.span)
        header = self.measure.clip(" ".join(rows[0].of(self.text).split()), self.header_share) if len(rows) > 1 else ""
        later_room = room - (self.measure.size(header + "\n") if header else 0)
        sizes = self.measure.sizes([row.of(self.text) for row in rows])
        carried = ""
        for span, size in _grouped(rows, sizes, room, later_room):
            parts = [(span, size)] if size <= (later_room if carried else room) else self._words(span, later_room)
            for part, part_size in parts:
                yield Piece(part, number, block.page, part_size, carried)
            carried = header

    def _words(self, span: Span, room: int) -> Iterator[tuple[Span, int]]:
        words = [part for word in _matches(_WORD, self.text, span) for part in self._slices(word, room)]
        sizes = self.measure.sizes([word.of(self.text) for word in words])
        yield from _grouped(words, sizes, room, room)

    def _slices(self, word: Span, room: int) -> list[Span]:
        """An unbroken string in parts that fit, as far as halving helps."""
        if len(word) <= room:  # hardly more tokens than characters; whatever is, the last check of a passage finds
            return [word]
        longest = room * MAX_CHARACTERS_PER_TOKEN
        waiting = [Span(start, min(start + longest, word.end)) for start in range(word.start, word.end, longest)][::-1]
        fitting: list[Span] = []
        while waiting:
            part = waiting.pop()
            if len(part) == 1 or self.measure.size(part.of(self.text)) <= room:
                fitting.append(part)
            else:
                waiting.extend(reversed(_halves(self.text, part)))
        return fitting


def _grouped(spans: Sequence[Span], sizes: Sequence[int], first_room: int, later_room: int) -> Iterator[tuple[Span, int]]:
    """Neighbouring spans joined as long as they fit; one that is too large alone stays alone."""
    room, joined, total = first_room, spans[0], sizes[0]
    for span, size in zip(spans[1:], sizes[1:], strict=True):
        if total + size <= room and span.end - joined.start <= room * MAX_CHARACTERS_PER_TOKEN:
            joined, total = Span(joined.start, span.end), total + size
        else:
            yield joined, total
            room, joined, total = later_room, span, size
    yield joined, total


def _halves(text: str, span: Span) -> list[Span]:
    if len(span) == 1:
        return [span]
    words = _matches(_WORD, text, span)
    middle = words[len(words) // 2].start if len(words) > 1 else span.start + len(span) // 2
    return [half for half in (trimmed(text, span.start, middle), trimmed(text, middle, span.end)) if half]


def _matches(pattern: re.Pattern[str], text: str, span: Span) -> list[Span]:
    found = (trimmed(text, match.start(), match.end()) for match in pattern.finditer(text, span.start, span.end))
    return [span for span in found if span is not None]
