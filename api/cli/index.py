"""`archivist index`: who serves an index of the catalog, how far behind it is, and the request to build it anew."""

from typing import Annotated, Any

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.errors import InvalidInput

app = typer.Typer(help="The search index: status, rebuild.", no_args_is_help=True)


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Show every index that follows the catalog: how many revisions it is behind, its generation, its passages, and whether it lives."""
    with catalog_of() as catalog:
        revision = catalog.revision()
        followers: list[dict[str, Any]] = [
            {
                "name": follower.name,
                "alive": catalog.index_state.is_alive(follower),
                "state": follower.state,
                "applied_revision": follower.applied_revision,
                "behind": max(0, revision - follower.applied_revision),
                "generation": follower.generation,
                "passages": follower.passages,
                "heartbeat_at": follower.heartbeat_at,
                "process": follower.process,
                "host": follower.host,
            }
            for follower in catalog.index_state.followers()
        ]
    if as_json:
        print_json({"catalog_revision": revision, "followers": followers})
        return
    note(f"The catalog is at revision {revision}.")
    columns = ("name", "alive", "state", "behind", "generation", "passages", "heartbeat_at", "process", "host")
    rows = [[_shown(follower[column]) for column in columns] for follower in followers]
    print_table(columns, rows, empty="No index follows the catalog yet. Start one with: archivist serve")


@app.command()
def rebuild(
    *,
    name: Annotated[str | None, typer.Option("--name", help="Only the index of this name; `archivist index status` shows names.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the index to be built anew from the catalog. It serves from the old one until the new one is ready.

    The running API does the work and starts with its next look at the catalog; one that is not running starts when it is.
    """
    with catalog_of() as catalog:
        asked = catalog.index_state.request_rebuild(name)
    if not asked:
        raise InvalidInput.of("name", "there is no such index" if name else "no index follows the catalog yet: start `archivist serve`")
    if as_json:
        print_json({"asked": asked})
        return
    note(f"Asked {asked} {'index' if asked == 1 else 'indexes'} to rebuild. Watch it with: archivist index status")


def _shown(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
