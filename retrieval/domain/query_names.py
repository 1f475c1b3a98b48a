"""Which names a query may hold: every stretch of its words, to be looked up among the names that are known."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from retrieval.domain.documents import Span
from retrieval.domain.terms import terms

LONGEST_NAME_WORDS = 12
LOOKED_AT_WORDS = 64
"""A longer query is read up to here: it is a text, not a question."""
_WORD = re.compile(r"\w+")
_AFTER = re.compile(r"[!?.)\]]{1,2}")
_LONE_NAME = 0.75
"""What a name of one word is worth beside one of several: it may be a word like any other."""


@dataclass(frozen=True)
class Candidate:
    """A stretch of the query. `words`: how many of its words say something."""

    span: Span
    text: str
    words: int


@dataclass(frozen=True)
class QueryName:
    """A name that the query holds. `strength`, 0 to 1: how much of the query the names are, less where a name is one word."""

    span: Span
    text: str
    strength: float


def candidates(query: str) -> Iterator[Candidate]:
    """The stretches that may be names, each with and without the mark behind it.

    A single word may be a name where it is written with a capital inside the query.
    """
    words = [match.span() for match in _WORD.finditer(query)][:LOOKED_AT_WORDS]
    telling = [bool(terms(query[start:end])) for start, end in words]
    for first, (start, _) in enumerate(words):
        for last in range(first, min(len(words), first + LONGEST_NAME_WORDS)):
            count = sum(telling[first : last + 1])
            end = words[last][1]
            if count >= 2 or (count == 1 and _stands_out(query, words[first : last + 1])):
                yield Candidate(Span(start, end), query[start:end], count)
                if (mark := _AFTER.match(query, end)) is not None:
                    for further in range(end + 1, mark.end() + 1):
                        yield Candidate(Span(start, further), query[start:further], count)


def chosen(query: str, known: Collection[Candidate]) -> tuple[QueryName, ...]:
    """Of the candidates that are known names the longest ones, none inside another, in the order of the query."""
    kept: list[Candidate] = []
    for candidate in sorted(known, key=lambda one: (-len(one.span), one.span.start)):
        if not any(candidate.span.start < other.span.end and other.span.start < candidate.span.end for other in kept):
            kept.append(candidate)
    share = min(1.0, 2 * sum(candidate.words for candidate in kept) / max(1, len(terms(query))))
    return tuple(
        QueryName(one.span, one.text, share * (1.0 if one.words > 1 else _LONE_NAME)) for one in sorted(kept, key=lambda one: one.span)
    )


def _stands_out(query: str, words: list[tuple[int, int]]) -> bool:
    return any(start > 0 and query[start].isupper() and end - start > 1 for start, end in words)
