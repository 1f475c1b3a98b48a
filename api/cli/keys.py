"""`archivist keys`: who may call the API, as whom, and in which groups."""

from typing import Annotated, Any

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.clock import SystemClock
from retrieval.domain.errors import InvalidInput
from retrieval.domain.keys import MAX_DAYS, KeyTerms, StoredApiKey, group_subjects, issue, member
from retrieval.domain.permissions import PrincipalKind
from retrieval.domain.roles import Role

app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)


@app.command()
def create(
    *,
    user: Annotated[str, typer.Option("--user", help="The person the key speaks for, e.g. alice.")] = "",
    application: Annotated[str, typer.Option("--app", help="Or the application it speaks for, e.g. intranet.")] = "",
    group: Annotated[
        list[str] | None, typer.Option("--group", help="Make the principal a member of exactly these groups. Repeat it for more.")
    ] = None,
    role: Annotated[
        list[Role] | None, typer.Option("--role", help="What the key is good for. Repeat it for more. Default: user, or app.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source. Repeat it for more. Default: all its principal may read.")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="What the key is for, so that you know it again in the list.")] = "",
    expires_days: Annotated[
        int | None, typer.Option("--expires-days", min=1, max=MAX_DAYS, help="Days until the key stops working. Default: never.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create an API key and print it. It is shown this once; only a hash of it is kept.

    Without --group, the groups that the principal is in already stay as they are.

    Example: ARCHIVIST_KEY=$(archivist keys create --user alice --group engineering)
    """
    if bool(user) == bool(application):
        raise InvalidInput.of("principal", "name either --user or --app")
    principal = member(user or application, kind=PrincipalKind.USER if user else PrincipalKind.APP)
    terms = KeyTerms(frozenset(role or []), frozenset(source) if source else None, label, expires_days)
    key, stored = issue(principal, terms, now=SystemClock().now())
    groups = group_subjects(group or [])
    with catalog_of() as catalog:
        if groups:
            catalog.directory.set_groups(principal.subject, groups)
        catalog.keys.add(stored)
        groups = catalog.directory.groups(principal.subject)
    if as_json:
        print_json({**_described(stored, groups), "key": key.written})
        return
    typer.echo(key.written)
    until = "" if stored.expires_at is None else f", until {stored.expires_at:%Y-%m-%d %H:%M} UTC"
    limited = f", for {', '.join(sorted(terms.sources))} only" if terms.sources else ""
    for_whom = f"{principal.subject} in {', '.join(sorted(groups)) or 'no group'}"
    note(f"For {for_whom}, as {', '.join(sorted(stored.roles))}{limited}{until}. Keep it now: it is not shown again.")


@app.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List all keys, newest first: for whom, until when, and whether they still work. Never the keys themselves."""
    with catalog_of() as catalog:
        listed = [_described(key, catalog.directory.groups(key.principal.subject)) for key in catalog.keys.list()]
    if as_json:
        print_json(listed)
        return
    columns = ("id", "principal", "groups", "roles", "sources", "label", "created_at", "expires_at", "state")
    rows = [[", ".join(cell) if isinstance(cell := key[column], list) else cell for column in columns] for key in listed]
    print_table(columns, rows, empty="There are no keys. Create one with: archivist keys create --user NAME")


@app.command()
def revoke(ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids as `archivist keys list` shows them.")]) -> None:
    """Revoke keys. They stop working with the next request; what was revoked stays revoked."""
    now = SystemClock().now()
    with catalog_of() as catalog:
        for written in ids:
            key_id = written.removeprefix("ak_").partition("_")[0]
            catalog.keys.revoke(key_id, now)
            note(f"Revoked {key_id}.")


def _described(key: StoredApiKey, groups: frozenset[str]) -> dict[str, Any]:
    sources = key.principal.sources
    return {
        "id": key.id,
        "principal": key.principal.subject,
        "groups": sorted(groups),
        "roles": sorted(key.roles),
        "sources": None if sources is None else sorted(sources),
        "label": key.label,
        "created_at": key.created_at.isoformat(timespec="seconds"),
        "expires_at": key.expires_at and key.expires_at.isoformat(timespec="seconds"),
        "state": key.state(SystemClock().now()).value,
    }
