"""The catalog, wired: one object that holds every port the catalog implements."""

from dataclasses import dataclass
from datetime import timedelta

from retrieval.adapters.catalog.answer_policies import CatalogAnswerPolicies
from retrieval.adapters.catalog.audit.log import CatalogAudit
from retrieval.adapters.catalog.authority import AccessDefaults, Authority
from retrieval.adapters.catalog.automation import CatalogAutomation
from retrieval.adapters.catalog.budgets import CatalogBudgets
from retrieval.adapters.catalog.calibrations import CatalogCalibrations
from retrieval.adapters.catalog.citations import CatalogCitations
from retrieval.adapters.catalog.contracts.health import CatalogHealth
from retrieval.adapters.catalog.contracts.inspections import CatalogInspections
from retrieval.adapters.catalog.contracts.judgements import CatalogContractVerdicts
from retrieval.adapters.catalog.contracts.measuring import CatalogMeasures
from retrieval.adapters.catalog.contracts.notices import CatalogContractNotices
from retrieval.adapters.catalog.directory.entries import CatalogDirectory
from retrieval.adapters.catalog.embedding_models import CatalogEmbeddingModels
from retrieval.adapters.catalog.embeddings import CatalogEmbeddings
from retrieval.adapters.catalog.engine import Database, current_revision
from retrieval.adapters.catalog.escalations.access_requests import CatalogAccessRequests
from retrieval.adapters.catalog.escalations.outbox import CatalogOutbox
from retrieval.adapters.catalog.escalations.reader import CatalogEscalations
from retrieval.adapters.catalog.escalations.sweeping import CatalogSweep
from retrieval.adapters.catalog.escalations.webhooks import CatalogWebhooks
from retrieval.adapters.catalog.escalations.writer import CatalogEscalationWriter
from retrieval.adapters.catalog.evaluations import CatalogEvaluations
from retrieval.adapters.catalog.followers import CatalogFollowers
from retrieval.adapters.catalog.gate import CatalogGate
from retrieval.adapters.catalog.graph.feed import CatalogGraphFeed
from retrieval.adapters.catalog.graph.glossaries import CatalogGlossaries
from retrieval.adapters.catalog.graph.reader import CatalogGraph
from retrieval.adapters.catalog.graph.storing import CatalogGraphStore
from retrieval.adapters.catalog.history import CatalogHistory
from retrieval.adapters.catalog.idempotency import CatalogIdempotency
from retrieval.adapters.catalog.keys import CatalogKeys
from retrieval.adapters.catalog.learning.catalog_learning import CatalogLearning
from retrieval.adapters.catalog.leases import CatalogLeases
from retrieval.adapters.catalog.lineage.notices import CatalogRecallNotices
from retrieval.adapters.catalog.lineage.reading import CatalogLineage
from retrieval.adapters.catalog.lineage.recalling import CatalogRecalls, ReviewHours
from retrieval.adapters.catalog.listing import CatalogListing
from retrieval.adapters.catalog.model_readers import CatalogModelReaders
from retrieval.adapters.catalog.owned import CatalogOwnedSources
from retrieval.adapters.catalog.publishing import CatalogPublishing
from retrieval.adapters.catalog.pushing.documents import CatalogPushedDocuments
from retrieval.adapters.catalog.reader import CatalogDocuments
from retrieval.adapters.catalog.runs import CatalogRuns
from retrieval.adapters.catalog.sources import CatalogSources
from retrieval.adapters.catalog.staging import CatalogStaging
from retrieval.adapters.catalog.token_vectors import CatalogTokenVectors
from retrieval.adapters.catalog.usage import CatalogUsage
from retrieval.adapters.catalog.verdicts import CatalogVerdicts
from retrieval.adapters.catalog.versions.erasure import CatalogErasure
from retrieval.adapters.catalog.versions.reading import CatalogVersions
from retrieval.adapters.catalog.versions.retention import CatalogRetention
from retrieval.adapters.catalog.versions.rollback import CatalogRollback
from retrieval.domain.automation import RetryPace
from retrieval.domain.clock import Clock
from retrieval.domain.directory import DirectoryLimits
from retrieval.domain.errors import ArchivistError
from retrieval.domain.retention import RetentionTerms
from retrieval.domain.sources import Classification
from retrieval.settings import Settings


@dataclass(frozen=True)
class Catalog:
    """The truth: sources, versions, passages, embeddings, permissions. `close` gives its connections back."""

    database: Database
    gate: CatalogGate
    history: CatalogHistory
    documents: CatalogDocuments
    sources: CatalogSources
    owned: CatalogOwnedSources
    runs: CatalogRuns
    listing: CatalogListing
    staging: CatalogStaging
    embeddings: CatalogEmbeddings
    token_vectors: CatalogTokenVectors
    publishing: CatalogPublishing
    index_state: CatalogFollowers
    keys: CatalogKeys
    idempotency: CatalogIdempotency
    directory: CatalogDirectory
    audit: CatalogAudit
    evaluations: CatalogEvaluations
    escalations: CatalogEscalations
    escalation_writer: CatalogEscalationWriter
    escalation_sweep: CatalogSweep
    escalation_outbox: CatalogOutbox
    webhooks: CatalogWebhooks
    access_requests: CatalogAccessRequests
    leases: CatalogLeases
    graph: CatalogGraph
    graph_store: CatalogGraphStore
    graph_feed: CatalogGraphFeed
    glossaries: CatalogGlossaries
    learning: CatalogLearning
    verdicts: CatalogVerdicts
    calibrations: CatalogCalibrations
    answer_policies: CatalogAnswerPolicies
    citations: CatalogCitations
    usage: CatalogUsage
    budgets: CatalogBudgets
    lineage: CatalogLineage
    recalls: CatalogRecalls
    recall_notices: CatalogRecallNotices
    versions: CatalogVersions
    rollback: CatalogRollback
    retention: CatalogRetention
    erasure: CatalogErasure
    pushed: CatalogPushedDocuments
    automation: CatalogAutomation
    health: CatalogHealth
    inspections: CatalogInspections
    contract_measures: CatalogMeasures
    contract_verdicts: CatalogContractVerdicts
    contract_notices: CatalogContractNotices
    embedding_models: CatalogEmbeddingModels
    model_readers: CatalogModelReaders

    def check(self) -> None:
        """Raises CatalogUnavailable when the catalog cannot be read."""
        self.revision()

    def revision(self) -> int:
        """The revision now. Raises CatalogUnavailable."""
        with self.database.read() as connection:
            return current_revision(connection)

    def close(self) -> None:
        self.database.close()


def open_catalog(settings: Settings, *, clock: Clock | None = None) -> Catalog:
    """Open the catalog that the settings name and bring its schema up to date.

    Raises:
        CatalogUnavailable: the database does not answer.
        Conflict: the catalog was written by a newer version of Archivist.
    """
    database = Database(settings.resolved_catalog_url, clock=clock)
    try:
        database.migrate()
    except ArchivistError:
        database.close()
        raise
    authority = Authority(database, access_defaults(settings))
    max_age = timedelta(hours=settings.permission_max_age_hours)
    registry = CatalogSources(database, default_max_age=max_age)
    gate = CatalogGate(database, authority)
    pace = RetryPace(settings.source_run_retry_seconds, max(settings.source_run_retry_seconds, settings.source_run_retry_longest_seconds))
    return Catalog(
        database=database,
        gate=gate,
        history=CatalogHistory(database, max_days=settings.as_of_max_days),
        documents=CatalogDocuments(database, authority),
        sources=registry,
        owned=CatalogOwnedSources(database, registry),
        runs=CatalogRuns(database, pace),
        listing=CatalogListing(database, default_max_age=max_age),
        staging=CatalogStaging(database, attempts=settings.parse_attempts, retry_seconds=settings.parse_retry_seconds),
        embeddings=CatalogEmbeddings(database),
        token_vectors=CatalogTokenVectors(database),
        publishing=CatalogPublishing(database),
        index_state=CatalogFollowers(database),
        keys=CatalogKeys(database),
        idempotency=CatalogIdempotency(database),
        directory=CatalogDirectory(database, directory_limits(settings)),
        audit=CatalogAudit(database),
        evaluations=CatalogEvaluations(database),
        escalations=CatalogEscalations(database),
        escalation_writer=CatalogEscalationWriter(database, by_mail=bool(settings.email_smtp_host)),
        escalation_sweep=CatalogSweep(
            database,
            batch=settings.escalation_batch,
            retention_days=settings.escalation_retention_days,
            by_mail=bool(settings.email_smtp_host),
        ),
        escalation_outbox=CatalogOutbox(database),
        webhooks=CatalogWebhooks(database),
        access_requests=CatalogAccessRequests(database),
        leases=CatalogLeases(database),
        graph=CatalogGraph(database, authority),
        graph_store=CatalogGraphStore(database),
        graph_feed=CatalogGraphFeed(database),
        glossaries=CatalogGlossaries(database),
        learning=CatalogLearning.over(database, authority, gate),
        verdicts=CatalogVerdicts(database),
        calibrations=CatalogCalibrations(database, kept_seconds=settings.calibration_kept_seconds),
        answer_policies=CatalogAnswerPolicies(database),
        citations=CatalogCitations(database, authority, kept_days=settings.citation_receipt_days),
        usage=CatalogUsage(database),
        budgets=CatalogBudgets(database),
        lineage=CatalogLineage(database),
        recalls=CatalogRecalls(
            database, hours=ReviewHours(settings.escalation_review_hours_high, expires_days=settings.escalation_expiry_days)
        ),
        recall_notices=CatalogRecallNotices(database),
        versions=CatalogVersions(database, authority),
        rollback=CatalogRollback(database, most=settings.rollback_max_documents),
        erasure=CatalogErasure(database, most=settings.erase_max_documents),
        retention=CatalogRetention(
            database,
            RetentionTerms(settings.retention_keep_versions, settings.retention_keep_days),
            batch=settings.retention_batch_documents,
        ),
        pushed=CatalogPushedDocuments(database),
        automation=CatalogAutomation(database, pace),
        health=CatalogHealth(database),
        inspections=CatalogInspections(database),
        contract_measures=CatalogMeasures(database),
        contract_verdicts=CatalogContractVerdicts(database, by_mail=bool(settings.email_smtp_host)),
        contract_notices=CatalogContractNotices(database),
        embedding_models=CatalogEmbeddingModels(database),
        model_readers=CatalogModelReaders(database),
    )


def directory_limits(settings: Settings) -> DirectoryLimits:
    return DirectoryLimits(
        groups=settings.directory_max_groups,
        members=settings.directory_max_members,
        name_characters=settings.directory_max_name_characters,
        attributes_bytes=settings.directory_max_attributes_bytes,
    )


def access_defaults(settings: Settings) -> AccessDefaults:
    return AccessDefaults(
        clearance=Classification(settings.default_clearance),
        application_clearance=Classification(settings.application_clearance),
        remembered=settings.authorise_kept_principals,
    )
