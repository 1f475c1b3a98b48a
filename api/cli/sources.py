"""`archivist sources`: where documents come from. Registering and syncing is the pipeline's work, done in a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import SourceState, spec_as_json
from retrieval.ports.sources import PermissionAge, RegisteredSource, SourceStatus

_STALE = {
    "withheld": "Nobody reads {id} now: its permissions were last read at {permissions_read_at}. Sync it to read them again.",
    "warned": "The permissions of {id} are too old, last read at {permissions_read_at}; it is shown with a warning. Sync it.",
}

app = typer.Typer(help="Sources of documents: register, list, status, sync.", no_args_is_help=True)


@app.command()
def register(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE.yaml...", exists=True, dir_okay=False, readable=True, help="One YAML file for each source."),
    ],
    *,
    by: Annotated[str, typer.Option("--by", metavar="SUBJECT", help="Who registers, e.g. user:dana, for the record.")] = "app:cli",
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong; register nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register sources, or change those that are registered. The same file again changes nothing.

    A file names id, kind, title, owner, location and permission rules. A relative path in it is taken from where the file is.
    """
    options = ["--by", by, *(["--check"] if check else []), *(["--json"] if as_json else [])]
    _pipeline("pipelines.register", *map(str, files), *options)


@app.command("list")
def list_sources(*, as_json: AsJson = False) -> None:
    """List the registered sources."""
    with catalog_of() as catalog:
        listed = [_registered(source) for source in catalog.sources.list()]
    if as_json:
        print_json(listed)
        return
    columns = ("id", "kind", "title", "owner", "state", "classification", "schedule", "last_success_at")
    rows = [[source[column] or None for column in columns] for source in listed]
    print_table(columns, rows, empty="No source is registered. Register one with: archivist sources register FILE.yaml")


@app.command()
def status(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Default: all of them.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show how sources stand: documents, those that nobody may read, those in quarantine, passages, and the last run."""
    with catalog_of() as catalog:
        wanted = ids or [source.spec.id for source in catalog.sources.list()]
        found = [_status(catalog.sources.status(source)) for source in wanted]
    if as_json:
        print_json(found)
        return
    counts = ("documents", "readable", "nobody_reads", "quarantined", "passages")
    columns = ("id", "state", *counts, "permissions_stale", "last_run", "last_success_at")
    rows = [[_run_in_words(source[column]) if column == "last_run" else source[column] for column in columns] for source in found]
    print_table(columns, rows, empty="No source is registered. Register one with: archivist sources register FILE.yaml")
    for source in found:
        if source["permissions_stale"] != PermissionAge.FRESH.value:
            note(_STALE[source["permissions_stale"]].format(**source))


@app.command()
def sync(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids as `archivist sources list` shows them.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every active source.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring sources up to date now: list, parse, embed and publish what is new, withdraw what is gone."""
    if everything == bool(ids):
        raise InvalidInput.of("source", "name sources, or --all")
    wanted = ids or _active()
    if not wanted:
        raise InvalidInput.of("source", "no source is active")
    _pipeline("pipelines.sync", *wanted, *(["--json"] if as_json else []))


def _active() -> list[str]:
    with catalog_of() as catalog:
        return [source.spec.id for source in catalog.sources.list() if source.state is SourceState.ACTIVE]


def _pipeline(module: str, *arguments: str) -> None:
    """Run one of the pipeline's programs with our output, and end as it ends."""
    with subprocess.Popen([sys.executable, "-m", module, *arguments]) as program:  # noqa: S603 - our own program, no shell
        try:
            code = program.wait()
        except KeyboardInterrupt:
            code = program.wait()  # the terminal has told it too; let it end in order
    raise typer.Exit(code if code >= 0 else 128 - code)


def _registered(source: RegisteredSource) -> dict[str, Any]:
    return {
        **spec_as_json(source.spec),
        "version": source.version,
        "state": source.state.value,
        "registered_at": source.registered_at,
        "registered_by": source.registered_by,
        "last_success_at": source.last_success_at,
    }


def _status(status: SourceStatus) -> dict[str, Any]:
    run = status.last_run
    return {
        "id": status.source.spec.id,
        "state": status.source.state.value,
        "documents": status.documents,
        "readable": status.readable,
        "nobody_reads": status.nobody_reads,
        "quarantined": status.quarantined,
        "passages": status.passages,
        "formats": dict(status.formats),
        "last_success_at": status.source.last_success_at,
        "permissions_read_at": status.permissions_read_at,
        "permissions_stale": status.permissions.value,
        "last_run": run and {**vars(run), "counts": dict(run.counts)},
    }


def _run_in_words(run: dict[str, Any] | None) -> str | None:
    if run is None:
        return None
    if run["outcome"] is not None:
        return f"{run['outcome']}: {run['problem']}" if run["problem"] else str(run["outcome"])
    total = "" if run["total"] is None else f" of {run['total']}"
    return f"{run['phase']}: {run['done']}{total}"
