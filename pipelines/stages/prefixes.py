"""Prefixes: the title and headings that a passage is embedded and indexed with."""

from dataclasses import dataclass

from pipelines.stages.measure import Measure

SEPARATOR = " › "  # noqa: RUF001 -- a mark that headings themselves do not hold


@dataclass(frozen=True)
class Prefix:
    """A prefix and the headings (title included) that it holds whole, white space normalised."""

    text: str
    size: int
    holds: frozenset[str]


class Prefixes:
    """The prefixes of one document, each at most `share` tokens.

    Too long a path loses its outer headings first, the title never: the innermost heading says most about its text.
    """

    def __init__(self, title: str, measure: Measure, *, share: int) -> None:
        self._title = normalised(title)
        self._measure = measure
        self._share = share
        self._made: dict[tuple[str, ...], Prefix] = {}

    def of(self, path: tuple[str, ...]) -> Prefix:
        if path not in self._made:
            self._made[path] = self._make(path)
        return self._made[path]

    def _make(self, path: tuple[str, ...]) -> Prefix:
        parts = [part for part in map(normalised, path) if part]
        if self._title and parts[:1] != [self._title]:
            parts.insert(0, self._title)
        while len(parts) > 2 and self._size(parts) > self._share:
            del parts[1]
        if self._size(parts) <= self._share:
            return self._prefix(parts, parts)
        each = max(1, (self._share - self._measure.size(SEPARATOR)) // len(parts))
        clipped = [self._measure.clip(part, each) for part in parts]
        return self._prefix(clipped, parts)

    def _prefix(self, shown: list[str], meant: list[str]) -> Prefix:
        return Prefix(SEPARATOR.join(shown), self._size(shown), frozenset(shown) & frozenset(meant))

    def _size(self, parts: list[str]) -> int:
        return self._measure.size(SEPARATOR.join(parts) + "\n") if parts else 0


def normalised(text: str) -> str:
    """One line, single spaces."""
    return " ".join(text.split())
