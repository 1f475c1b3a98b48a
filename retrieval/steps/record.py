"""What a read leaves in the audit log: who asked, what was shown, and under which permissions."""

from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.domain.answers import Answer, Retrieved
from retrieval.domain.audit import AuditAction, AuditedDocument, AuditEntry, Detail, actors, documents_of, spread
from retrieval.domain.citations import CheckedCitation
from retrieval.domain.clock import stamp
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal
from retrieval.domain.queries import Query
from retrieval.domain.versions import DocumentHistory
from retrieval.ports.graph import EntityPage, NamedEntities, Neighbourhood, Subgraph, Support
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
        details={"top_k": query.top_k, **_moment(query)},
    )


def answering(
    principal: Principal, query: Query, answer: Answer, *, searched: Searched, request_id: str | None, begun: bool = False
) -> AuditEntry:
    """Every passage that is handed over, and which of them are cited. `begun`: sentences made of them are about to leave one by one."""
    actor, act_for = actors(principal)
    details: dict[str, Detail] = {"quoted": sorted({citation.passage for citation in answer.citations}), "generator": answer.generated.by}
    details |= _moment(query)
    details |= {"prompt": answer.generated.prompt, "curated": answer.curated, "escalation": answer.escalation}
    return AuditEntry(
        AuditAction.ANSWER,
        actor,
        act_for,
        outcome="begun" if begun else answer.outcome.value,
        documents=_shown(hit.passage for hit in answer.retrieved.hits),
        revision=answer.retrieved.revision,
        index_revision=searched.index_revision,
        request_id=request_id,
        model=searched.model,
        query=query.text,
        details={name: detail for name, detail in details.items() if detail is not None},
    )


def _moment(query: Query) -> dict[str, Detail]:
    """Of when was asked: the revision, and the time where one was given."""
    if query.as_of is None:
        return {}
    return {"as_of": query.as_of.revision, **({"as_of_time": stamp(query.as_of.at)} if query.as_of.is_dated else {})}


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


def versions(principal: Principal, found: DocumentHistory, *, request_id: str | None) -> AuditEntry:
    """Each of the versions that are shown, or compared."""
    actor, act_for = actors(principal)
    shown = tuple(AuditedDocument(found.document, each.id, found.access_class, each.content_hash) for each in found.versions)
    return AuditEntry(AuditAction.VERSIONS_READ, actor, act_for, documents=shown, revision=found.revision, request_id=request_id)


def refused_versions(principal: Principal, document: str, *, request_id: str | None) -> AuditEntry:
    """For an absent and a hidden document or version alike. Of the id that was asked for, only a keyed hash is kept."""
    actor, act_for = actors(principal)
    return AuditEntry(
        AuditAction.VERSIONS_READ, actor, act_for, is_allowed=False, outcome="not readable", asked=document, request_id=request_id
    )


def citation(principal: Principal, found: CheckedCitation, *, request_id: str | None) -> AuditEntry:
    """What has become of it; and the version whose quote is shown, where one is."""
    actor, act_for = actors(principal)
    shown = () if found.current is None else (AuditedDocument(found.receipt.document, found.current.id, found.access_class),)
    return AuditEntry(
        AuditAction.CITATION_READ,
        actor,
        act_for,
        outcome=found.state.value,
        documents=shown,
        revision=found.revision,
        request_id=request_id,
        details={"citation": found.receipt.citation},
    )


def refused_citation(principal: Principal, asked: str, *, request_id: str | None) -> AuditEntry:
    """For a citation that there is not and one that was given to others alike. Of the id that was asked for, only a keyed hash is kept."""
    actor, act_for = actors(principal)
    return AuditEntry(
        AuditAction.CITATION_READ, actor, act_for, is_allowed=False, outcome="not readable", asked=asked, request_id=request_id
    )


def listing(principal: Principal, page: DocumentPage, *, request_id: str | None) -> AuditEntry:
    """Titles are shown, so each of the listed documents is."""
    actor, act_for = actors(principal)
    shown = tuple(AuditedDocument(listed.id, listed.version) for listed in page.documents)
    return AuditEntry(AuditAction.LIST_READ, actor, act_for, documents=shown, revision=page.revision, request_id=request_id)


def entity(principal: Principal, page: EntityPage, *, request_id: str | None) -> AuditEntry:
    """Every passage that is handed over with an entity."""
    shown = _shown(mention.passage for mention in page.mentions)
    return _graph_read(principal, page.revision, shown, request_id, entities=[page.entity.id])


def named_entities(principal: Principal, page: NamedEntities, *, request_id: str | None) -> AuditEntry:
    """Names and counts are shown, and no document."""
    return _graph_read(principal, page.revision, (), request_id, entities=[each.id for each in page.entities])


def neighbourhood(principal: Principal, found: Neighbourhood, *, request_id: str | None) -> list[AuditEntry]:
    """The passages that are named as support, and which entities are shown."""
    shown = [each.entity.id for each in found.neighbours]
    entry = _graph_read(principal, found.revision, (), request_id, entities=shown)
    return spread(entry, _supporting(found.passages)) or [entry]


def refused_graph(principal: Principal, entity: str, *, request_id: str | None) -> AuditEntry:
    """For an absent entity and one that only hidden passages mention alike. Of the id that was asked for, only a keyed hash is kept."""
    actor, act_for = actors(principal)
    return AuditEntry(AuditAction.GRAPH_READ, actor, act_for, is_allowed=False, outcome="not readable", asked=entity, request_id=request_id)


def exported_graph(principal: Principal, found: Subgraph, *, by: str) -> list[AuditEntry]:
    """By whom, as whom, and every document that the export stands on."""
    entry = AuditEntry(AuditAction.GRAPH_EXPORTED, by, principal.subject, revision=found.revision)
    return spread(entry, _supporting(found.passages)) or [entry]


def _graph_read(
    principal: Principal, revision: int, shown: tuple[AuditedDocument, ...], request_id: str | None, *, entities: list[str]
) -> AuditEntry:
    actor, act_for = actors(principal)
    return AuditEntry(
        AuditAction.GRAPH_READ,
        actor,
        act_for,
        documents=shown,
        revision=revision,
        request_id=request_id,
        details={"entities": entities},
    )


def _supporting(places: Iterable[Support]) -> tuple[AuditedDocument, ...]:
    found: dict[str, list[Support]] = {}
    for each in places:
        found.setdefault(each.version, []).append(each)
    return tuple(
        AuditedDocument(each[0].document, version, each[0].access_class, passages=tuple((place.passage, place.text_hash) for place in each))
        for version, each in found.items()
    )


def _shown(passages: Iterable[ReadablePassage]) -> tuple[AuditedDocument, ...]:
    return documents_of([(passage, text_hash(passage.text)) for passage in passages])
