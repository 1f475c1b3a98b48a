"""What a read leaves in the audit log: who asked, what was shown, and under which permissions."""

from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.domain.answers import Answer, Retrieved
from retrieval.domain.audit import AuditAction, AuditedDocument, AuditEntry, actors, documents_of
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal
from retrieval.domain.queries import Query
from retrieval.ports.reading import DocumentPage, ReadableDocument


@dataclass(frozen=True)
class Searched:
    """What was searched: the model of its vectors, and the catalog revision that the index had applied."""

    model: str
    index_revision: int


def retrieval(principal: Principal, query: Query, retrieved: Retrieved, *, searched: Searched, request_id: str | None) -> AuditEntry:
    """Every passage that is handed over."""
    actor, act_for = actors(principal)
    return AuditEntry(
        AuditAction.RETRIEVE,
        actor,
        act_for,
        documents=_shown(hit.passage for hit in retrieved.hits),
        revision=retrieved.revision,
        index_revision=searched.index_revision,
        request_id=request_id,
        model=searched.model,
        query=query.text,
        details={"top_k": query.top_k},
    )


def answering(principal: Principal, query: Query, answer: Answer, *, searched: Searched, request_id: str | None) -> AuditEntry:
    """Every passage that is handed over, and which of them are quoted."""
    actor, act_for = actors(principal)
    quoted = {sentence.citation.passage for sentence in answer.sentences}
    return AuditEntry(
        AuditAction.ANSWER,
        actor,
        act_for,
        outcome=answer.outcome.value,
        documents=_shown(hit.passage for hit in answer.retrieved.hits),
        revision=answer.retrieved.revision,
        index_revision=searched.index_revision,
        request_id=request_id,
        model=searched.model,
        query=query.text,
        details={"quoted": sorted(quoted)},
    )


def reading(principal: Principal, document: ReadableDocument, *, request_id: str | None) -> AuditEntry:
    actor, act_for = actors(principal)
    shown = AuditedDocument(document.id, document.version.id, document.access_class, document.version.content_hash)
    return AuditEntry(AuditAction.DOCUMENT_READ, actor, act_for, documents=(shown,), revision=document.revision, request_id=request_id)


def refused_reading(principal: Principal, document: str, *, request_id: str | None) -> AuditEntry:
    """For an absent and a hidden document alike. Of the id that was asked for, only a keyed hash is kept."""
    actor, act_for = actors(principal)
    return AuditEntry(
        AuditAction.DOCUMENT_READ, actor, act_for, is_allowed=False, outcome="not readable", asked=document, request_id=request_id
    )


def listing(principal: Principal, page: DocumentPage, *, request_id: str | None) -> AuditEntry:
    """Titles are shown, so each of the listed documents is."""
    actor, act_for = actors(principal)
    shown = tuple(AuditedDocument(listed.id, listed.version) for listed in page.documents)
    return AuditEntry(AuditAction.LIST_READ, actor, act_for, documents=shown, revision=page.revision, request_id=request_id)


def _shown(passages: Iterable[ReadablePassage]) -> tuple[AuditedDocument, ...]:
    return documents_of([(passage, text_hash(passage.text)) for passage in passages])
