"""`archivist gaps`: what people asked and sources did not tell, or tell wrongly."""

from typing import Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, print_json, print_table
from api.responses.gaps import COLUMNS, GapOut, gap_rows
from api.spreadsheets import as_csv
from retrieval.domain.clock import SystemClock
from retrieval.domain.errors import InvalidInput
from retrieval.domain.gaps import NO_SOURCE
from retrieval.settings import Settings


def gaps(
    *,
    month: Annotated[str | None, typer.Option("--month", help="Such as 2026-03, in UTC. Default: the current one.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source. Repeatable. Default: all, and nobody's.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV in which a spreadsheet computes nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one month's knowledge gaps by source. Nobody's words that too few people used, and never who asked.

    A source that is empty stands for questions that found nothing and named no source.
    """
    if csv and as_json:
        raise InvalidInput.of("gaps", "print either --csv or --json")
    from retrieval.bootstrap import open_deferred_embedder  # noqa: PLC0415 - SQLAlchemy and models
    from retrieval.learning_service.gap_reports import GapReports  # noqa: PLC0415 - NumPy

    settings = Settings()
    with catalog_of() as catalog:
        reports = GapReports(settings, SystemClock(), catalog.learning.gaps, open_deferred_embedder(settings), catalog.audit)
        everything = [*(registered.spec.id for registered in catalog.sources.list()), NO_SOURCE]
        groups = reports.told(source or everything, month=month)
    if csv:
        typer.echo(as_csv(COLUMNS, gap_rows(groups)), nl=False)
    elif as_json:
        print_json([GapOut.of(group).model_dump(mode="json") for group in groups])
    else:
        print_table(COLUMNS, gap_rows(groups), empty="No gaps.")
