"""`archivist audit`: who was shown what, and whether the record of it is whole."""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.audit_verify import report, verify_place
from api.cli.failures import FAILED
from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.audit import OPERATOR, AuditAction, AuditFilter, AuditRecord
from retrieval.domain.errors import InvalidInput, Unavailable
from retrieval.domain.permissions import check_subject
from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.bootstrap import Catalog

app = typer.Typer(help="The audit log: show, verify, export; who saw what.", no_args_is_help=True)

PAGE = 1_000
Since = Annotated[datetime | None, typer.Option("--from", help="From this moment on, in UTC.")]
Until = Annotated[datetime | None, typer.Option("--to", help="Before this moment, in UTC.")]
Last = Annotated[int, typer.Option("--last", min=1, help="Most records to show: the newest ones.")]


@app.command()
def show(
    *,
    actor: Annotated[str | None, typer.Option("--actor", help="Who asked, or for whom an application asked, e.g. user:alice.")] = None,
    document: Annotated[str | None, typer.Option("--document", help="Id of a document that the records name.")] = None,
    action: Annotated[AuditAction | None, typer.Option("--action", help="What was done.")] = None,
    since: Since = None,
    until: Until = None,
    last: Last = 50,
    decrypt: Annotated[bool, typer.Option("--decrypt", help="Show the text of queries. That you did so is recorded.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show records, newest first. That they were shown is recorded, too."""
    wanted = AuditFilter(person=actor, document=document, action=action, since=_utc(since), until=_utc(until))
    with catalog_of() as catalog:
        records = _newest(catalog, wanted, last)
        queries = catalog.audit.decrypt(OPERATOR, records) if decrypt else [None] * len(records)
    said = [_said(record, query) for record, query in zip(records, queries, strict=True)]
    if as_json:
        print_json(said)
        return
    columns = ["seq", "at", "actor", "act_for", "action", "decision", "outcome", "documents", *(["query"] if decrypt else [])]
    rows = [[len(s.get("documents", ())) if column == "documents" else s.get(column) for column in columns] for s in said]
    print_table(columns, rows, empty="Nothing has been recorded.")


@app.command("who-saw")
def who_saw(
    *,
    document: Annotated[str | None, typer.Option("--document", help="Who was shown this document, and when?")] = None,
    person: Annotated[str | None, typer.Option("--person", help="Which documents was this person shown? E.g. user:alice.")] = None,
    since: Since = None,
    until: Until = None,
    last: Last = 1_000,
    as_json: AsJson = False,
) -> None:
    """Show who was shown a document, or which documents a person was shown."""
    if (document is None) == (person is None):
        raise InvalidInput.of("who-saw", "name either --document or --person")
    subject = None if person is None else check_subject(person, field="person")
    wanted = AuditFilter(person=subject, document=document, shown_only=True, since=_utc(since), until=_utc(until))
    with catalog_of() as catalog:
        records = _newest(catalog, wanted, last)
    columns = ("at", "actor", "act_for", "action", "document", "version", "passages", "seq")
    rows = [row for record in records for row in _sightings(record, document)]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    print_table(columns, rows, empty="Nobody." if document else "Nothing.")


@app.command()
def verify(
    *,
    export: Annotated[Path | None, typer.Option("--export", exists=True, help="Verify this exported log and not the catalog's.")] = None,
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="File of signed checkpoints. Default: that of the settings.")
    ] = None,
    public_key: Annotated[
        str | None, typer.Option("--public-key", help="As `archivist audit public-key` printed it once. Default: that of the key file.")
    ] = None,
) -> None:
    """Check the audit log for tampering, and say where. Exit code 0 when it is whole, 1 when it is not.

    Whoever can write the key file and the catalog can sign a log of their own: note the public key down elsewhere, and give it here.
    """
    from retrieval.bootstrap import audit_public_key  # noqa: PLC0415 - the other commands do without

    settings = Settings()
    place = str(export) if export else settings.resolved_catalog_url.removeprefix("sqlite:///")
    key = public_key or audit_public_key(settings)
    try:
        verdict = verify_place(place, checkpoints or settings.resolved_audit_checkpoint_file, key)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise Unavailable(f"the audit log cannot be read: {error}") from error
    typer.echo(report(verdict))
    if verdict.finding is not None:
        raise typer.Exit(FAILED)


@app.command("public-key")
def print_public_key() -> None:
    """Print the public key of the checkpoints' signatures: 64 hexadecimal digits. Note it down where nobody changes it."""
    from retrieval.bootstrap import audit_public_key  # noqa: PLC0415

    typer.echo(audit_public_key(Settings()))


@app.command()
def checkpoint() -> None:
    """Sign a checkpoint now. The running API signs them by itself."""
    from retrieval.bootstrap import open_checkpoints  # noqa: PLC0415

    with catalog_of() as catalog:
        signed = open_checkpoints(Settings(), catalog).add()
    note(f"Signed {signed} records.")


@app.command()
def export(file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="A new file, which only you can read.")]) -> None:
    """Write the whole log to a file that `archivist audit verify --export` can check. Queries stay encrypted."""
    with catalog_of() as catalog:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as opened:
            count = 0
            for record in catalog.audit.export(OPERATOR):
                opened.write(_exported(record))
                count += 1
    note(f"Exported {count} records.")


@app.command("forget-queries")
def forget_queries(*, sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Destroy the key of all query texts so far: nobody can read them any more, and the log stays whole.

    Copies of the catalog that were made earlier keep their key until they are deleted.
    """
    if not sure:
        typer.confirm("Make the text of all recorded queries unreadable for good?", abort=True)
    with catalog_of() as catalog:
        catalog.audit.forget_queries(OPERATOR)
    note("Nobody can read the queries recorded so far any more.")


def _newest(catalog: "Catalog", wanted: AuditFilter, last: int) -> list[AuditRecord]:
    records: list[AuditRecord] = []
    while len(records) < last:
        count = min(PAGE, last - len(records))
        page = catalog.audit.read(OPERATOR, wanted, before=records[-1].seq if records else None, limit=count)
        records += page
        if len(page) < count:
            break
    return records


def _said(record: AuditRecord, query: str | None) -> dict[str, Any]:
    said = {**record.fields, "hash": record.hash.hex(), "query": query}
    return {name: value for name, value in said.items() if value is not None}


def _sightings(record: AuditRecord, document: str | None) -> Iterator[Sequence[Any]]:
    said: Any = record.fields
    for shown in said.get("documents", ()):
        if document in (None, shown["document"]):
            place = (said["at"], said["actor"], said.get("act_for"), said["action"])
            yield (*place, shown["document"], shown.get("version"), len(shown.get("passages", ())), record.seq)


def _exported(record: AuditRecord) -> str:
    row = {"seq": record.seq, "prev_hash": record.prev_hash.hex(), "hash": record.hash.hex(), "record": record.record}
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)
