"""Lines of PDF pages to paragraphs, list items and headings, by where the lines stand and how high their letters are."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median, quantiles

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipelines.parsing.canonical import Block
from pipelines.parsing.formats.paragraphs import BULLET
from retrieval.domain.documents import ElementKind

_LINE_END_HYPHEN = "\ufffe"
"""What pdfium puts where a word was hyphenated at a line's end; the rest of the word follows directly."""
_DOT_LEADER = re.compile(r"(?:\. ?){5,}")
"""The dots that lead the eye from a chapter to its page number."""
_FURTHEST_DRIFT = 12
_HEADING_GROWTH = 1.15
_HEADING_CHARACTERS = 150
_HEADING_LINES = 3
_HEADING_LEVELS = 4
_LARGEST_HEADING_SHARE = 0.3
_CONTINUATION = ",.;:)"
_SENTENCE_END = (".", "!", "?", ":", ";", ".”", '."', ".)")


@dataclass(frozen=True)
class PageLine:
    """One visual line. Distances are in points from the page's lower left; `bottom` is where letters stand, `size` their height."""

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
    row: PageLine | None = None
    for piece, index in _pieces(textpage):
        line = _placed(textpage, piece, index, number)
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


def _pieces(textpage: pdfium.PdfTextPage) -> Iterator[tuple[str, int]]:
    """Stretches of text that lie on one line, each with the number of its first character."""
    index = 0
    for piece in textpage.get_text_range().split("\r\n"):
        index = _locate(textpage, piece, index)
        start = 0
        for end in [*(at + 1 for at, character in enumerate(piece) if character == _LINE_END_HYPHEN), len(piece)]:
            yield piece[start:end], index + start
            start = end
        index += len(piece) + 2


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
    """The piece with its place. Three of its letters vote on the size, as any one may be raised or in another font."""
    text = piece.strip()
    if not text:
        return None
    start = index + len(piece) - len(piece.lstrip())
    solid = [start + at for at, character in enumerate(text) if not character.isspace() and character != _LINE_END_HYPHEN]
    voters = [solid[0], solid[len(solid) // 2], solid[-1]] if solid else [start]
    boxes = [_box(textpage, voter) for voter in voters]
    size = max(median(box.top - box.bottom for box in boxes), 0.1)
    bottom = median(_baseline(textpage, voter) for voter in voters)
    shown = _DOT_LEADER.sub(" … ", text)
    return PageLine(shown, number, left=boxes[0].left, right=max(boxes[0].left, boxes[-1].right), bottom=bottom, top=bottom + size)


def _box(textpage: pdfium.PdfTextPage, index: int) -> pdfium_c.FS_RECTF:
    box = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(box))
    return box


def _baseline(textpage: pdfium.PdfTextPage, index: int) -> float:
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium_c.FPDFText_GetCharOrigin(textpage, index, ctypes.byref(x), ctypes.byref(y))
    return y.value


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
    return [_block(group, body, levels, words) for group in groups]


def _usual_size(lines: Iterable[PageLine]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[_rounded(line.size)] += len(line.text)
    return sizes.most_common(1)[0][0]


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _usual_pitch(lines: Sequence[PageLine], body: float) -> float:
    """The distance from line to line in running text, in letter heights: the lower quartile, as gaps between paragraphs are among them."""
    pitches = [
        (above.bottom - below.bottom) / body
        for above, below in pairwise(lines)
        if above.page == below.page
        and _rounded(above.size) == _rounded(below.size) == body
        and 0 < above.bottom - below.bottom < 2.2 * body
    ]
    return min(quantiles(pitches, n=4)[0] if len(pitches) > 1 else 1.2, 1.6)


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
    unfinished = line.text[0] in _CONTINUATION or (not previous.text.endswith(_SENTENCE_END) and line.text[0].islower())
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


def _block(group: Sequence[PageLine], body: float, levels: dict[float, int], words: "_Words") -> Block:
    page, size = group[0].page, _rounded(group[0].size)
    text = words.mended(_unwrapped(group))
    if size in levels and _may_be_heading(group, body):
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
    numbers = sum(part[0].isdigit() or part[0] in "$€£(+-\u2212\u2013%" for part in parts)
    return len(group) > 1 and (numbers > 0.4 * len(parts) or sum("…" in line.text for line in group) > 1)


class _Words:
    """The document's own words decide whether a hyphen at a line's end belongs to the word."""

    _WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
    _BROKEN = re.compile(r"([^\W\d_]+)(?:\ufffe[ \n]?|[-\u00ad\u2010][ \n](?=[a-zß-öø-ÿ]))([^\W\d_]+)?")

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
