"""What the pipeline hands to the catalog and gets from it. Counts are of one run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from retrieval.domain.documents import Element
from retrieval.domain.graph import PassageFacts

SUCCEEDED = "succeeded"
FAILED = "failed"
CANCELLED = "cancelled"
"""The outcomes of a run."""


@dataclass(frozen=True)
class SourceRun:
    """One run over one source. A newer run on the same source has a higher token and fences this one out."""

    id: str
    source: str
    token: int
    spec_version: int


@dataclass(frozen=True)
class ListingCounts:
    listed: int = 0
    new: int = 0
    changed: int = 0
    policy_changed: int = 0
    nobody_reads: int = 0
    missing: int = 0


@dataclass(frozen=True)
class WorkItem:
    """A document that has to be fetched and perhaps parsed.

    Attributes:
        validator: what the last fetch said to send (an ETag); None: fetch in any case.
        content_hash: of the content last taken in under `recipe`; None when there is none or the recipe has changed.
        is_attachment: its bytes are in the blob store under `fingerprint`.
        quarantined: the content of `content_hash` was rejected last time.
        retry_due: and it is time to try it again.
    """

    document: str
    key: str
    uri: str
    fingerprint: str | None
    validator: str | None
    content_hash: str | None
    is_attachment: bool = False
    quarantined: bool = False
    retry_due: bool = False


@dataclass(frozen=True)
class Seen:
    """A document whose content is what it was: how to ask for it next time."""

    document: str
    fingerprint: str | None
    validator: str | None


@dataclass(frozen=True)
class StoredAttachment:
    """An attachment whose bytes are in the blob store under their hash."""

    name: str
    content_hash: str
    size_bytes: int


@dataclass(frozen=True)
class ParsedRecord:
    """What the catalog keeps of a parse, without its text."""

    key: str
    text_hash: str
    title: str
    media_type: str
    method: str
    metadata: Mapping[str, str]
    attachments: tuple[StoredAttachment, ...]


@dataclass(frozen=True)
class Taken:
    """A content taken in for a document: what becomes its next version. `title`: of the source; None: the content's own."""

    document: str
    content_hash: str
    recipe: str
    fingerprint: str | None
    validator: str | None
    size_bytes: int
    modified_at: str | None
    parsed: ParsedRecord
    title: str | None = None


@dataclass(frozen=True)
class StagedVersion:
    """A version that nobody sees yet, with the text it was parsed to."""

    id: str
    document: str
    title: str
    media_type: str
    text: str
    elements: tuple[Element, ...]
    key: str


@dataclass(frozen=True)
class EmbeddingWork:
    """A text that has no embedding under the model yet. It begins with its `prefix`, which may be empty."""

    text_hash: str
    text: str
    prefix: str = ""


@dataclass(frozen=True)
class PublicationCounts:
    """What one publication changed. `revision` is the catalog's after it."""

    published: int = 0
    passages: int = 0
    withdrawn: int = 0
    waiting: int = 0
    revision: int = 0


@dataclass(frozen=True)
class QuarantinedDocument:
    """A document that could not be taken in, as its owner sees it."""

    document: str
    key: str
    code: str
    reason: str
    attempts: int
    next_attempt_at: str | None


@dataclass(frozen=True)
class RunProgress:
    """Where a run stands, for people who watch it."""

    id: str
    source: str
    phase: str
    done: int
    total: int | None
    started_at: str
    finished_at: str | None
    outcome: str | None
    problem: str | None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class GraphPassage:
    """A current passage whose facts the knowledge graph lacks."""

    id: str
    heading_path: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class GraphWork:
    """A current version without facts, or with those of another extractor. `passages` are in reading order."""

    document: str
    version: str
    title: str
    uri: str
    passages: tuple[GraphPassage, ...]


@dataclass(frozen=True)
class VersionFacts:
    """All facts of one document version, which was current when they were found."""

    document: str
    version: str
    passages: tuple[PassageFacts, ...]


@dataclass(frozen=True)
class GraphChanges:
    """What one run changed in the knowledge graph.

    Attributes:
        extracted: documents whose facts were found anew.
        facts_removed: documents that lost their facts because nobody reads them any more.
        entities_removed: entities that no passage mentions any more.
    """

    extracted: int = 0
    mentions: int = 0
    relations: int = 0
    facts_removed: int = 0
    entities_removed: int = 0


@dataclass(frozen=True)
class MostMentioned:
    """An entity by how many current passages of a source mention it. `term` is its name where the source's glossary has it."""

    entity: str
    kind: str
    passages: int
    term: str


@dataclass(frozen=True)
class GraphCounts:
    """What the knowledge graph holds of one source's current documents."""

    entities: Mapping[str, int]
    """By kind; an entity that is mentioned as several counts in each."""
    mentions: int
    relations: int
    most_mentioned: tuple[MostMentioned, ...]
