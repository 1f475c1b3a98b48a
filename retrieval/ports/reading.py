"""What may be read, and by whom. The scope or the principal is always the first argument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from retrieval.domain.passages import ReadablePassage, Stretch
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.runs import Run
from retrieval.ports.models import TokenVectors, Vectors


@dataclass(frozen=True)
class LegSearch:
    """One search of both legs.

    Attributes:
        text: for the lexical leg; a text without any indexed term finds nothing there.
        vector: for the dense leg, one float for each dimension; None leaves the dense leg out.
        depth: hits per leg.
        sources: only these sources; empty: every readable one.
        at_least: the catalog revision that the index must have applied; it waits for it up to its limit.
        phrases: only passages that hold each of them, in their text or in the title and headings they are indexed with. As
            `domain.phrases` compares.
        explain: say which words the lexical leg looked for.
        model: whose vectors are searched, the one that made `vector`; empty: the one that the index was opened for.
    """

    text: str
    vector: Sequence[float] | Vectors | None
    depth: int
    sources: tuple[str, ...] = ()
    at_least: int = 0
    phrases: tuple[str, ...] = ()
    explain: bool = False
    model: str = ""


@dataclass(frozen=True)
class LegRuns:
    """What both legs found, and where `explain` asked for them the words that the lexical leg looked for."""

    lexical: Run
    dense: Run
    terms: tuple[str, ...] = ()

    def without(self, passages: frozenset[str]) -> "LegRuns":
        """The same runs as if none of these passages had been found."""
        return replace(self, lexical=self.lexical.without(passages), dense=self.dense.without(passages))


class PassageSearch(Protocol):
    """Reading the index. Nothing here is final: every hit still has to pass the gate."""

    def search(self, scope: AccessScope, search: LegSearch) -> LegRuns:
        """Both legs under one filter. An empty scope gives empty runs without asking the engine.

        Raises:
            IndexUnavailable: the index is being built, does not answer or holds no vectors of `search.model`.
            RevisionNotReached: the index is older than `search.at_least` and did not catch up in time.
        """

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        """Passage id to text, for those that the scope's classes hold."""

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        """Passage id to its dense vector by the model, shape (dimensions,), for those that the scope's classes hold."""

    def revision(self) -> int:
        """The catalog revision that the index has applied."""


class ScopeReader(Protocol):
    """Resolves a principal to what it may read."""

    def scope(self, principal: Principal) -> AccessScope:
        """Raises CatalogUnavailable; never guesses."""


@dataclass(frozen=True)
class Candidate:
    """A passage that wants to leave, with the text the index gave for it."""

    passage: str
    text: str


@dataclass(frozen=True)
class Gated:
    """What passed the gate, in the order asked for, and how many were withheld and why."""

    readable: tuple[ReadablePassage, ...]
    revision: int
    withheld: int
    altered: tuple[str, ...]
    """Ids of passages whose text in the index is not the catalog's: for the log, never for the caller."""
    stale_permissions: bool = False
    """Whether one of them is from a source whose permissions were last read too long ago, and which only warns."""


class GateReader(Protocol):
    """The catalog as the last word: one snapshot, read after the search."""

    def gate(self, principal: Principal, candidates: Sequence[Candidate], *, at_least: int = 0, as_of: int | None = None) -> Gated:
        """What is current passes, or with `as_of` what was at that revision, of what the principal may read now.

        Raises RevisionNotReached when the catalog that answers has not reached `at_least`.
        """

    def extracts(self, principal: Principal, stretches: Sequence[Stretch], *, as_of: int | None = None) -> Mapping[Stretch, str]:
        """The text of each stretch of a current version that the principal may read; the others are left out. One snapshot.

        With `as_of` of versions that were current at that revision.
        """

    def why(self, principal: Principal, documents: Sequence[str], *, as_of: int | None = None) -> Mapping[str, tuple[str, ...]]:
        """Of those documents that the principal may read: the subjects that it acts as and that a grant allows, in alphabetical order.

        Nothing of subjects that the principal does not act as, whoever else may read the document.
        """


@dataclass(frozen=True)
class VersionSummary:
    id: str
    number: int
    state: str
    content_hash: str
    published_at: str | None
    characters: int


@dataclass(frozen=True)
class ReadableDocument:
    """A document as one principal may see it. Only versions the principal may read are listed."""

    id: str
    source: str
    title: str
    uri: str
    media_type: str
    version: VersionSummary
    versions: tuple[VersionSummary, ...]
    metadata: Mapping[str, str]
    text: str
    pages: tuple[tuple[int, int, int], ...]
    """(page, start, end) in reading order; empty for formats without pages."""
    revision: int = 0
    access_class: int = 0
    """Both for the audit log, never for the caller."""


@dataclass(frozen=True)
class ListedDocument:
    """A document's current version as a list shows it."""

    id: str
    source: str
    title: str
    uri: str
    media_type: str
    version: str
    version_number: int
    modified_at: str | None


@dataclass(frozen=True)
class DocumentPage:
    """Some documents in the order of their ids. `more`: whether the principal may read further ones. There is no total."""

    documents: tuple[ListedDocument, ...]
    more: bool
    revision: int


class DocumentReader(Protocol):
    def document(self, principal: Principal, document: str) -> ReadableDocument:
        """Raises NotReadable for absent and hidden alike."""

    def documents(self, principal: Principal, *, source: str | None, after: str, count: int) -> DocumentPage:
        """At most `count` readable documents with ids greater than `after`, of one source or of all. One snapshot."""


class ContentReader(Protocol):
    def holding(self, principal: Principal, contents: Sequence[str], *, besides: str) -> Mapping[str, frozenset[str]]:
        """Content hash to the sources, but `besides`, that have a current document of it which the principal may read. One snapshot."""


class TokenReader(Protocol):
    """What late interaction compares. It tells of texts, so it is asked for passages that have passed the gate and for no others."""

    def tokens(self, scope: AccessScope, model: str, wanted: Sequence[str]) -> Mapping[str, TokenVectors]:
        """Passage id to its text's tokens, for those that the scope's classes hold and that have any under the model."""
