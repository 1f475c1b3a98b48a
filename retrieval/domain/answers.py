"""What leaves the service: hits with their citations, and answers made of quotes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from retrieval.domain.documents import Span
from retrieval.domain.explanations import Explanation
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
        seconds: time of each step, for logs and benchmarks.
    """

    hits: tuple[RetrievedPassage, ...]
    revision: int
    degraded: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    explanation: Explanation | None = None


class AnswerOutcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    ABSTAINED = "abstained"


@dataclass(frozen=True)
class AnswerSentence:
    """One sentence of an answer and what supports it."""

    text: str
    citation: Citation
    support: float
    """0 to 1: how far the quote bears on the question. Not a probability."""


@dataclass(frozen=True)
class Answer:
    """An answer made only of quotes, or an abstention with its reason."""

    outcome: AnswerOutcome
    sentences: tuple[AnswerSentence, ...]
    reason: str
    retrieved: Retrieved

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)
