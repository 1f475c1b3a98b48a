"""The audit log's records: who was shown what, and who changed what. Ids, numbers and hashes only, never a title, a text or a path.

Records form a chain: each one's hash is over the hash before it, so that none can be changed, dropped or put in unnoticed. Their
form is canonical JSON (RFC 8785), so that the same record has one spelling and one hash.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal, PrincipalKind

OPERATOR = Principal("cli", PrincipalKind.APP)
"""Whoever works on the machine itself, by the command line."""
PIPELINE = Principal("dagster", PrincipalKind.APP)
"""The ingestion runs."""
SERVICE = Principal("archivist", PrincipalKind.APP)
"""What the service does by itself, when its time has come."""
START = bytes(32)
"""What stands for the hash before the first record."""
MAX_DOCUMENTS = 1_000
"""Documents that one record names; a change to more makes several records."""
_DOMAIN = b"archivist audit record 1\0"

Detail = str | int | Sequence[str] | None
"""An id or a number, or several ids."""


class AuditAction(StrEnum):
    """What was done."""

    RETRIEVE = "retrieve"
    ANSWER = "answer"
    DOCUMENT_READ = "document.read"
    AUDIT_READ = "audit.read"
    LIST_READ = "list.read"
    GRAPH_READ = "graph.read"
    GRAPH_EXPORTED = "graph.exported"
    ROLE_REFUSED = "role.refused"
    QUERIES_DECRYPTED = "queries.decrypted"
    QUERIES_FORGOTTEN = "queries.forgotten"
    SOURCE_REGISTERED = "source.registered"
    SOURCE_PAUSED = "source.paused"
    SOURCE_RESUMED = "source.resumed"
    SOURCE_RETIRED = "source.retired"
    GLOSSARY_CHANGED = "glossary.changed"
    PERMISSIONS_CHANGED = "permissions.changed"
    PERMISSIONS_RENEWED = "permissions.renewed"
    CONTRACT_BROKEN = "contract.broken"
    CONTRACT_HELD = "contract.held"
    CONTRACT_TOLD = "contract.told"
    DOCUMENTS_PUBLISHED = "documents.published"
    DOCUMENTS_WITHDRAWN = "documents.withdrawn"
    DOCUMENT_PUSHED = "document.pushed"
    DOCUMENT_UNPUSHED = "document.unpushed"
    DOCUMENTS_ROLLED_BACK = "documents.rolled_back"
    DOCUMENTS_RELEASED = "documents.released"
    DOCUMENTS_ERASED = "documents.erased"
    VERSIONS_REMOVED = "versions.removed"
    VERSIONS_READ = "versions.read"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    MEMBERSHIPS_CHANGED = "memberships.changed"
    DIRECTORY_CHANGED = "directory.changed"
    BUDGET_CHANGED = "budget.changed"
    VERDICT_GIVEN = "verdict.given"
    VERDICT_WITHDRAWN = "verdict.withdrawn"
    CALIBRATION_KEPT = "calibration.kept"
    CALIBRATION_ACTIVATED = "calibration.activated"
    ESCALATION_OPENED = "escalation.opened"
    ESCALATION_READ = "escalation.read"
    ESCALATION_CLAIMED = "escalation.claimed"
    ESCALATION_RENEWED = "escalation.renewed"
    ESCALATION_RELEASED = "escalation.released"
    ESCALATION_REASSIGNED = "escalation.reassigned"
    ESCALATION_DECIDED = "escalation.decided"
    ESCALATION_DELIVERED = "escalation.delivered"
    ESCALATION_EXPIRED = "escalation.expired"
    ESCALATION_WITHDRAWN = "escalation.withdrawn"
    ESCALATIONS_FORGOTTEN = "escalations.forgotten"
    REVIEW_READ = "review.read"
    WEBHOOK_REGISTERED = "webhook.registered"
    WEBHOOK_REMOVED = "webhook.removed"
    ACCESS_REQUESTED = "access.requested"
    ACCESS_REQUESTS_READ = "access_requests.read"
    CURATED_ADDED = "curated.added"
    CURATED_CHANGED = "curated.changed"
    CURATED_READ = "curated.read"
    FEEDBACK_GIVEN = "feedback.given"
    FEEDBACK_WITHDRAWN = "feedback.withdrawn"
    GAPS_READ = "gaps.read"
    GOLDEN_EXPORTED = "golden.exported"
    PERSON_FORGOTTEN = "person.forgotten"
    CITATION_READ = "citation.read"
    LINEAGE_READ = "lineage.read"
    RECALL_MADE = "recall.made"
    RECALL_READ = "recall.read"
    RECALL_DELIVERED = "recall.delivered"
    MODEL_REGISTERED = "model.registered"
    MODEL_BACKFILLED = "model.backfilled"
    MODEL_COMPARED = "model.compared"
    MODEL_PROMOTED = "model.promoted"
    MODEL_REVERSED = "model.reversed"
    MODEL_RETIRED = "model.retired"


SHOWING = frozenset(
    {
        AuditAction.RETRIEVE,
        AuditAction.ANSWER,
        AuditAction.DOCUMENT_READ,
        AuditAction.VERSIONS_READ,
        AuditAction.LIST_READ,
        AuditAction.GRAPH_READ,
        AuditAction.GRAPH_EXPORTED,
        AuditAction.ESCALATION_READ,
        AuditAction.REVIEW_READ,
        AuditAction.CURATED_READ,
        AuditAction.CITATION_READ,
    }
)
"""Actions whose allowed records name documents that somebody was shown."""


@dataclass(frozen=True)
class AuditedDocument:
    """A document that a record names.

    Attributes:
        content_hash: of the version's original bytes, where the document was shown rather than passages of it.
        passages: id and hash of the text of each passage that was shown.
    """

    document: str
    version: str | None = None
    access_class: int | None = None
    content_hash: str | None = None
    passages: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, object]:
        fields: dict[str, object] = {"document": self.document, "version": self.version, "access_class": self.access_class}
        fields |= {"content_hash": self.content_hash, "passages": [{"id": id_, "text_hash": hash_} for id_, hash_ in self.passages] or None}
        return {name: value for name, value in fields.items() if value is not None}


def documents_of(passages: Sequence[tuple[ReadablePassage, str]]) -> tuple[AuditedDocument, ...]:
    """The documents of passages that were shown, each passage given with the hash of its text; in the order of first appearance."""
    found: dict[str, list[tuple[ReadablePassage, str]]] = {}
    for passage, hash_ in passages:
        found.setdefault(passage.version, []).append((passage, hash_))
    return tuple(
        AuditedDocument(shown[0][0].document, version, shown[0][0].access_class, passages=tuple((p.id, hash_) for p, hash_ in shown))
        for version, shown in found.items()
    )


@dataclass(frozen=True)
class AuditEntry:
    """What happened, before it has a place in the chain.

    Attributes:
        actor: subject of the principal whose credential it was.
        act_for: subject of the person for whom an application asked; None when nobody asked on behalf.
        is_allowed: False for what was refused.
        outcome: what became of it, in one word.
        revision: the catalog's when it was true; None: the one at which it is recorded.
        model: of the vectors that were searched.
        query: in clear here; it is encrypted before it is kept.
        asked: the id that was asked for and not given; only its keyed hash is kept.
        details: whatever else names or counts what was done.
    """

    action: AuditAction
    actor: str
    act_for: str | None = None
    is_allowed: bool = True
    outcome: str = "done"
    documents: tuple[AuditedDocument, ...] = ()
    revision: int | None = None
    index_revision: int | None = None
    request_id: str | None = None
    model: str | None = None
    query: str | None = field(default=None, repr=False)
    asked: str | None = field(default=None, repr=False)
    details: Mapping[str, Detail] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.documents) > MAX_DOCUMENTS:
            raise ValueError(f"a record names at most {MAX_DOCUMENTS} documents")


def spread(entry: AuditEntry, documents: Sequence[AuditedDocument]) -> list[AuditEntry]:
    """The entry once for every `MAX_DOCUMENTS` of the documents; none when there are none."""
    starts = range(0, len(documents), MAX_DOCUMENTS)
    return [replace(entry, documents=tuple(documents[start : start + MAX_DOCUMENTS])) for start in starts]


def actors(principal: Principal) -> tuple[str, str | None]:
    """`actor` and `act_for` of what the principal does."""
    if principal.through is None:
        return principal.subject, None
    return principal.through.subject, principal.subject


@dataclass(frozen=True)
class AuditFilter:
    """Which records are wanted. What is None does not limit.

    Attributes:
        person: a subject that asked, or for whom an application asked.
        document: the record names it.
        shown_only: only records of documents being shown to somebody.
        since, until: from the first moment on, before the second.
    """

    person: str | None = None
    document: str | None = None
    action: AuditAction | None = None
    shown_only: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AuditRecord:
    """One link of the chain. `record` is the canonical JSON that `hash` is over."""

    seq: int
    prev_hash: bytes
    hash: bytes
    record: str

    @property
    def fields(self) -> Mapping[str, object]:
        return dict(json.loads(self.record))


def canonical(record: Mapping[str, object]) -> str:
    """RFC 8785, given what records are made of: names in ASCII, no fractions, whole numbers below 2**53, encodable text."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def chained(prev_hash: bytes, record: str) -> bytes:
    """BLAKE2b-256 of the domain, the hash before and the record."""
    return hashlib.blake2b(_DOMAIN + prev_hash + record.encode(), digest_size=32).digest()
