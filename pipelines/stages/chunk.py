"""Cut a parsed document into passages by its structure.

A passage is an exact span of the parsed text and stays within one section. Title and headings travel in its prefix; a heading that
no prefix holds whole (it is too long, or nothing follows it) is text like any other. What does not fit is cut where it hurts least:
tables between rows, prose between sentences, then between words, then anywhere. Every passage is measured as it will be embedded,
so none exceeds the limit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines.stages.measure import MAX_CHARACTERS_PER_TOKEN, CountTokens, Measure
from pipelines.stages.pieces import Block, Piece, halved, pieces_of, trimmed
from pipelines.stages.prefixes import Prefix, Prefixes, normalised
from retrieval.domain.documents import ElementKind, ParsedDocument, Span
from retrieval.domain.passages import DraftPassage, embedded_text

CHUNKER_VERSION = "1"
"""Changes whenever the same document would be cut differently: passages cut by another version are cut again."""

MIN_TOKENS = 32
"""Smallest limit that leaves room for a prefix, a table's header and text."""
MAX_PAGES = 2
"""Most pages that one passage touches."""
_SHARE = 4
"""The prefix may take this part of the limit (a quarter), and a table's header row as much again."""
_FULL = 0.5
"""From this share of its room on, a passage is closed rather than the next paragraph cut."""


def chunk(parsed: ParsedDocument, *, count_tokens: CountTokens, max_tokens: int, overlap_tokens: int) -> tuple[DraftPassage, ...]:
    """The passages of a document in order. The same document and settings give the same passages.

    Args:
        parsed: the document.
        count_tokens: of each text, without special tokens, by the embedder's own tokenizer.
        max_tokens: longest passage as it is embedded, prefix included, without special tokens.
        overlap_tokens: a passage repeats whole sentences from the end of the one before, of the same section, up to so many.

    Raises:
        ValueError: when `max_tokens` is below `MIN_TOKENS`, or the overlap is not smaller than half of it.
    """
    if max_tokens < MIN_TOKENS:
        raise ValueError(f"a passage needs at least {MIN_TOKENS} tokens")
    if not 0 <= overlap_tokens < max_tokens / 2:
        raise ValueError("the overlap must be less than half of the longest passage")
    measure = Measure(count_tokens, max_tokens)
    prefixes = Prefixes(parsed.title, measure, share=max_tokens // _SHARE)
    blocks = _without_headings(parsed.text, list(_blocks(parsed)), prefixes)
    rooms = [max_tokens - prefixes.of(block.path).size for block in blocks]
    pieces = pieces_of(parsed.text, blocks, rooms, measure, header_share=max_tokens // _SHARE)
    packs: list[_Pack] = []
    for path, section in groupby(pieces, key=lambda piece: blocks[piece.block].path):
        packs.extend(_packed(list(section), path, prefixes.of(path), max_tokens, overlap_tokens))
    return _drafts(parsed.text, packs, measure)


@dataclass(frozen=True)
class _Pack:
    """The pieces of one passage; neighbours in the text."""

    pieces: tuple[Piece, ...]
    path: tuple[str, ...]
    prefix: str

    @property
    def span(self) -> Span:
        return Span(self.pieces[0].span.start, self.pieces[-1].span.end)

    def full_prefix(self, text: str) -> str:
        """The prefix with the table's header, if this is a later part of one; none when it would say just what the passage says."""
        full = "\n".join(part for part in (self.prefix, self.pieces[0].header) if part)
        return "" if full == normalised(self.span.of(text)) else full


def _blocks(parsed: ParsedDocument) -> Iterator[Block]:
    """The elements, and as text whatever stands between them: nothing of a document is lost to a parser's omission."""
    end = 0
    page: int | None = None
    path: tuple[str, ...] = ()
    for element in parsed.elements:
        gap = trimmed(parsed.text, end, element.span.start) if element.span.start > end else None
        if gap:
            yield Block(gap, ElementKind.TEXT, page, path)
        page, path = element.page, element.heading_path
        span = trimmed(parsed.text, element.span.start, element.span.end)
        if span:
            yield Block(span, element.kind, page, path)
        end = max(end, element.span.end)
    rest = trimmed(parsed.text, end, len(parsed.text))
    if rest:
        yield Block(rest, ElementKind.TEXT, page, path)


def _without_headings(text: str, blocks: Sequence[Block], prefixes: Prefixes) -> list[Block]:
    """The blocks less the headings that the prefix of the text below them holds."""
    kept: list[Block] = []
    held: frozenset[str] = frozenset()
    for block in reversed(blocks):
        if block.kind not in (ElementKind.TITLE, ElementKind.HEADING):
            held = prefixes.of(block.path).holds
            kept.append(block)
            continue
        heading = normalised(block.span.of(text))
        if heading not in held:
            own = block.path[:-1] if block.path and normalised(block.path[-1]) == heading else block.path
            kept.append(Block(block.span, ElementKind.TEXT, block.page, own))
    return kept[::-1]


def _packed(pieces: Sequence[Piece], path: tuple[str, ...], prefix: Prefix, max_tokens: int, overlap: int) -> Iterator[_Pack]:
    """The pieces of one section as passages: filled in order, paragraphs kept whole where the passage so far is full enough."""
    room = max_tokens - prefix.size
    current: list[Piece] = []
    for _, group in groupby(pieces, key=lambda piece: piece.block):
        block = list(group)
        if _fits(block, room) and not _fits([*current, *block], room) and _size(current) >= room * _FULL:
            yield _Pack(tuple(current), path, prefix.text)
            current = _repeated(current, block, room, overlap)
        for piece in block:
            if current and not _fits([*current, piece], room):
                yield _Pack(tuple(current), path, prefix.text)
                current = _repeated(current, [piece], room, overlap)
            current.append(piece)
    if current:
        yield _Pack(tuple(current), path, prefix.text)


def _fits(pieces: Sequence[Piece], room: int) -> bool:
    return (
        _size(pieces) <= room
        and pieces[-1].span.end - pieces[0].span.start <= room * MAX_CHARACTERS_PER_TOKEN
        and pieces[0].header == pieces[-1].header
        and len({piece.page for piece in pieces}) <= MAX_PAGES
    )


def _size(pieces: Iterable[Piece]) -> int:
    return sum(piece.size for piece in pieces)


def _repeated(before: Sequence[Piece], following: Sequence[Piece], room: int, overlap: int) -> list[Piece]:
    """The sentences that the next passage repeats: as many as the overlap allows and fit in front of what follows."""
    tail: list[Piece] = []
    for piece in reversed(before):
        if not piece.is_sentence or _size(tail) + piece.size > overlap or not _fits([piece, *tail, *following], room):
            break
        tail.insert(0, piece)
    return tail


def _drafts(text: str, packs: Sequence[_Pack], measure: Measure) -> tuple[DraftPassage, ...]:
    return tuple(
        DraftPassage(ordinal, pack.span, pack.span.of(text), pack.full_prefix(text), pack.pieces[0].page, pack.path, tokens)
        for ordinal, (pack, tokens) in enumerate(_measured(text, packs, measure))
    )


def _measured(text: str, packs: Sequence[_Pack], measure: Measure) -> Iterator[tuple[_Pack, int]]:
    """Each pack with its tokens as embedded. Sizes of pieces do not add up with every tokenizer: what is too large is halved."""
    embedded = [embedded_text(pack.full_prefix(text), pack.span.of(text)) for pack in packs]
    for pack, whole, tokens in zip(packs, embedded, measure.count_tokens(embedded), strict=True):
        parts = [pack] if measure.holds(whole, tokens) else _halved(text, pack, measure)
        if len(parts) == 1:
            yield pack, tokens
        else:
            yield from _measured(text, parts, measure)


def _halved(text: str, pack: _Pack, measure: Measure) -> list[_Pack]:
    middle = len(pack.pieces) // 2
    parts = [pack.pieces[:middle], pack.pieces[middle:]] if middle else [(half,) for half in halved(text, pack.pieces[0], measure)]
    return [_Pack(tuple(part), pack.path, pack.prefix) for part in parts]
