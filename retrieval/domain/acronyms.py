"""Acronyms and what they stand for, where a text says both: "mean time between failures (MTBF)", "MTBF (mean time between failures)".

Schwartz and Hearst, "A Simple Algorithm for Identifying Abbreviation Definitions in Biomedical Text" (PSB 2003).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.domain.documents import Span

_BRACKETED = re.compile(r"\(([^()\n]{2,80})\)")
_SHORT = re.compile(r"[^\W_](?:[\w&./\-]{1,9})\Z")
_WORD_BEFORE = re.compile(r"\S+\s*\Z")
_LONGEST_WORDS = 12


@dataclass(frozen=True)
class Expansion:
    """Where a text writes an acronym and where what it stands for."""

    short: Span
    long: Span


def expansions(text: str) -> Iterator[Expansion]:
    """In the order of the brackets. Linear in the text."""
    for bracket in _BRACKETED.finditer(text):
        inside = bracket.group(1)
        before = text[max(0, bracket.start() - 200) : bracket.start()].rstrip()
        end = max(0, bracket.start() - 200) + len(before)
        if _is_short(inside):
            start = _long_start(inside, before)
            if start is not None:
                yield Expansion(Span(bracket.start(1), bracket.end(1)), Span(end - len(before) + start, end))
            continue
        short = _WORD_BEFORE.search(before)
        if short is not None and _is_short(short.group()) and _long_start(short.group(), inside) == 0:
            yield Expansion(Span(end - len(short.group()), end), Span(bracket.start(1), bracket.end(1)))


def _is_short(text: str) -> bool:
    """2 to 10 characters without spaces, two of them capitals."""
    return bool(_SHORT.match(text)) and sum(char.isupper() for char in text) >= 2


def _long_start(short: str, before: str) -> int | None:
    """Where the expansion starts that `before` ends with: each letter of the acronym found backwards, the first one opening a word."""
    words = min(len(short) + 5, len(short) * 2, _LONGEST_WORDS)
    least = len(before) - sum(len(word) + 1 for word in before.split()[-words:])
    at = len(before)
    for number, letter in reversed([(n, char.lower()) for n, char in enumerate(short) if char.isalnum()]):
        at = _found_backwards(before, letter, at, opening=number == 0)
        if at < max(least, 0):
            return None
    if short.lower() in before[at:].lower().split() or len(before) - at <= len(short):
        return None
    return at


def _found_backwards(text: str, letter: str, before: int, *, opening: bool) -> int:
    at = before - 1
    while at >= 0 and (text[at].lower() != letter or (opening and at > 0 and text[at - 1].isalnum())):
        at -= 1
    return at
