"""Passages: what is embedded, ranked and cited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.domain.documents import Span
from retrieval.domain.sources import Classification


@dataclass(frozen=True)
class DraftPassage:
    """A passage as chunking cuts it, before it has an id.

    `prefix` (title and headings) is embedded and indexed in front of the text but is no part of the span.
    """

    ordinal: int
    span: Span
    text: str
    prefix: str
    page: int | None
    heading_path: tuple[str, ...]
    tokens: int

    @property
    def embedded_text(self) -> str:
        return embedded_text(self.prefix, self.text)


def embedded_text(prefix: str, text: str) -> str:
    """What a model sees of a passage, and what the lexical leg indexes."""
    return f"{prefix}\n{text}" if prefix else text


@dataclass(frozen=True)
class IndexedPassage:
    """What an index holds of one passage.

    Attributes:
        vector: one float32 for each dimension of the embedder, unit length; empty where the text has none yet.
        vectors: by model, where indexes hold those of several; that one's own among them.
    """

    id: str
    ordinal: int
    text: str
    prefix: str
    vector: Sequence[float]
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def embedded_text(self) -> str:
        return embedded_text(self.prefix, self.text)


Gap = tuple[int, int]
"""Revisions at which a version was not current, between two at which it was: from the first on, before the second."""


@dataclass(frozen=True)
class PastVersion:
    """A version that was current from `valid_from` on and before `valid_to`, but for the gaps, and is not now."""

    version: str
    valid_from: int
    valid_to: int
    passages: tuple[IndexedPassage, ...]
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class IndexedDocument:
    """The whole of what an index should hold of one document: a state, not a difference. Without passages and past: hold nothing.

    Attributes:
        passages: of the current version; none where there is none.
        valid_from: the revision from which on the current version was current, but for the gaps.
        past: versions that were current once. They have no readers of their own: who may read the document may read them.
    """

    document: str
    source: str
    access_class: int
    version: str
    valid_from: int
    passages: tuple[IndexedPassage, ...]
    gaps: tuple[Gap, ...] = ()
    past: tuple[PastVersion, ...] = ()


@dataclass(frozen=True)
class Stretch:
    """A part of a document version's text that several passages cover together."""

    document: str
    version: str
    span: Span


@dataclass(frozen=True)
class ReadablePassage:
    """A passage that passed the gate: live, unaltered and readable to the principal at `revision`."""

    id: str
    document: str
    version: str
    version_number: int
    source: str
    ordinal: int
    span: Span
    text: str
    page: int | None
    heading_path: tuple[str, ...]
    title: str
    uri: str
    media_type: str
    modified_at: str | None
    revision: int
    access_class: int = 0
    """Under which it was readable: for the audit log, never for the caller."""
    classification: Classification = Classification.RESTRICTED
    """Of its source: decides whether it may be shown to a model elsewhere. Never for the caller."""
