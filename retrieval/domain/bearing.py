"""How well a passage's words around a mention bear on a query: of twenty people on a film's page, who is said to have directed it.

A query's word counts where the mention's sentence has it or a word with the same stem, the more the nearer; words in front of a mention
count more than those behind it, because what somebody is mostly stands before the name.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence

from retrieval.domain.documents import Span
from retrieval.domain.query_names import QueryName
from retrieval.domain.terms import terms, words

HALVED_AFTER = 24
"""Characters between word and mention that halve what the word counts."""
BEHIND = 0.7
"""What a word behind the mention counts beside one in front."""
_COMMON_PREFIX = 5
_COMMON_SHARE = 0.6
_WORD = re.compile(r"\w+")
_BREAK = re.compile(r"[.!?。！？]\s|\n\s*\n")  # noqa: RUF001 - full-width marks


def relation_words(query: str, names: Sequence[QueryName]) -> frozenset[str]:
    """The words of the query that say something and are no part of a name in it."""
    rest, at = [], 0
    for name in names:
        rest.append(query[at : name.span.start])
        at = name.span.end
    rest.append(query[at:])
    return frozenset(word for part in rest for word in words(part) if terms(word))


def bearings(asked: frozenset[str], text: str, spans: Sequence[Span | None]) -> list[float]:
    """For each span, 0 (none of the words near it) to 1 (all of them right before it); 0 without a span."""
    if not asked:
        return [0.0] * len(spans)
    matched = [(match.start(), match.end(), word) for match in _WORD.finditer(text) if (word := _asked(match.group().lower(), asked))]
    if not matched:
        return [0.0] * len(spans)
    breaks = [match.start() for match in _BREAK.finditer(text)]
    return [0.0 if span is None else _bearing(span, matched, breaks) / len(asked) for span in spans]


def _bearing(span: Span, matched: list[tuple[int, int, str]], breaks: list[int]) -> float:
    best: dict[str, float] = {}
    sentence = bisect_left(breaks, span.start)
    for start, end, word in matched:
        if bisect_left(breaks, start) != sentence or (start < span.end and span.start < end):
            continue
        distance = span.start - end if end <= span.start else start - span.end
        worth = (1.0 if end <= span.start else BEHIND) / (1 + distance / HALVED_AFTER)
        best[word] = max(best.get(word, 0.0), worth)
    return sum(best.values())


def _asked(word: str, asked: frozenset[str]) -> str | None:
    """The query's word that has this one's stem."""
    if word in asked:
        return word
    if len(word) < _COMMON_PREFIX:
        return None
    opening = word[:_COMMON_PREFIX]
    for other in sorted(asked):
        if other.startswith(opening) and _common(word, other) >= _COMMON_SHARE * max(len(word), len(other)):
            return other
    return None


def _common(one: str, other: str) -> int:
    return next((at for at, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs), min(len(one), len(other)))
