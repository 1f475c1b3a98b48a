"""Replacing personal data in a parsed document by the names of its kinds. Every span fits the text that comes out."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from pipelines.inspection.data import PersonalDatum
from pipelines.inspection.inspect import windows
from pipelines.inspection.personal import personal_data
from retrieval.domain.documents import Element, ParsedDocument, Span


@dataclass(frozen=True)
class Masked:
    """`counts`: of each kind, values replaced in the text, its title, headings and metadata."""

    document: ParsedDocument
    counts: Mapping[str, int]


def mask(document: ParsedDocument, kinds: Collection[str]) -> Masked:
    """The document with `[KIND]` in the place of each value of one of the kinds; none: of every kind."""
    found = _found(document.text, kinds)
    text, moved = _replaced(document.text, found)
    counts = Counter(datum.kind for datum in found)

    def short(value: str) -> str:
        data = _found(value, kinds)
        counts.update(datum.kind for datum in data)
        return _replaced(value, data)[0]

    elements = tuple(_moved(element, moved, tuple(map(short, element.heading_path))) for element in document.elements)
    metadata = {name: short(value) for name, value in document.metadata.items()}
    return Masked(replace(document, title=short(document.title), text=text, elements=elements, metadata=metadata), counts)


class _Moves:
    """Where characters of a text stand after values in it were replaced. What is inside a value stands behind its label."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._shifts: list[int] = []
        self._values: list[Span] = []

    def add(self, value: Span, label: str) -> None:
        shift = (self._shifts[-1] if self._shifts else 0) + len(label) - len(value)
        self._ends.append(value.end)
        self._shifts.append(shift)
        self._values.append(value)

    def __call__(self, at: int) -> int:
        before = bisect_right(self._ends, at)
        if before < len(self._values) and self._values[before].start < at:
            return self._values[before].end + self._shifts[before]
        return at + (self._shifts[before - 1] if before else 0)


def _found(text: str, kinds: Collection[str]) -> list[PersonalDatum]:
    found: list[PersonalDatum] = []
    start = 0
    for window in windows(text):
        wanted = [datum for datum in personal_data(window) if not kinds or datum.kind in kinds]
        found += [PersonalDatum(Span(datum.span.start + start, datum.span.end + start), datum.kind) for datum in wanted]
        start += len(window)
    return found


def _replaced(text: str, found: list[PersonalDatum]) -> tuple[str, _Moves]:
    pieces, last, moves = [], 0, _Moves()
    for datum in found:
        label = f"[{datum.kind}]"
        pieces += [text[last : datum.span.start], label]
        last = datum.span.end
        moves.add(datum.span, label)
    return "".join([*pieces, text[last:]]), moves


def _moved(element: Element, moved: _Moves, headings: tuple[str, ...]) -> Element:
    return replace(element, span=Span(moved(element.span.start), moved(element.span.end)), heading_path=headings)
