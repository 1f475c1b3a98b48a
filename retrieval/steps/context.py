"""Passages in the context of the other hits: near duplicates collapsed into the best of them, neighbours joined to one stretch of text.

Both look at nothing but the hits that they are given, all of which have passed the gate.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage, Stretch
from retrieval.domain.terms import NEGATIONS, words

SHINGLE_WORDS = 4
"""Broder, "On the resemblance and containment of documents" (SEQUENCES 1997), calls so many neighbouring words a shingle."""
DUPLICATE_CONTAINMENT = 0.9
"""A passage with this part of its shingles in a better one says nothing new, unless they differ in a number or a negation."""

_NUMBER = re.compile(r"\d+")
_NEGATING = frozenset(f"{before}{word}{after}" for word in NEGATIONS for before in ("", "(", '"') for after in ("", *',.;:!?)"'))
"""With the marks that may stand beside a word between spaces: taking them off each word would cost most of the step."""


def collapse(passages: Sequence[ReadablePassage]) -> Mapping[str, tuple[ReadablePassage, ...]]:
    """The ids of those that say something new, in order, each with its near duplicates, in order.

    Args:
        passages: best first.
    """
    said = {passage.id: _numbers_and_negations(passage.text) for passage in passages}
    alike = Counter(said.values())
    kept: dict[str, list[ReadablePassage]] = {}
    with_shingle: dict[tuple[str, ...], list[str]] = {}
    for passage in passages:
        shingles = _shingles(passage.text) if alike[said[passage.id]] > 1 else frozenset()
        shared = Counter(other for shingle in shingles for other in with_shingle.get(shingle, ()))
        enough = max(1.0, DUPLICATE_CONTAINMENT * len(shingles))
        best = next((other for other in kept if shared[other] >= enough and said[other] == said[passage.id]), None)
        if best is not None:
            kept[best].append(passage)
            continue
        kept[passage.id] = []
        for shingle in shingles:
            with_shingle.setdefault(shingle, []).append(passage.id)
    return {id_: tuple(duplicates) for id_, duplicates in kept.items()}


def stretches(passages: Sequence[ReadablePassage], *, max_characters: int) -> Mapping[str, Stretch]:
    """What neighbouring passages cover together, by the id of the best among them; nothing for a passage without neighbours.

    Neighbours follow one another in one document version. A stretch grows from its best passage to either side.

    Args:
        passages: best first.
        max_characters: longest stretch.
    """
    free = {(passage.version, passage.ordinal): passage for passage in passages}
    found: dict[str, Stretch] = {}
    for passage in passages:
        if free.pop((passage.version, passage.ordinal), None) is None:
            continue
        span = passage.span
        for step in (-1, 1):
            ordinal = passage.ordinal + step
            while (neighbour := free.get((passage.version, ordinal))) is not None:
                wider = Span(min(span.start, neighbour.span.start), max(span.end, neighbour.span.end))
                if len(wider) > max_characters:
                    break
                span = wider
                del free[passage.version, ordinal]
                ordinal += step
        if span != passage.span:
            found[passage.id] = Stretch(passage.document, passage.version, span)
    return found


def _numbers_and_negations(text: str) -> tuple[str, ...]:
    return (*_NUMBER.findall(text), *(word for word in text.lower().split() if word in _NEGATING))


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    said = words(text)
    return frozenset(zip(*(said[at:] for at in range(SHINGLE_WORDS)), strict=False))
