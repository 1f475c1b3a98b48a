"""The catalog's tables, by what they are of. Migrations change them; these files say what they are now."""

from retrieval.adapters.catalog.tables.answering import budgets, citation_receipts, spending, usage
from retrieval.adapters.catalog.tables.audited import audit, audit_documents, audit_head, idempotency
from retrieval.adapters.catalog.tables.base import Counter, Key, metadata, revision, secrets
from retrieval.adapters.catalog.tables.contracts import contract_notices, contract_verdicts, inspected_texts, source_measures
from retrieval.adapters.catalog.tables.directory import access_classes, api_keys, directory, grants, memberships
from retrieval.adapters.catalog.tables.documents import (
    document_versions,
    documents,
    embeddings,
    parsed,
    passages,
    quarantine,
    texts,
    token_vectors,
)
from retrieval.adapters.catalog.tables.embedding_models import embedding_models, model_readers
from retrieval.adapters.catalog.tables.escalations import (
    access_requests,
    deliveries,
    escalation_events,
    escalation_reviewers,
    escalations,
    leases,
    webhooks,
)
from retrieval.adapters.catalog.tables.evaluations import calibrations, evaluated_queries, evaluations, verdicts
from retrieval.adapters.catalog.tables.following import changes, index_followers
from retrieval.adapters.catalog.tables.graph import entities, entity_names, glossaries, glossary_terms, graph_documents, mentions, relations
from retrieval.adapters.catalog.tables.learning import (
    answers_given,
    curated_answers,
    curated_citations,
    curated_head,
    feedback,
    gaps,
    learning_progress,
)
from retrieval.adapters.catalog.tables.lineage import audit_requests, recall_notices, recalled_versions, recalls
from retrieval.adapters.catalog.tables.pushing import pushed_documents, source_automation
from retrieval.adapters.catalog.tables.sources import source_runs, source_versions, sources
from retrieval.adapters.catalog.tables.versions import erasures, holds, revisions, tombstones, validity

__all__ = [
    "Counter",
    "Key",
    "access_classes",
    "access_requests",
    "answers_given",
    "api_keys",
    "audit",
    "audit_documents",
    "audit_head",
    "audit_requests",
    "budgets",
    "calibrations",
    "changes",
    "citation_receipts",
    "contract_notices",
    "contract_verdicts",
    "curated_answers",
    "curated_citations",
    "curated_head",
    "deliveries",
    "directory",
    "document_versions",
    "documents",
    "embedding_models",
    "embeddings",
    "entities",
    "entity_names",
    "erasures",
    "escalation_events",
    "escalation_reviewers",
    "escalations",
    "evaluated_queries",
    "evaluations",
    "feedback",
    "gaps",
    "glossaries",
    "glossary_terms",
    "grants",
    "graph_documents",
    "holds",
    "idempotency",
    "index_followers",
    "inspected_texts",
    "learning_progress",
    "leases",
    "memberships",
    "mentions",
    "metadata",
    "model_readers",
    "parsed",
    "passages",
    "pushed_documents",
    "quarantine",
    "recall_notices",
    "recalled_versions",
    "recalls",
    "relations",
    "revision",
    "revisions",
    "secrets",
    "source_automation",
    "source_measures",
    "source_runs",
    "source_versions",
    "sources",
    "spending",
    "texts",
    "token_vectors",
    "tombstones",
    "usage",
    "validity",
    "verdicts",
    "webhooks",
]
