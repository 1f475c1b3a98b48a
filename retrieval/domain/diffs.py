"""What changed between two texts: line by line, with the place of each change in both."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.domain.documents import Span


@dataclass(frozen=True)
class Hunk:
    """One changed place. `removed` stands at `before` of the first text, `added` at `after` of the second; cut where they are too long."""

    before: Span
    after: Span
    removed: str
    added: str


@dataclass(frozen=True)
class TextDiff:
    """All changed places in their order. `is_whole`: none is left out or cut."""

    hunks: tuple[Hunk, ...]
    is_whole: bool


def differences(before: str, after: str, *, max_hunks: int, max_hunk_characters: int) -> TextDiff:
    """The lines that differ, found by `difflib`. `max_hunks` places are told, `max_hunk_characters` of each of their sides."""
    found = list(_changed(before, after))
    shown = tuple(
        Hunk(old, new, old.of(before)[:max_hunk_characters], new.of(after)[:max_hunk_characters]) for old, new in found[:max_hunks]
    )
    is_whole = len(found) <= max_hunks and all(max(len(h.before), len(h.after)) <= max_hunk_characters for h in shown)
    return TextDiff(shown, is_whole)


def _changed(before: str, after: str) -> Iterator[tuple[Span, Span]]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts_old, starts_new = _starts(old), _starts(new)
    for tag, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            yield Span(starts_old[old_from], starts_old[old_to]), Span(starts_new[new_from], starts_new[new_to])


def _starts(lines: list[str]) -> list[int]:
    """Where each line starts, and the last one ends."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts
