"""`archivist rollback`, `release`, `retention` and `documents`: earlier versions of documents."""

import sys
from difflib import unified_diff
from typing import Annotated, Any

import typer

from api.cli.ask import Key, Url
from api.cli.client import ApiClient
from api.cli.opening import catalog_of
from api.cli.output import AsJson, harmless, note, print_json, print_table
from api.cli.pipeline import run_pipeline
from retrieval.domain.audit import OPERATOR
from retrieval.settings import Settings

documents = typer.Typer(help="What documents said before: history, diff.", no_args_is_help=True)
Sure = Annotated[bool, typer.Option("--yes", help="Do it. Without this, what would happen is shown.")]


def rollback(
    source: Annotated[str, typer.Argument(help="The source's id.")],
    *,
    revision: Annotated[int | None, typer.Option("--revision", help="The catalog's revision to go back to.")] = None,
    time: Annotated[str | None, typer.Option("--time", help="The moment to go back to, UTC where it has no zone.")] = None,
    before_run: Annotated[str | None, typer.Option("--before-run", help="The run before whose changes to go back.")] = None,
    undo_run: Annotated[str | None, typer.Option("--undo-run", help="The run whose own changes to take back.")] = None,
    version: Annotated[int | None, typer.Option("--version", help="Number of the document's version to go back to.")] = None,
    document: Annotated[str | None, typer.Option("--document", help="Id of the only document to change.")] = None,
    bring_back: Annotated[bool, typer.Option("--bring-back", help="Bring back what was withdrawn since, too.")] = False,
    without_refused: Annotated[bool, typer.Option("--without-refused", help="Go back although some documents cannot.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="SUBJECT", help="Who goes back, e.g. user:dana, for the record.")] = "app:cli",
    sure: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Go back to what a source, a document or a run published before. Name one of revision, time, runs and version."""
    to = {"revision": revision, "time": time, "before-run": before_run, "undo-run": undo_run, "version": version, "document": document}
    chosen = {"bring-back": bring_back, "without-refused": without_refused, "yes": sure, "json": as_json}
    named = [f"--{name}={value}" for name, value in {**to, "by": by}.items() if value is not None]
    run_pipeline("pipelines.rollback", source, *named, *(f"--{name}" for name, wanted in chosen.items() if wanted))


def release(
    source: Annotated[str, typer.Argument(help="The source's id.")],
    *,
    document: Annotated[str | None, typer.Option("--document", help="Id of the only document to release.")] = None,
    sure: Sure = False,
) -> None:
    """Let the next run follow a source again where a rollback holds something back."""
    with catalog_of() as catalog:
        held = [each for each in catalog.rollback.held(source) if document in (None, each.document)]
        rows = [(each.document, each.key, "absence" if each.is_absent else "content", each.held_at, each.held_by) for each in held]
        print_table(("document", "key", "held back", "since", "by"), rows, empty="Nothing is held back.")
        if sure:
            note(f"Released {catalog.rollback.release(source, document=document, by=OPERATOR.subject)} documents.")


def retention(
    sources: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Default: all of them.")] = None,
    *,
    sure: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Remove versions that nobody sees any more and that no term of their source keeps."""
    from retrieval.bootstrap import open_ingestion  # noqa: PLC0415 - SQLAlchemy takes half a second

    with open_ingestion(Settings()) as parts:
        catalog, found = parts.catalog, {}
        for registered in [catalog.sources.get(id_) for id_ in sources] if sources else catalog.sources.list():
            source, terms = registered.spec.id, registered.spec.retention
            found[source] = (
                catalog.retention.remove(source, terms, by=OPERATOR.subject, remove_content=parts.blobs.remove)
                if sure
                else catalog.retention.beyond(source, terms)
            )
    if as_json:
        print_json({source: vars(counts) for source, counts in found.items()})
        return
    columns = ("documents", "versions", "passages", "embeddings", "texts", "contents")
    rows = [[source, *(getattr(counts, column) for column in columns)] for source, counts in found.items()]
    print_table(("source", *columns), rows, empty="No source is registered.")
    if not sure:
        note("Nothing was removed: --yes does it.")


@documents.command()
def history(
    document: Annotated[str, typer.Argument(help="The document's id.")], *, url: Url = "", key: Key = "", as_json: AsJson = False
) -> None:
    """Show the versions of a document that you may read, newest first."""
    with ApiClient(Settings(), url=url, key=key) as api:
        found = api.get(f"/documents/{document}/versions")
    if as_json:
        print_json(found)
        return
    rows = [[each["number"], each["state"], each["title"], each["characters"], _times(each["current"])] for each in found["versions"]]
    print_table(("version", "state", "title", "characters", "current"), rows, empty="There is no version.")


@documents.command()
def diff(
    document: Annotated[str, typer.Argument(help="The document's id.")],
    before: Annotated[int, typer.Argument(metavar="FROM", help="Number of a version.")],
    after: Annotated[int, typer.Argument(metavar="TO", help="Number of another version.")],
    *,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Show what changed from one version of a document to another."""
    with ApiClient(Settings(), url=url, key=key) as api:
        found = api.get(f"/documents/{document}/diff?from={before}&to={after}")
    if as_json:
        print_json(found)
        return
    for change in found["changes"]:
        place = f"characters {change['before']['start']} to {change['before']['end']}"
        lines = unified_diff(change["removed"].splitlines(), change["added"].splitlines(), n=0, lineterm="")
        sys.stdout.write(harmless(f"@@ {place} @@\n" + "\n".join(list(lines)[3:]) + "\n"))
    if not found["is_whole"]:
        note("There is more than is shown.")


def _times(times: list[dict[str, Any]]) -> str:
    return ", ".join(f"{time['since']} to {time['until'] or 'now'}" for time in times)
