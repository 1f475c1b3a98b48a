"""`archivist erasure`: remove documents, sources and what is said of a person, for good, and prove it."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.audit import OPERATOR
from retrieval.domain.erasure import ErasureKind, ErasureRequest
from retrieval.domain.errors import Conflict
from retrieval.settings import Settings

app = typer.Typer(help="Erase documents, sources and persons for good; list and verify the signed reports.", no_args_is_help=True)


@app.command()
def erase(
    kind: Annotated[ErasureKind, typer.Argument(help="What to erase.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the report. Without personal data.")],
    source: Annotated[str, typer.Option("--source", help="The source's id. For a person: the only one to search.")] = "",
    document: Annotated[str, typer.Option("--document", help="Id of the document.")] = "",
    subject: Annotated[str, typer.Option("--subject", help="The person whose questions go, such as user:ann.")] = "",
    word: Annotated[list[str] | None, typer.Option("--word", help="What names the person, such as an e-mail address. Repeat it.")] = None,
    sure: Annotated[bool, typer.Option("--yes", help="Do it. Nothing brings back what is erased.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what would go; with --yes, remove it everywhere and write a signed report."""
    from retrieval.bootstrap import open_erasing, open_ingestion  # noqa: PLC0415 - SQLAlchemy takes half a second

    request = ErasureRequest(kind=kind, reason=reason, source=source, document=document, subject=subject, words=tuple(word or ()))
    settings = Settings()
    with open_ingestion(settings) as parts:
        erasing = open_erasing(settings, parts.catalog, parts.blobs)
        if not sure:
            plan = erasing.plan(request)
            print_table(("source", "documents"), sorted(plan.documents.items()), empty="No document would go.")
            note(f"{plan.versions} versions, and {plan.old_versions} old ones of documents that stay. Nothing was erased: --yes does it.")
            return
        done = erasing.erase(request, by=OPERATOR.subject)
    if as_json:
        print_json(done.report.as_json())
        return
    print_table(("what", "removed"), list(done.report.removed.items()), empty="")
    note(f"The report is {done.file}")


@app.command("list")
def list_reports(*, as_json: AsJson = False) -> None:
    """List what was erased."""
    with catalog_of() as catalog:
        reports = catalog.erasure.reports()
    if as_json:
        print_json([report.as_json() for report in reports])
        return
    rows = [(report.id, report.at, report.kind.value, report.by, report.removed["documents"], report.reason) for report in reports]
    print_table(("id", "at", "kind", "by", "documents", "reason"), rows, empty="Nothing has been erased.")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A report.")],
    *,
    public_key: Annotated[str, typer.Option("--public-key", help="64 hexadecimal digits. Default: this installation's own key.")] = "",
) -> None:
    """Say whether a report is as it was signed."""
    from retrieval.bootstrap import audit_public_key, verified_erasure  # noqa: PLC0415 - as above

    report = verified_erasure(file, public_key or audit_public_key(Settings()))
    if report is None:
        raise Conflict("the report is not as this key signed it")
    note(f"Signed: {report.removed['documents']} documents and {report.removed['versions']} versions were erased at {report.at}.")
