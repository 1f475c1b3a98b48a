"""`archivist graph`: glossaries of sources, and the knowledge graph as a file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.opening import catalog_of
from api.cli.output import AsJson, note, print_json, print_table
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import Principal, check_subject
from retrieval.settings import Settings

app = typer.Typer(help="The knowledge graph: glossaries of sources, export to a file.", no_args_is_help=True)
glossary = typer.Typer(help="Words that a source's owner defines, with their aliases: apply, show.", no_args_is_help=True)
app.add_typer(glossary, name="glossary")

SourceId = Annotated[str, typer.Argument(metavar="SOURCE", help="Id as `archivist sources list` shows it.")]


class GraphFormat(StrEnum):
    """Formats of an export."""

    GRAPHML = "graphml"
    JSON = "json"


@glossary.command()
def apply(
    source: SourceId,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.yaml", exists=True, dir_okay=False, readable=True, help="terms: name, kind, aliases, definition."),
    ],
    *,
    by: Annotated[str, typer.Option("--by", metavar="SUBJECT", help="Who applies it, e.g. user:dana, for the record.")] = "app:cli",
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong; apply nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a source's glossary in force, in the place of the one before. The same file again changes nothing.

    Definitions are shown at once, to those who may read a passage of the source that mentions the term. Mentions of new terms and
    aliases are found when the source is next synced.
    """
    from retrieval.bootstrap import read_glossary  # noqa: PLC0415 - imports the catalog's libraries

    terms = read_glossary(file.read_bytes(), Settings())
    with catalog_of() as catalog:
        catalog.sources.get(source)
        version = 0 if check else catalog.glossaries.apply(source, terms, by=check_subject(by, field="by"))
    if as_json:
        print_json({"source": source, "terms": len(terms), "version": None if check else version})
        return
    note(
        f"{len(terms)} terms are in order." if check else f"Version {version} of the glossary of {source} is in force: {len(terms)} terms."
    )


@glossary.command()
def show(source: SourceId, *, as_json: AsJson = False) -> None:
    """Show the glossary of a source that is in force."""
    with catalog_of() as catalog:
        catalog.sources.get(source)
        terms = catalog.glossaries.terms(source)
    if as_json:
        print_json([{"name": t.name, "kind": t.kind, "aliases": list(t.aliases), "definition": t.definition} for t in terms])
        return
    rows = [(term.name, term.kind or None, ", ".join(term.aliases) or None, term.definition or None) for term in terms]
    empty = f"{source} has no glossary. Apply one with: archivist graph glossary apply {source} FILE.yaml"
    print_table(("name", "kind", "aliases", "definition"), rows, empty=empty)


@app.command()
def export(
    *,
    as_: Annotated[str, typer.Option("--as", metavar="SUBJECT", help="As whom: only what user:<id> or app:<id> may read is exported.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write. It is readable to you only.")],
    format_: Annotated[GraphFormat, typer.Option("--format", help="GraphML, or JSON as networkx reads it.")] = GraphFormat.GRAPHML,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source. Repeat it for more.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the knowledge graph, as far as somebody may read it, to a file: entities, passages, mentions and relations.

    The groups are those of the directory. That you did so is recorded, with every document that the file stands on.

    Example: archivist graph export --as user:ann --format graphml --output graph.graphml
    """
    from retrieval.bootstrap import write_graph  # noqa: PLC0415 - imports the catalog's libraries
    from retrieval.graph_service import GraphService  # noqa: PLC0415 - imports numpy

    principal = _principal(as_)
    with catalog_of() as catalog:
        for each in source or []:
            catalog.sources.get(each)
        graph = GraphService(Settings(), catalog.graph, catalog.audit).export(principal, sources=source or [])
    write_graph(graph, output, format_=format_.value)
    counts = {"entities": len(graph.entities), "passages": len(graph.passages), "mentions": len(graph.mentions)}
    if as_json:
        print_json({"file": str(output), **counts, "relations": len(graph.relations)})
        return
    note(f"Wrote {counts['entities']} entities and {counts['passages']} passages to {output}.")


def _principal(subject: str) -> Principal:
    """From `user:ann`, `app:intranet` or `user:<issuer>|<id>`."""
    principal = Principal.of_subject(check_subject(subject, field="as"))
    if principal is None:
        raise InvalidInput.of("as", "somebody who reads is 'user:<id>' or 'app:<id>'")
    return principal
