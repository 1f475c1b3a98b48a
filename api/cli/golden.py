"""`archivist eval golden`: what reviewers have decided, as golden questions."""

import os
from pathlib import Path
from typing import Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import note
from retrieval.domain.audit import OPERATOR, AuditAction, AuditEntry


def export(file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="A new file, which only you can read.")]) -> None:
    """Write the questions that reviewers have answered with citations, each as whoever asked it. That you did so is recorded.

    Of a question that the same person asked twice, the latest decision counts.

    Example: archivist eval golden reviewed.yaml && archivist eval run --golden reviewed.yaml
    """
    from retrieval.evaluation.golden_export import as_yaml, golden_questions  # noqa: PLC0415 - the other commands do without

    with catalog_of() as catalog:
        questions = golden_questions(catalog.escalations)
        catalog.audit.record(AuditEntry(AuditAction.GOLDEN_EXPORTED, OPERATOR.subject, details={"questions": len(questions)}))
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as opened:
        opened.write(as_yaml(questions))
    note(f"Exported {len(questions)} questions.")
