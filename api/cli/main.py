"""The `archivist` command: a table of contents."""

import typer

from api.cli import (
    ask,
    audit,
    budget,
    calibrate,
    demo,
    directory,
    erasure,
    evaluate,
    forget,
    gaps,
    graph,
    index,
    keys,
    lineage,
    models,
    serve,
    sources,
    up,
    usage,
    versions,
    webhooks,
)
from api.cli.failures import EXIT_CODES, FailingClearly

app = typer.Typer(
    name="archivist",
    cls=FailingClearly,
    help="Cited answers from your documents, to those who may read them. Settings come from ARCHIVIST_… variables; the README lists them.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("serve")(serve.serve)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("ask")(ask.ask)
app.command("retrieve")(ask.retrieve)
app.command("usage")(usage.usage)
app.add_typer(sources.app, name="sources")
app.add_typer(keys.app, name="keys")
app.add_typer(directory.app, name="directory")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(index.app, name="index")
app.add_typer(models.app, name="models")
app.add_typer(graph.app, name="graph")
app.add_typer(audit.app, name="audit")
app.add_typer(lineage.app, name="lineage")
app.add_typer(budget.app, name="budget")
app.add_typer(evaluate.app, name="eval")
app.add_typer(calibrate.app, name="calibrate")
app.command("gaps")(gaps.gaps)
app.command("forget")(forget.forget)
app.command("rollback")(versions.rollback)
app.command("release")(versions.release)
app.command("retention")(versions.retention)
app.add_typer(versions.documents, name="documents")
app.add_typer(erasure.app, name="erasure")

if __name__ == "__main__":
    app()
