"""`archivist ask` and `archivist retrieve`: questions to a running API, as the person whose key is sent."""

from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.text import Text

from api.cli.client import ApiClient
from api.cli.output import AsJson, console, harmless, note, print_json
from retrieval.settings import Settings

EXCERPT_CHARACTERS = 400

Url = Annotated[str, typer.Option("--url", help="The API's address. Default: ARCHIVIST_URL, else this machine.")]
Key = Annotated[
    str, typer.Option("--key", help="The API key. Better: the variable ARCHIVIST_KEY, which other users of this machine do not see.")
]
Sources = Annotated[list[str] | None, typer.Option("--source", help="Only this source. Repeat it for more.")]
Escalate = Annotated[
    bool | None,
    typer.Option("--escalate/--no-escalate", help="Whether a person shall look at it if it is not answered. Default: as the service says."),
]
AtLeast = Annotated[str | None, typer.Option("--at-least", help="A consistency token from an earlier response.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="From what was current then: a time with a zone (2026-03-01T09:00:00Z) or a consistency token."),
]


def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotation marks.")],
    *,
    source: Sources = None,
    at_least: AtLeast = None,
    as_of: AsOf = None,
    escalate: Escalate = None,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Ask a question. Every sentence of the answer stands on documents that you may read, and cites them.

    Example: archivist ask "How many days may I work from abroad?"
    """
    body = {"query": question, "sources": source or [], "at_least": at_least, "as_of": as_of, "escalate": escalate}
    with ApiClient(Settings(), url=url, key=key) as api:
        answer = api.post("/answer", body)
    if as_json:
        print_json(answer)
        return
    _print_answer(answer)


def retrieve(
    query: Annotated[str, typer.Argument(help="What is sought, in quotation marks.")],
    *,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, help="Most passages to show.")] = None,
    source: Sources = None,
    at_least: AtLeast = None,
    as_of: AsOf = None,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Show the passages that bear on a query, best first, with where they stand.

    Example: archivist retrieve "travel expenses" --top-k 3
    """
    body = {"query": query, "top_k": top_k, "sources": source or [], "at_least": at_least, "as_of": as_of}
    with ApiClient(Settings(), url=url, key=key) as api:
        retrieved = api.post("/retrieve", body)
    if as_json:
        print_json(retrieved)
        return
    _print_hits(retrieved)


def _print_answer(answer: dict[str, Any]) -> None:
    _print_degraded(answer)
    out = console()
    numbers = {citation["id"]: number for number, citation in enumerate(answer["citations"], 1)}
    if answer["answer"] is None:
        out.print(Text(harmless(f"No answer: {answer['reason']}")))
    if answer["escalation"] is not None:
        out.print(Text(f"A person looks at it: escalation {answer['escalation']}"))
    for sentence in answer["sentences"]:
        marks = "".join(f"[{numbers[citation]}]" for citation in sentence["citations"]) or "[unsupported]"
        out.print(Text.assemble(harmless(sentence["text"]), " ", (marks, "bold cyan")))
    for conflict in answer["conflicts"]:
        sides = " and ".join(f"[{numbers[side['citation']]}]" for side in conflict["sides"])
        out.print(Text(harmless(f"{sides} contradict each other: {conflict['about']}"), style="yellow"))
    if answer["citations"]:
        out.print()
    for citation in answer["citations"]:
        out.print(Text.assemble((f"[{numbers[citation['id']]}] ", "bold cyan"), _place(citation)))
    if answer["sentences"] and answer["confidence"] is not None:
        told = answer["confidence"]
        out.print(Text(f"Right with a probability of {told['probability']:.0%}, by {told['model']}", style="dim"))


def _print_hits(retrieved: dict[str, Any]) -> None:
    _print_degraded(retrieved)
    if not retrieved["hits"]:
        note("Nothing found in what you may read.")
    out = console()
    for hit in retrieved["hits"]:
        out.print(Text.assemble((f"{hit['rank']:>2}. ", "bold cyan"), _place(hit["citation"]), (f"  {hit['score']:.4f}", "dim")))
        out.print(Padding(Text(_excerpt(hit["passage"]["text"])), (0, 0, 1, 4)))


def _place(citation: dict[str, Any]) -> str:
    """Title, headings, page, version, source and address of a citation in one line."""
    headings = [heading for heading in citation["heading_path"] if heading != citation["title"]]
    page = [f"page {citation['page']}"] if citation["page"] is not None else []
    parts = [citation["title"], *headings, *page, f"version {citation['version_number']}", citation["source"], citation["uri"]]
    return harmless(" · ".join(parts)).replace("\n", " ")


def _excerpt(text: str) -> str:
    shown = " ".join(harmless(text).split())
    return shown if len(shown) <= EXCERPT_CHARACTERS else shown[:EXCERPT_CHARACTERS].rsplit(" ", 1)[0] + " …"


def _print_degraded(response: dict[str, Any]) -> None:
    if response["degraded"]:
        note(f"Quality is reduced now, permissions are not: without {', '.join(response['degraded'])}.")
