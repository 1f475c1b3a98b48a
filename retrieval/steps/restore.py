"""Texts for what was kept without its text: read again, through the gate, for everybody who is to see it."""

from collections.abc import Iterable, Mapping, Sequence

from retrieval.domain.answers import AnswerSentence, Citation
from retrieval.domain.documents import Span
from retrieval.domain.escalations import CitedSpan, HeldSentence
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage, Stretch
from retrieval.domain.permissions import Principal
from retrieval.ports.reading import Candidate, GateReader
from retrieval.ports.reviewing import PassagePlace

Passages = Mapping[str, ReadablePassage]
"""By id."""


def readable_by_all(gate: GateReader, principals: Sequence[Principal], places: Iterable[PassagePlace]) -> Passages:
    """The passages that each of the principals may read now. Whoever is to see them is the last to be asked for.

    Raises:
        CatalogUnavailable: the catalog cannot be read.
    """
    stretches = {place.passage: Stretch(place.document, place.version, Span(place.start, place.end)) for place in places}
    texts = gate.extracts(principals[0], list(stretches.values())) if stretches else {}
    candidates = [Candidate(passage, texts[stretch]) for passage, stretch in stretches.items() if stretch in texts]
    readable: tuple[ReadablePassage, ...] = ()
    for principal in principals:
        readable = gate.gate(principal, candidates).readable if candidates else ()
        candidates = [Candidate(passage.id, passage.text) for passage in readable]
    return {passage.id: passage for passage in readable}


def restored(sentence: HeldSentence, passages: Passages) -> AnswerSentence | None:
    """The sentence with everything that it cites; None when any of that is not there, or not what it was."""
    citations = [restored_citation(cited, passages) for cited in sentence.cites]
    found = [citation for citation in citations if citation is not None]
    if len(found) < len(citations):
        return None
    first, also = (found[0], tuple(found[1:])) if found else (None, ())
    return AnswerSentence(sentence.text, first, sentence.support, sentence.verdict, also)


def restored_citation(cited: CitedSpan, passages: Passages) -> Citation | None:
    passage = passages.get(cited.passage)
    if passage is None or passage.version != cited.version or not passage.span.contains(cited.span):
        return None
    within = Span(cited.span.start - passage.span.start, cited.span.end - passage.span.start)
    return Citation.of(passage, within=within) if text_hash(within.of(passage.text)) == cited.quote_hash else None


def cited_passages(sentences: Iterable[HeldSentence]) -> set[str]:
    return {cited.passage for sentence in sentences for cited in sentence.cites}
