"""The canonical text: blocks that a reader found, cleaned, joined and given spans, pages and places under the headings."""

import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pipelines.parsing import rejections
from pipelines.parsing.rejections import Rejected
from retrieval.domain.documents import Attachment, Element, ElementKind, Span

SEPARATOR = "\n\n"
"""Stands between two elements."""
CELL_SEPARATOR = " | "
MAX_HEADING_CHARACTERS = 200
"""A longer heading is cut in heading paths and titles; its element keeps it whole."""
MAX_METADATA_CHARACTERS = 500


@dataclass(frozen=True)
class Block:
    """A stretch of text as a reader found it.

    Attributes:
        level: of a heading, 1 is the highest; None for anything else.
    """

    kind: ElementKind
    text: str
    page: int | None = None
    level: int | None = None


@dataclass(frozen=True)
class Reading:
    """What a reader got out of one document, before it becomes canonical.

    Attributes:
        title: as the document's own metadata gives it; empty when it gives none.
        method: how the text was obtained, e.g. `unstructured:docx`.
    """

    media_type: str
    method: str
    blocks: Sequence[Block]
    title: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()


@dataclass(frozen=True)
class Canonical:
    """A reading's canonical text with its elements in order."""

    title: str
    text: str
    elements: tuple[Element, ...]


def canonicalise(reading: Reading, *, name: str, max_characters: int) -> Canonical:
    """Clean and join a reading's blocks.

    Raises:
        Rejected: no text is left, or more than `max_characters`.
    """
    blocks = [block for block in (_cleaned(block) for block in reading.blocks) if block.text]
    if not any(_has_substance(block.text) for block in blocks):
        raise Rejected(rejections.NO_TEXT)
    if sum(len(block.text) + len(SEPARATOR) for block in blocks) > max_characters:
        raise Rejected(rejections.OUTPUT_TOO_LARGE)
    title = _title(reading.title, blocks, name)
    return Canonical(title=title, text=SEPARATOR.join(block.text for block in blocks), elements=tuple(_elements(blocks, title)))


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as readable lines: cells joined by a bar, empty rows and the empty cells at a row's end left out."""
    lines = []
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            lines.append(CELL_SEPARATOR.join(cells))
    return "\n".join(lines)


def clean(text: str, *, keep_spacing: bool = False) -> str:
    """Text in NFC, with plain line breaks and without what readers cannot see.

    Args:
        text: anything a parser gave back, lone surrogates included.
        keep_spacing: leave blanks inside and blank lines as they are, as code needs it.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_INVISIBLE))
        text = _JOINER.sub(_keep_joiner, text)
    text = _CONTROL.sub("", _LINE_BREAK.sub("\n", text))
    if keep_spacing:
        return _TRAILING.sub("\n", text.expandtabs(4) + "\n").strip("\n")
    return _BLANK_LINES.sub("\n", _BLANKS.sub(" ", text)).strip()


def clean_line(text: str) -> str:
    """Text on one line."""
    return " ".join(clean(text).split())


_LINE_BREAK = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BLANKS = re.compile("[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_BLANK_LINES = re.compile(r" ?\n[ \n]*")
_TRAILING = re.compile(r"[ \t]+\n")
_JOINER = re.compile("[\u200c\u200d]")


def _invisible() -> dict[int, int | None]:
    """Characters that carry nothing a reader sees. Tag characters are among them: they hide words from people and not from programs."""
    points: list[int] = [0x00AD, 0x034F, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
    points += [*range(0xFDD0, 0xFDF0), *range(0xFFF9, 0xFFFC), *range(0xD800, 0xE000), *range(0xE0000, 0xE0080)]
    points += [plane + last for plane in range(0, sys.maxunicode, 0x10000) for last in (0xFFFE, 0xFFFF)]
    table: dict[int, int | None] = dict.fromkeys(points)
    table[0xF0B7] = ord("•")  # the bullet of the Symbol font, which office programs leave in the private use area
    return table


_INVISIBLE = _invisible()


def _keep_joiner(match: re.Match[str]) -> str:
    """A joiner inside a script that needs it, or inside an emoji; nothing elsewhere."""
    text, at = match.string, match.start()
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return match.group() if _joins(before) and _joins(after) else ""


def _joins(character: str) -> bool:
    """Arabic, Syriac, Indic and the like, Mongolian, or a symbol: joiners change how these look."""
    if not character:
        return False
    point = ord(character)
    return 0x0600 <= point <= 0x109F or 0x1780 <= point <= 0x18AF or 0x2190 <= point <= 0x2BFF or point == 0xFE0F or point >= 0x1F000


def _cleaned(block: Block) -> Block:
    if block.kind in (ElementKind.TITLE, ElementKind.HEADING):
        text = clean_line(block.text)
    else:
        text = clean(block.text, keep_spacing=block.kind is ElementKind.CODE)
    return Block(block.kind, text, block.page, block.level)


def _has_substance(text: str) -> bool:
    return any(character.isalnum() for character in text)


_UNTITLED = re.compile(
    r"(?:untitled|document|(?:powerpoint )?presentation|slide|folie|titel?|title|book|workbook|sheet|page|no title|unknown|null)[\s\d.-]*",
    re.IGNORECASE,
)
_PRINT_JOB = re.compile(r"^microsoft (?:word|excel|powerpoint|office word)\s*-\s*", re.IGNORECASE)
_OFFICE_SUFFIX = re.compile(r"\.(?:docx?|pptx?|xlsx?|indd|pages|odt|rtf|tex|dvi|qxd|p65|pdf|html?)$", re.IGNORECASE)


def _title(declared: str, blocks: Sequence[Block], name: str) -> str:
    """The declared title unless a program made it up; else the first heading near the start; else the file's name."""
    candidate = clean_line(declared)
    if (
        _has_substance(candidate)
        and not _UNTITLED.fullmatch(candidate)
        and not _PRINT_JOB.match(candidate)
        and not _OFFICE_SUFFIX.search(candidate)
    ):
        return _cut(candidate)
    for block in blocks[:10]:
        if block.kind in (ElementKind.TITLE, ElementKind.HEADING):
            return _cut(block.text)
    stem = clean_line(PurePosixPath(name).stem.replace("_", " "))
    return _cut(stem) or "Untitled"


def _is_made_up(title: str) -> bool:
    """Whether a program, not a person, chose the title."""
    return bool(_UNTITLED.fullmatch(title) or _PRINT_JOB.match(title) or _OFFICE_SUFFIX.search(title))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_HEADING_CHARACTERS else text[: MAX_HEADING_CHARACTERS - 1].rstrip() + "…"


def _elements(blocks: Sequence[Block], title: str) -> Iterable[Element]:
    """Elements in order, each under the headings that enclose it. A heading that only repeats the title opens no level."""
    open_headings: list[tuple[int, str]] = []
    start = 0
    path: tuple[str, ...] = ()
    for block in blocks:
        span = Span(start, start + len(block.text))
        start = span.end + len(SEPARATOR)
        kind = block.kind
        if kind in (ElementKind.TITLE, ElementKind.HEADING):
            level = 0 if kind is ElementKind.TITLE else (block.level or 1)
            while open_headings and open_headings[-1][0] >= level:
                open_headings.pop()
            path = tuple(text for _, text in open_headings)
            if _cut(block.text).casefold() == title.casefold() and not path:
                yield Element(span, ElementKind.TITLE, block.page, path)
                continue
            yield Element(span, kind, block.page, path)
            open_headings.append((level, _cut(block.text)))
            path = (*path, _cut(block.text))
            continue
        yield Element(span, kind, block.page, path)
