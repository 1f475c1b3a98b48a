"""`archivist lineage`: what an answer stands on, and whom a run or a document reached. Ids and times, never a text."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.audit import OPERATOR
from retrieval.domain.lineage import Showing, TracedVersion
from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.bootstrap import Catalog
    from retrieval.lineage_service import LineageService

app = typer.Typer(help="Lineage both ways. That it was looked at is recorded.", no_args_is_help=True)

Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Most versions, and most records of showings.")]


@app.command()
def answer(id: Annotated[str, typer.Argument(help="Request id of an answer or a retrieval.")], *, as_json: AsJson = False) -> None:
    """Show the passages, versions and runs that an answer stands on, and its models, prompt and calibration."""
    with catalog_of() as catalog:
        traced = _service(catalog).answer(OPERATOR, id)
    if as_json:
        print_json(asdict(traced))
        return
    said = {name: value for name, value in asdict(traced).items() if name != "versions" and value is not None}
    print_table(["what", "which"], list(said.items()), empty="Nothing is known.")
    _print_versions(traced.versions)


@app.command()
def run(id: Annotated[str, typer.Argument(help="Id of a run.")], *, limit: Limit = None, as_json: AsJson = False) -> None:
    """Show what a run published, and who was shown it."""
    with catalog_of() as catalog:
        traced = _service(catalog).run(OPERATOR, id, limit=limit)
    if as_json:
        print_json(asdict(traced))
        return
    note(f"{traced.source}, registration {traced.spec_version}, {traced.started_at}: {traced.outcome or 'not finished'}")
    _print_versions(traced.versions)
    _print_showings(traced.showings, has_more=traced.has_more_showings)


@app.command()
def document(id: Annotated[str, typer.Argument(help="Id of a document.")], *, limit: Limit = None, as_json: AsJson = False) -> None:
    """Show a document's versions with their runs, and who was shown them."""
    with catalog_of() as catalog:
        traced = _service(catalog).document(OPERATOR, id, limit=limit)
    if as_json:
        print_json(asdict(traced))
        return
    _print_versions(traced.versions)
    _print_showings(traced.showings, has_more=traced.has_more_showings)


def _service(catalog: "Catalog") -> "LineageService":
    from retrieval.lineage_service import LineageService  # noqa: PLC0415 - the catalog is open by now

    return LineageService(Settings(), catalog.lineage, catalog.recalls, catalog.audit)


def _print_versions(versions: Sequence[TracedVersion]) -> None:
    columns = ("document", "number", "state", "published_run", "published_at", "recipe", "passages", "quoted")
    rows = [
        (each.document, each.number, each.state, each.published_run, each.published_at, each.recipe, len(each.passages), len(each.quoted))
        for each in versions
    ]
    print_table(columns, rows, empty="No version.")


def _print_showings(showings: Sequence[Showing], *, has_more: bool) -> None:
    columns = ("at", "person", "application", "action", "request_id", "document", "quoted", "seq")
    print_table(columns, [[getattr(each, column) for column in columns] for each in showings], empty="Nobody was shown any of it.")
    if has_more:
        note("There are earlier showings: ask with a larger --limit.")
