"""`archivist usage`: what generated answers cost, by whom."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, print_json, print_table
from api.spreadsheets import as_csv
from retrieval.domain.clock import SystemClock
from retrieval.domain.errors import InvalidInput
from retrieval.domain.usage import MICRO, Grouping, UsageLine, Window
from retrieval.settings import Settings

COLUMNS = ("answers", "input_tokens", "output_tokens", "dollars")


def usage(
    *,
    by: Annotated[Grouping, typer.Option("--by", help="By what to add up.")] = Grouping.APPLICATION,
    since: Annotated[datetime | None, typer.Option("--from", help="From this moment on, in UTC. Default: this month.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="Before this moment, in UTC. Default: the end of that month.")] = None,
    with_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what generated answers cost. An answer that cites several sources is shared out evenly among them.

    Example: archivist usage --by source --from 2026-11-01
    """
    if with_csv and as_json:
        raise InvalidInput.of("format", "give --csv or --json, not both")
    window = Window.asked(_utc(since), _utc(until), now=SystemClock().now())
    with catalog_of() as catalog:
        lines = catalog.usage.lines(by, since=window.since, until=window.until, most=Settings().usage_max_lines)
    columns = (by.value, *COLUMNS)
    rows = [_row(line) for line in lines]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif with_csv:
        typer.echo(as_csv(columns, [[str(cell) for cell in row] for row in rows]), nl=False)
    else:
        print_table(columns, [[row[0] or None, *row[1:]] for row in rows], empty="No answer has been generated in this time.")


def _row(line: UsageLine) -> list[str | float]:
    numbers = (line.answers, line.input_tokens, line.output_tokens, line.micro_dollars / MICRO)
    return [line.key, *(int(number) if number == int(number) else round(number, 6) for number in numbers)]


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)
