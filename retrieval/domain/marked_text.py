"""A generator's output without its marks: citation marks are taken out and remembered, datamarks become what they stood for.

The output is read as it comes, and what comes of it does not depend on how it was cut into pieces.
"""

import re
from collections.abc import Iterator

from retrieval.domain.documents import Span
from retrieval.domain.visible_text import OPENING_BRACKETS

LONGEST_MARK = 100
"""Characters of a citation mark. While an opening bracket has fewer behind it, its end may still come."""
MOST_IN_RANGE = 20
"""Labels that a mark such as `[2-5]` stands for at most."""

_BRACKETS = re.compile(f"[{OPENING_BRACKETS}]")
_NUMBERS = re.compile(r"(\d+)(?:\D*[-\u2013]\D*(\d+))?")


class MarkedText:
    """What has been read and not dropped yet.

    Attributes:
        text: without marks.
    """

    def __init__(self, marker: str) -> None:
        """For the output of a task whose passages carry the datamark `marker`."""
        self.text = ""
        self._marker = marker
        self._opening = re.compile(rf"[\[\u3010]|{re.escape(marker[0])}")
        self._citation = _citation_pattern(marker)
        self._pending = ""
        self._read = 0
        """Characters of the output in front of `_pending`."""
        self._origins: list[int] = []
        """Of each character of `text`: where it stands in the output."""
        self._marks: list[tuple[int, tuple[str, ...]]] = []
        """Where in `text` a citation mark was taken out, and its labels."""

    def add(self, characters: str, *, ended: bool = False) -> None:
        """Read further characters of the output; with `ended`, all that is left."""
        self._pending += characters
        at = 0
        while at < len(self._pending):
            opening = self._opening.search(self._pending, at)
            until = len(self._pending) if opening is None else opening.start()
            self._keep(at, until)
            at = until
            if opening is None or (self._may_go_on(at) and not ended):
                break
            at = self._after_opening(at)
        self._read += at
        self._pending = self._pending[at:]

    def drop(self, until: int) -> None:
        """Forget the first `until` characters of the text, with the marks in them and right behind them."""
        self.text = self.text[until:]
        del self._origins[:until]
        self._marks = [(at - until, labels) for at, labels in self._marks if at > until]

    def labels(self, until: int) -> tuple[str, ...]:
        """Labels of the marks up to and right behind character `until`, in order, each once."""
        return tuple(dict.fromkeys(label for at, labels in self._marks if at <= until for label in labels))

    def origin(self, span: Span) -> Span:
        """Where the characters `span` of the text, at least one, stand in the output."""
        return Span(self._origins[span.start], self._origins[span.end - 1] + 1)

    def _keep(self, start: int, end: int) -> None:
        self.text += self._pending[start:end]
        self._origins.extend(range(self._read + start, self._read + end))

    def _may_go_on(self, at: int) -> bool:
        """Whether more characters could make another mark of what begins at `at`."""
        rest = self._pending[at : at + LONGEST_MARK]
        if rest[0] == self._marker[0]:
            return len(rest) < len(self._marker) and self._marker.startswith(rest)
        found = self._citation.match(self._pending, at)
        return len(rest) < LONGEST_MARK and (found is None or found.end() == len(self._pending))

    def _after_opening(self, at: int) -> int:
        """Read the mark that begins at `at`, or one character where none does; where to read on."""
        if self._pending.startswith(self._marker, at):
            self._unmark(at)
            return at + len(self._marker)
        found = self._citation.match(self._pending, at, at + LONGEST_MARK)
        if found is None:
            self._keep(at, at + 1)
            return at + 1
        written = (found["plain"] or found["corner"]).replace(self._marker, " ")
        self._marks.append((len(self.text), tuple(_labels(written))))
        return found.end()

    def _unmark(self, at: int) -> None:
        """A blank for the datamark at `at`; nothing right behind a bracket, where it stands for nothing."""
        is_behind_bracket = self.text and self._origins[-1] == self._read + at - 1 and _BRACKETS.match(self.text[-1])
        if not is_behind_bracket:
            self.text += " "
            self._origins.append(self._read + at)


def _citation_pattern(marker: str) -> re.Pattern[str]:
    """`[1]`, `[1, 3]`, `[2-4]`, `[^1]`, `[[1]]` and `\u30101\u2020source\u3011`, with datamarks in them as in any copied text."""
    gap = rf"(?:\s|{re.escape(marker)}){{0,2}}"
    number = rf"{gap}\^?\d{{1,8}}{gap}"
    numbers = rf"{number}(?:[,;\u2013-]{number}){{0,9}}"
    return re.compile(rf"\[{{1,2}}(?P<plain>{numbers})\]{{1,2}}|\u3010(?P<corner>{number})[^\u3010\u3011]{{0,40}}\u3011")


def _labels(written: str) -> Iterator[str]:
    for first, last in _NUMBERS.findall(written):
        yield from (str(label) for label in range(int(first), min(int(last or first), int(first) + MOST_IN_RANGE) + 1))
