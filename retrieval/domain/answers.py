"""What leaves the service: hits with their citations, and answers whose every sentence is tied to what supports it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from retrieval.domain.documents import Span
from retrieval.domain.explanations import Explanation
from retrieval.domain.freshness import SourceFreshness
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import FusedHit


@dataclass(frozen=True)
class Citation:
    """Ties a quote to the span of the document version that it stands in. `quote` is exactly the version's text there.

    Attributes:
        span: offsets into the version's text, not into the passage.
    """

    document: str
    version: str
    version_number: int
    source: str
    title: str
    uri: str
    page: int | None
    heading_path: tuple[str, ...]
    passage: str
    span: Span
    quote: str

    @classmethod
    def of(cls, passage: ReadablePassage, *, within: Span | None = None) -> Self:
        """A citation of the whole passage, or of `within`, a span of the passage's own text.

        Raises:
            ValueError: when `within` is not inside the passage.
        """
        inside = Span(0, len(passage.text)) if within is None else within
        if inside.end > len(passage.text):
            raise ValueError("a quote must lie within its passage")
        return cls(
            document=passage.document,
            version=passage.version,
            version_number=passage.version_number,
            source=passage.source,
            title=passage.title,
            uri=passage.uri,
            page=passage.page,
            heading_path=passage.heading_path,
            passage=passage.id,
            span=Span(passage.span.start + inside.start, passage.span.start + inside.end),
            quote=inside.of(passage.text),
        )

    @property
    def id(self) -> str:
        """Equal for the same span of the same version, whoever asks."""
        place = f"{self.version}:{self.span.start}:{self.span.end}"
        return "cit_" + hashlib.blake2b(place.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True)
class Extract:
    """A stretch of a version's text that several hits cover together. `span` is in that text, `text` exactly what stands there."""

    span: Span
    text: str


@dataclass(frozen=True)
class RetrievedPassage:
    """A hit that passed the gate, at its final rank (1 is best).

    Attributes:
        duplicates: citations of readable passages that say the same, best first.
        extract: the passage with its neighbours among the hits; None when it has none.
    """

    rank: int
    score: float
    passage: ReadablePassage
    citation: Citation
    fused: FusedHit
    duplicates: tuple[Citation, ...] = ()
    extract: Extract | None = None


@dataclass(frozen=True)
class Retrieved:
    """The result of one retrieval.

    Attributes:
        revision: the catalog revision at which the gate was passed. Internal: callers get `consistency_token`.
        degraded: what was left out because something was down, e.g. `dense`; quality may suffer, permissions never.
        model: by which the query was embedded, and whose vectors were searched; no other's.
        seconds: time of each step, for logs and benchmarks.
        freshness: of the hits' sources and of no others.
    """

    hits: tuple[RetrievedPassage, ...]
    revision: int
    degraded: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    explanation: Explanation | None = None
    model: str = ""
    freshness: tuple[SourceFreshness, ...] = ()


class AnswerOutcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    ABSTAINED = "abstained"
    ESCALATED = "escalated"


class Reason(StrEnum):
    """Why a question was not answered, or was handed to a person. Told from what its asker may read alone.

    Attributes:
        NOTHING_FOUND: no readable passage bears on it.
        OUT_OF_SCOPE: passages were found, but none is about what is asked.
        CONFLICTING_SOURCES: what was found contradicts itself.
        STALE: what was found is older than its owner lets be relied on.
        LOW_CONFIDENCE: the answer would be wrong more often than its owner accepts.
        UNSUPPORTED: a sentence of the answer is supported by nothing that was found.
    """

    NOTHING_FOUND = "nothing_found"
    OUT_OF_SCOPE = "out_of_scope"
    CONFLICTING_SOURCES = "conflicting_sources"
    STALE = "stale"
    LOW_CONFIDENCE = "low_confidence"
    UNSUPPORTED = "unsupported"


class Verdict(StrEnum):
    """How a sentence of an answer stands to its citation."""

    QUOTED = "quoted"
    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class AnswerSentence:
    """One sentence of an answer and what supports it.

    Attributes:
        citation: of the span that supports it; None for what is unsupported.
        support: 0 to 1, how far the quote bears on the question. Not a probability.
        verdict: quoted, where `text` is exactly the quote; supported, where it says in other words what the quote says.
        also: further spans that support it.
    """

    text: str
    citation: Citation | None
    support: float
    verdict: Verdict = Verdict.QUOTED
    also: tuple[Citation, ...] = ()

    @property
    def citations(self) -> tuple[Citation, ...]:
        return () if self.citation is None else (self.citation, *self.also)


@dataclass(frozen=True)
class Confidence:
    """How probable it is that an answer is right.

    Attributes:
        probability: 0 to 1, calibrated.
        threshold: the least at which the answer is given, from the error that the sources' owners accept.
        model: name and version of what told it.
        signals: what it was told from, by name.
    """

    probability: float
    threshold: float
    model: str
    signals: Mapping[str, float] = field(default_factory=dict)

    @property
    def suffices(self) -> bool:
        return self.probability >= self.threshold


@dataclass(frozen=True)
class Conflict:
    """Two readable passages that contradict each other on what is asked.

    Attributes:
        about: what the two differ in: a pair of numbers, dates, or a negation, as words.
        dates: when each was modified, as its source says.
        authority: of each one's source, as its owner says, 0 to 100.
    """

    one: Citation
    other: Citation
    about: str
    dates: tuple[str | None, str | None] = (None, None)
    authority: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class TokenUsage:
    """Tokens as the provider counts them. What is not told is 0."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class Generated:
    """By what an answer was worded.

    Attributes:
        by: the generator's name, e.g. `cohere/command-a-03-2025`; `extractive` for quotes.
        prompt: id and version of the prompt, e.g. `answer@1`; None without one.
        cost: in US dollars, by the prices that the settings name.
    """

    by: str
    prompt: str | None = None
    usage: TokenUsage = TokenUsage()
    cost: float = 0.0


EXTRACTIVE = Generated("extractive")


@dataclass(frozen=True)
class Answer:
    """What is told to whoever asked.

    Attributes:
        reason: why it is no answer; None when it is one.
        conflicts: contradictions among what was found; shown beside an answer, too.
        escalation: id of the escalation that a person works on; None when there is none.
        curated: id of the curated answer that this one repeats; None when it was made anew.
    """

    outcome: AnswerOutcome
    sentences: tuple[AnswerSentence, ...]
    reason: Reason | None
    retrieved: Retrieved
    confidence: Confidence | None = None
    conflicts: tuple[Conflict, ...] = ()
    generated: Generated = EXTRACTIVE
    escalation: str | None = None
    curated: str | None = None

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Of all sentences and conflicts, each once, in the order of first appearance."""
        cited = [citation for sentence in self.sentences for citation in sentence.citations]
        cited += [citation for conflict in self.conflicts for citation in (conflict.one, conflict.other)]
        return tuple({citation.id: citation for citation in cited}.values())
