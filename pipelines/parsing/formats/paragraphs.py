"""Lines of plain text to paragraphs and list items."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pipelines.parsing.canonical import Block
from retrieval.domain.documents import ElementKind

BULLET = re.compile(r"\s*(?:[-*•‣▪●◦\u2013]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
"""A line that starts a list item."""

_FILLED_CHARACTERS = 45
_LONGEST_FILLED = 110


def paragraphs(text: str, *, page: int | None = None) -> Iterator[Block]:
    """Blocks of text between blank lines; a list gives one block per item."""
    for lines in _groups(text.splitlines()):
        if sum(BULLET.match(line) is not None for line in lines) >= 2 or (len(lines) == 1 and BULLET.match(lines[0])):
            yield from _items(lines, page)
        else:
            yield Block(ElementKind.TEXT, unwrap(lines), page)


def unwrap(lines: Sequence[str]) -> str:
    """A paragraph on one line where its lines were filled to a margin; with its line breaks where they carry meaning."""
    filled = all(_FILLED_CHARACTERS <= len(line.rstrip()) <= _LONGEST_FILLED for line in lines[:-1])
    return (" " if filled else "\n").join(line.strip() for line in lines)


def _groups(lines: Iterable[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for line in lines:
        if line.strip():
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _items(lines: Sequence[str], page: int | None) -> Iterator[Block]:
    """Each bulleted line with the lines that continue it; what stands before the first bullet is text."""
    item: list[str] = []
    kind = ElementKind.TEXT
    for line in lines:
        if BULLET.match(line):
            if item:
                yield Block(kind, unwrap(item), page)
            item, kind = [], ElementKind.LIST_ITEM
        item.append(line)
    yield Block(kind, unwrap(item), page)
