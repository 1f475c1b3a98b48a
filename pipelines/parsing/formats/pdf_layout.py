"""Lines of PDF pages to paragraphs, list items and headings, by where the lines stand and how high their letters are."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipelines.parsing.canonical import Block
from pipelines.parsing.formats.paragraphs import BULLET
from retrieval.domain.documents import ElementKind

_LINE_END_HYPHEN = "\ufffe"
"""What pdfium puts where a word was hyphenated at a line's end; the rest of the word follows directly."""
_FURTHEST_DRIFT = 12
_HEADING_GROWTH = 1.15
_HEADING_CHARACTERS = 150
_HEADING_LINES = 3
_HEADING_LEVELS = 4
_LARGEST_HEADING_SHARE = 0.3
_SENTENCE_END = (".", "!", "?", ":", ";", ".”", '."', ".)")


@dataclass(frozen=True)
class PageLine:
    """One visual line. Distances are in points from the page's lower left; `size` is the height of its letters."""

    text: str
    page: int
    left: float
    right: float
    bottom: float
    top: float

    @property
    def size(self) -> float:
        return max(self.top - self.bottom, 0.1)


def page_lines(page: pdfium.PdfPage, number: int) -> Iterator[PageLine]:
    """A page's lines in reading order, pieces that stand on one row joined."""
    textpage = page.get_textpage()
    text: str = textpage.get_text_range()
    row: PageLine | None = None
    index = 0
    for piece in text.split("\r\n"):
        index = _locate(textpage, piece, index)
        line = _placed(textpage, piece, index, number)
        index += len(piece) + 2
        if line is None:
            continue
        if row is not None and _on_one_row(row, line):
            row = _joined(row, line)
            continue
        if row is not None:
            yield row
        row = line
    if row is not None:
        yield row
    textpage.close()


def _locate(textpage: pdfium.PdfTextPage, piece: str, index: int) -> int:
    """Where a piece starts among pdfium's characters, which now and then has one that the text has not, or lacks one."""
    wanted = piece[:3].encode("utf-16-le")
    wanted_units = [int.from_bytes(wanted[at : at + 2], "little") for at in range(0, len(wanted), 2)][:3]
    for drift in sorted(range(-_FURTHEST_DRIFT, _FURTHEST_DRIFT + 1), key=abs):
        start = index + drift
        if start >= 0 and all(pdfium_c.FPDFText_GetUnicode(textpage, start + at) == unit for at, unit in enumerate(wanted_units)):
            return start
    return index


def _placed(textpage: pdfium.PdfTextPage, piece: str, index: int, number: int) -> PageLine | None:
    text = piece.strip()
    if not text:
        return None
    indent = len(piece) - len(piece.lstrip())
    first = _box(textpage, index + indent)
    last = _box(textpage, index + indent + len(text) - 1)
    if _LINE_END_HYPHEN in text:  # the piece goes on in a second line: its right end is not this line's
        return PageLine(
            text,
            number,
            first.left,
            max(first.right, last.right),
            min(first.bottom, last.bottom),
            min(first.bottom, last.bottom) + first.top - first.bottom,
        )
    return PageLine(text, number, first.left, max(first.left, last.right), first.bottom, first.top)


def _box(textpage: pdfium.PdfTextPage, index: int) -> pdfium_c.FS_RECTF:
    box = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(box))
    return box


def _on_one_row(row: PageLine, line: PageLine) -> bool:
    shared = min(row.top, line.top) - max(row.bottom, line.bottom)
    return shared > 0.5 * min(row.size, line.size) and line.left >= row.right - 0.5 * row.size and _LINE_END_HYPHEN not in row.text


def _joined(row: PageLine, line: PageLine) -> PageLine:
    gap = "" if line.left - row.right < 0.15 * max(row.size, line.size) else " "
    widest = row if len(row.text) >= len(line.text) else line
    return PageLine(row.text + gap + line.text, row.page, row.left, line.right, widest.bottom, widest.top)


def blocks_of(lines: Sequence[PageLine]) -> list[Block]:
    """A document's lines as blocks; no block crosses a page."""
    if not lines:
        return []
    words = _Words(lines)
    body = _usual_size(lines)
    pitch = _usual_pitch(lines, body)
    groups = [group for _, page in groupby(lines, key=lambda line: line.page) for group in _grouped(list(page), pitch)]
    levels = _heading_levels(groups, body)
    return [_block(group, levels, words) for group in groups]


def _usual_size(lines: Iterable[PageLine]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[_rounded(line.size)] += len(line.text)
    return sizes.most_common(1)[0][0]


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _usual_pitch(lines: Sequence[PageLine], body: float) -> float:
    """The distance from line to line in running text, in letter heights."""
    pitches = [
        (above.bottom - below.bottom) / body
        for above, below in pairwise(lines)
        if above.page == below.page
        and _rounded(above.size) == _rounded(below.size) == body
        and 0 < above.bottom - below.bottom < 2.2 * body
    ]
    return median(pitches) if pitches else 1.2


def _grouped(lines: Sequence[PageLine], pitch: float) -> Iterator[list[PageLine]]:
    group = [lines[0]]
    for line in lines[1:]:
        if _starts_block(group, line, pitch):
            yield group
            group = []
        group.append(line)
    yield group


def _starts_block(group: Sequence[PageLine], line: PageLine, pitch: float) -> bool:
    previous = group[-1]
    unfinished = not previous.text.endswith(_SENTENCE_END) and line.text[0].islower()
    if not 1 / 1.12 < line.size / previous.size < 1.12:
        return not (unfinished and 0.8 < line.size / previous.size < 1.25)
    distance = (previous.bottom - line.bottom) / previous.size
    if distance < -0.5:  # the next column
        return not unfinished
    if distance > 1.3 * pitch or BULLET.match(line.text):
        return True
    if not previous.text.endswith(_SENTENCE_END):
        return False
    widest = max(member.right for member in group)
    ends_short = previous.right < widest - 0.15 * (widest - previous.left)
    indented = len(group) > 1 and line.left > previous.left + 0.8 * line.size
    return ends_short or indented


def _heading_levels(groups: Sequence[Sequence[PageLine]], body: float) -> dict[float, int]:
    """Level by letter height, largest first. Where large letters are no exception, they mark no headings."""
    candidates = [_rounded(group[0].size) for group in groups if _may_be_heading(group, body)]
    if len(candidates) > max(3, _LARGEST_HEADING_SHARE * len(groups)):
        return {}
    return {size: min(level, _HEADING_LEVELS) for level, size in enumerate(sorted(set(candidates), reverse=True), 1)}


def _may_be_heading(group: Sequence[PageLine], body: float) -> bool:
    text = " ".join(line.text for line in group)
    return (
        group[0].size >= _HEADING_GROWTH * body
        and len(group) <= _HEADING_LINES
        and len(text) <= _HEADING_CHARACTERS
        and sum(c.isalpha() for c in text) >= 3
        and not text.endswith((".", ",", ";"))
    )


def _block(group: Sequence[PageLine], levels: dict[float, int], words: "_Words") -> Block:
    page, size = group[0].page, _rounded(group[0].size)
    text = words.mended(_unwrapped(group))
    if size in levels and _may_be_heading(group, size / _HEADING_GROWTH):
        return Block(ElementKind.HEADING, " ".join(text.split()), page, levels[size])
    return Block(ElementKind.LIST_ITEM if BULLET.match(text) else ElementKind.TEXT, text, page)


def _unwrapped(group: Sequence[PageLine]) -> str:
    """On one line where the lines fill the column; with line breaks where they look like rows of a table or of an address."""
    left, right = min(line.left for line in group), max(line.right for line in group)
    filled = all(line.right >= left + 0.75 * (right - left) or _LINE_END_HYPHEN in line.text for line in group[:-1])
    running = filled and not _is_tabular(group)
    return (" " if running else "\n").join(line.text for line in group)


def _is_tabular(group: Sequence[PageLine]) -> bool:
    parts = [part for line in group for part in line.text.split()]
    numbers = sum(part[0].isdigit() or part[0] in "$€£(+-−–%" for part in parts)
    return len(group) > 1 and numbers > 0.4 * len(parts)


class _Words:
    """The document's own words decide whether a hyphen at a line's end belongs to the word."""

    _WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
    _BROKEN = re.compile(r"([^\W\d_]+)(?:\ufffe|[-\u00ad\u2010][ \n](?=[a-zß-öø-ÿ]))([^\W\d_]+)?")

    def __init__(self, lines: Iterable[PageLine]) -> None:
        self._known = {word.lower() for line in lines for word in self._WORD.findall(line.text)}

    def mended(self, text: str) -> str:
        if _LINE_END_HYPHEN not in text and "-" not in text and "\u00ad" not in text and "\u2010" not in text:
            return text
        return self._BROKEN.sub(self._mend, text).replace(_LINE_END_HYPHEN, "-")

    def _mend(self, match: re.Match[str]) -> str:
        before, after = match.group(1), match.group(2) or ""
        whole, hyphenated = before + after, f"{before}-{after}"
        if whole.lower() in self._known or not after:
            return whole if after else hyphenated
        keeps = hyphenated.lower() in self._known or not after[0].islower() or len(before) == 1
        return hyphenated if keeps else whole
