"""`archivist sources`: where documents come from. Registering and syncing is the pipeline's work, done in a process of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from api.cli.pipeline import run_pipeline
from retrieval.domain.errors import InvalidInput
from retrieval.domain.registration_form import changed_fields
from retrieval.domain.sources import SourceState, spec_as_json
from retrieval.ports.sources import PermissionAge, RegisteredSource, Registration, SourceStatus

_STALE = {
    "withheld": "Nobody reads {id} now: its permissions were last read at {permissions_read_at}. Sync it to read them again.",
    "warned": "The permissions of {id} are too old, last read at {permissions_read_at}; it is shown with a warning. Sync it.",
}

app = typer.Typer(help="Sources of documents: register, apply, list, history, status, sync.", no_args_is_help=True)


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
    run_pipeline("pipelines.register", *map(str, files), *options)


@app.command()
def apply(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="Every YAML file below it is read.")],
    *,
    by: Annotated[str, typer.Option("--by", metavar="SUBJECT", help="Who applies it, e.g. user:dana, for the record.")] = "app:cli",
    manifest: Annotated[
        str, typer.Option("--manifest", metavar="NAME", help="Name of the folder, by which its sources are known as its own.")
    ] = "",
    prune: Annotated[bool, typer.Option("--prune", help="Retire sources of this manifest that are gone from the folder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at every source and show what would happen; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the registered sources to what a folder of YAML files says. Nothing is done unless every file is right.

    Each source is created, changed or left as it is; the files are those that `register` takes.
    """
    options = ["--by", by, "--manifest", manifest, *(["--prune"] if prune else []), *(["--dry-run"] if dry_run else [])]
    run_pipeline("pipelines.apply", str(folder), *options, *(["--json"] if as_json else []))


@app.command()
def history(source: Annotated[str, typer.Argument(metavar="ID")], *, as_json: AsJson = False) -> None:
    """Show every version of a source's registration, newest first: who registered it, when, and what that changed."""
    with catalog_of() as catalog:
        versions = catalog.sources.history(source)
    earlier = [version.spec for version in versions[1:]]
    changes = [changed_fields(before, after.spec) for before, after in zip(earlier, versions, strict=False)] + [()]
    if as_json:
        print_json([_version(version, changed) for version, changed in zip(versions, changes, strict=True)])
        return
    rows = [
        (version.version, version.registered_at, version.registered_by, ", ".join(changed) or "registered")
        for version, changed in zip(versions, changes, strict=True)
    ]
    print_table(("version", "registered_at", "registered_by", "changed"), rows, empty="")


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
    run_pipeline("pipelines.sync", *wanted, *(["--json"] if as_json else []))


def _active() -> list[str]:
    with catalog_of() as catalog:
        return [source.spec.id for source in catalog.sources.list() if source.state is SourceState.ACTIVE]


def _registered(source: RegisteredSource) -> dict[str, Any]:
    return {
        **spec_as_json(source.spec),
        "version": source.version,
        "state": source.state.value,
        "registered_at": source.registered_at,
        "registered_by": source.registered_by,
        "last_success_at": source.last_success_at,
    }


def _version(version: Registration, changed: Sequence[str]) -> dict[str, Any]:
    told = {"version": version.version, "registered_at": version.registered_at, "registered_by": version.registered_by}
    return told | {"changed": list(changed), "source": spec_as_json(version.spec)}


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
