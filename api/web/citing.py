"""Sentences and their citations as pages show them: numbered, each linked to where its quote stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from api.web.sessions import PATH
from retrieval.domain.answers import Answer, AnswerSentence, Citation, Conflict, Verdict

SPAN = "span"
"""Id of the first marked stretch of a document's page."""


@dataclass(frozen=True)
class CitedSource:
    """One citation. `modified_at` as the source says, None where it does not."""

    number: int
    citation: Citation
    modified_at: str | None

    @property
    def address(self) -> str:
        return address_of(self.citation)


@dataclass(frozen=True)
class NumberedSentence:
    """A sentence with the numbers of its citations."""

    text: str
    verdict: Verdict
    sources: tuple[CitedSource, ...]


@dataclass(frozen=True)
class Contradiction:
    """Two sources that contradict each other on what is asked, each with its authority, 0 to 100."""

    about: str
    sides: tuple[tuple[CitedSource, int], tuple[CitedSource, int]]


@dataclass(frozen=True)
class Cited:
    """Sentences, and every source that they or contradictions cite, once, by number."""

    sentences: tuple[NumberedSentence, ...]
    sources: tuple[CitedSource, ...]
    contradictions: tuple[Contradiction, ...] = ()


def cited(sentences: Sequence[AnswerSentence], modified: Mapping[str, str | None], conflicts: Sequence[Conflict] = ()) -> Cited:
    """Citations numbered in the order of first appearance. `modified`: passage to when its document was modified."""
    each = [citation for sentence in sentences for citation in sentence.citations]
    each += [citation for conflict in conflicts for citation in (conflict.one, conflict.other)]
    once = {citation.id: citation for citation in each}
    sources = {id_: CitedSource(n, citation, modified.get(citation.passage)) for n, (id_, citation) in enumerate(once.items(), 1)}
    numbered = tuple(NumberedSentence(s.text, s.verdict, tuple(sources[c.id] for c in s.citations)) for s in sentences)
    return Cited(numbered, tuple(sources.values()), tuple(_contradiction(conflict, sources) for conflict in conflicts))


def cited_answer(answer: Answer) -> Cited:
    modified = {hit.passage.id: hit.passage.modified_at for hit in answer.retrieved.hits}
    return cited(answer.sentences, modified, answer.conflicts)


def address_of(citation: Citation) -> str:
    """The page of the citation's document, where its quote is marked."""
    where = {"version": citation.version, "start": citation.span.start, "end": citation.span.end}
    return f"{PATH}/documents/{citation.document}?{urlencode(where)}#{SPAN}"


def _contradiction(conflict: Conflict, sources: Mapping[str, CitedSource]) -> Contradiction:
    """With the conflict's own dates, which are known for what is no hit, too."""
    one, other = (
        CitedSource(sources[citation.id].number, citation, date)
        for citation, date in zip((conflict.one, conflict.other), conflict.dates, strict=True)
    )
    return Contradiction(conflict.about, ((one, conflict.authority[0]), (other, conflict.authority[1])))
