"""Whether a passage supports a claim that a model has worded: by its words, without a model, made to refuse what it cannot tell.

A claim that stands in a passage as it is, is a quote. Otherwise the claim needs a sentence, or two neighbouring ones, that hold nearly all
of its words (`LEAST_COVERAGE`) and stand by each number, name, quoted string and direction of it (`domain.commitments`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retrieval.domain.answers import AnswerSentence, Citation, Verdict
from retrieval.domain.commitments import stands_by
from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.terms import terms
from retrieval.domain.units import units

LEAST_COVERAGE = 0.9
"""Share of the claim's terms that a span must hold. Chosen on half of CLAP NQ's long answers; the other half is what is reported."""
LEAST_TERMS = 2
"""A claim with fewer terms says too little to be supported by words, unless it is a whole sentence of the passage."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")


@dataclass(frozen=True)
class _Place:
    """A span of a passage's text and the share of the claim's terms that it holds."""

    passage: ReadablePassage
    within: Span
    coverage: float

    @property
    def text(self) -> str:
        return self.within.of(self.passage.text)


def supported(claim: str, labels: Sequence[str], passages: Mapping[str, ReadablePassage]) -> AnswerSentence:
    """The claim with the citation of what supports it, or without one and the verdict `unsupported`.

    Args:
        claim: one plain sentence.
        labels: of the passages that it names; only those may support it. Without any, every passage may.
        passages: by label, what the model was given; each has passed the gate.
    """
    given = [passages[label] for label in dict.fromkeys(labels) if label in passages] if labels else list(passages.values())
    quote = next((place for passage in given if (place := _quoted(claim, passage)) is not None), None)
    if quote is not None:
        return AnswerSentence(quote.text, Citation.of(quote.passage, within=quote.within), 1.0, Verdict.QUOTED)
    for place in _places(claim, given):
        if stands_by(claim, place.text):
            return AnswerSentence(claim, Citation.of(place.passage, within=place.within), place.coverage, Verdict.SUPPORTED)
    return AnswerSentence(claim, None, 0.0, Verdict.UNSUPPORTED)


def _quoted(claim: str, passage: ReadablePassage) -> _Place | None:
    """Where the claim stands word for word, white space aside: as whole sentences, or as a part of one that says the same."""
    pieces = claim.split()
    if not pieces:
        return None
    cut = list(units(passage.text))
    for found in re.finditer(r"\s+".join(map(re.escape, pieces)), passage.text):
        within = Span(*found.span())
        if within.start in {unit.start for unit in cut} and within.end in {unit.end for unit in cut}:
            return _Place(passage, within, 1.0)
        around = _around(cut, within)
        if around is not None and len(_terms(claim)) >= LEAST_TERMS and stands_by(claim, around.of(passage.text)):
            return _Place(passage, within, 1.0)
    return None


def _around(cut: Sequence[Span], within: Span) -> Span | None:
    """The whole sentences that a part stands in."""
    touched = [unit for unit in cut if unit.start < within.end and within.start < unit.end]
    return Span(touched[0].start, touched[-1].end) if touched else None


def _places(claim: str, given: Sequence[ReadablePassage]) -> list[_Place]:
    """Spans with enough of the claim's terms, most first, shorter first, ties by passage id and position."""
    wanted = _terms(claim)
    if len(wanted) < LEAST_TERMS:
        return []
    found = [
        _Place(passage, within, len(wanted & _terms(within.of(passage.text))) / len(wanted))
        for passage in given
        for within in _spans(passage.text)
    ]
    enough = [place for place in found if place.coverage >= LEAST_COVERAGE]
    return sorted(enough, key=lambda place: (-place.coverage, len(place.within), place.passage.id, place.within.start))


def _terms(text: str) -> frozenset[str]:
    """With `1,000` as one term, the same as `1000`."""
    return frozenset(terms(_THOUSANDS.sub("", text)))


def _spans(text: str) -> Iterator[Span]:
    """Each sentence, and each two neighbouring ones."""
    cut = list(units(text))
    yield from cut
    for one, other in pairwise(cut):
        yield Span(one.start, other.end)
