"""Records and what leaves them: the audit log, erasures, exports, webhooks."""
# ruff: noqa: PLC0415 - torch, Qdrant and their like take seconds to import

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.ports.ingestion import Blobs
from retrieval.settings import Settings
from retrieval.version_service import Erasing

if TYPE_CHECKING:
    from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
    from retrieval.domain.erasure import ErasureReport
    from retrieval.ports.graph import Subgraph


def register_webhook(settings: Settings, catalog: Catalog, application: str, url: str, *, secret: str) -> str | None:
    """Where an application is told that a question is closed. Returns the secret if one was made. Raises InvalidInput."""
    from retrieval.adapters.delivery import registering

    return registering.register_webhook(catalog.webhooks, settings, application, url, secret=secret)


def open_checkpoints(settings: Settings, catalog: Catalog) -> "Checkpoints":
    """Where the audit log's checkpoints go, with the key that signs them, which is made if there is none. Raises Conflict."""
    from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
    from retrieval.adapters.catalog.audit.signing import signing_key

    key = signing_key(settings.resolved_audit_signing_key_file)
    return Checkpoints(catalog.database, settings.resolved_audit_checkpoint_file, key)


def audit_public_key(settings: Settings) -> str:
    """What a verifier elsewhere has to know: 64 hexadecimal digits. Raises Conflict."""
    from retrieval.adapters.catalog.audit.signing import public_key, signing_key

    return public_key(signing_key(settings.resolved_audit_signing_key_file))


def open_erasing(settings: Settings, catalog: Catalog, blobs: Blobs) -> Erasing:
    """What removes documents for good, with the key that signs its reports. Raises Conflict."""
    from retrieval.adapters.catalog.audit.signing import signing_key
    from retrieval.adapters.catalog.versions.reports import signed, write_report

    key = signing_key(settings.resolved_audit_signing_key_file)
    return Erasing(
        erasure=catalog.erasure,
        blobs=blobs,
        followers=catalog.index_state,
        forget=partial(forget_person, catalog),
        sign=lambda report: signed(report, key),
        keep=lambda report: write_report(report, settings.erasure_directory),
    )


def forget_person(catalog: Catalog, subject: str, by: str) -> dict[str, int]:
    """Delete what is kept of a person's own questions. How many of each kind."""
    escalations = catalog.escalation_sweep.forget_asker(subject)  # first: what is decided there would be learned again
    return {
        "escalations asked": escalations,
        "answers received": catalog.learning.forgetting.forget(subject, by=by),
        "verdicts given": catalog.verdicts.forget(subject),
    }


def verified_erasure(file: Path, public: str) -> "ErasureReport | None":
    """The report in a file, if the owner of the public key (64 hexadecimal digits) signed it as it is. Raises InvalidInput."""
    from retrieval.adapters.catalog.versions.reports import is_signed_by, read_report

    report = read_report(file)
    return report if is_signed_by(report, public) else None


def write_graph(graph: "Subgraph", path: Path, *, format_: str) -> None:
    """Write what a principal may see of the knowledge graph to a file, as `graphml` or `json`. Raises InvalidInput."""
    from retrieval.adapters import graph_files

    graph_files.write_graph(graph, path, format_=format_)


@contextmanager
def checkpointing(settings: Settings, catalog: Catalog) -> Iterator[None]:
    from retrieval.adapters.catalog.audit.checkpointing import Checkpointing

    thread = Checkpointing(
        open_checkpoints(settings, catalog), records=settings.audit_checkpoint_records, seconds=settings.audit_checkpoint_seconds
    )
    thread.start()
    try:
        yield
    finally:
        thread.stop()
