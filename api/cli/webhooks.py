"""`archivist webhooks`: which applications are told that a question has been looked at, and where."""

from typing import Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.audit import OPERATOR
from retrieval.domain.keys import member
from retrieval.domain.permissions import PrincipalKind
from retrieval.settings import Settings

app = typer.Typer(help="Webhooks of applications: add, list, remove.", no_args_is_help=True)
Application = Annotated[str, typer.Argument(help="The application, e.g. intranet.")]


@app.command()
def add(
    application: Application,
    url: Annotated[str, typer.Argument(help="Where it is told, by https.")],
    *,
    secret: Annotated[
        str, typer.Option("--secret", help="Where the secret is: env:ARCHIVIST_WEBHOOK_… or file:PATH. Default: one is made and printed.")
    ] = "",
) -> None:
    """Tell an application by a signed POST when a question that was asked through it is closed. It replaces the webhook before.

    The message names the escalation and nothing else; signatures are those of standardwebhooks.com.

    Example: archivist webhooks add intranet https://intranet.example/hooks/archivist
    """
    from retrieval.bootstrap import register_webhook  # noqa: PLC0415 - SQLAlchemy takes half a second

    with catalog_of() as catalog:
        made = register_webhook(Settings(), catalog, _subject(application), url, secret=secret)
    if made is not None:
        typer.echo(made)
        note("The secret that messages are signed with. Keep it now: it is not shown again.")


@app.command("list")
def list_webhooks(*, as_json: AsJson = False) -> None:
    """List all webhooks. Never their secrets."""
    with catalog_of() as catalog:
        listed = [
            {"application": each.application, "url": each.url, "secret": each.secret or "kept", "registered_at": each.registered_at}
            for each in catalog.webhooks.list()
        ]
    if as_json:
        print_json(listed)
        return
    columns = ("application", "url", "secret", "registered_at")
    print_table(columns, [[each[column] for column in columns] for each in listed], empty="There are no webhooks.")


@app.command()
def remove(application: Application) -> None:
    """Tell the application no more. Messages that still wait for it are given up."""
    with catalog_of() as catalog:
        catalog.webhooks.remove(_subject(application), by=OPERATOR.subject)


def _subject(application: str) -> str:
    return member(application, kind=PrincipalKind.APP).subject
