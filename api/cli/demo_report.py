"""What the demonstration prints, and the check that it showed each person what it should."""

import json
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from api.cli.demo_company import DemoCompany, DemoPerson, DemoQuestion
from api.cli.output import harmless

_QUOTE_CHARACTERS = 240


@dataclass(frozen=True)
class Asked:
    """One question, and what `/retrieve` and `/answer` gave each person."""

    question: DemoQuestion
    passages: dict[str, dict[str, Any]]
    answers: dict[str, dict[str, Any]]


def print_answers(out: Console, company: DemoCompany, asked: list[Asked]) -> None:
    for one in asked:
        out.print(Panel(Text(one.question.text, style="bold"), expand=False))
        for person in (company.first, company.second):
            _print_person(out, person, one)
        out.print()


def print_next_steps(out: Console, company: DemoCompany, *, api_url: str, dagster_url: str) -> None:
    body = json.dumps({"query": company.questions[0].text})
    out.print("[bold]Go on[/]")
    out.print(f"  Sources and runs   {dagster_url}/assets", f"\n  API reference      {api_url}/docs")
    out.print(f"  Ask, and review    {api_url}/console   [dim]sign in with the key of {company.second.name} or {company.reviewer.name}:[/]")
    out.print(Text(f"                     {company.reviewer.key}"))
    for path, person in (("retrieve", company.first), ("answer", company.second)):
        out.print(f"\n  As {person.name}:")
        out.print(
            Text(f"  curl -s {api_url}/{path} -H 'Authorization: Bearer {person.key}' -H 'Content-Type: application/json' -d '{body}'")
        )


def check(company: DemoCompany, asked: list[Asked]) -> list[str]:
    """What is not as it should be, one sentence each; nothing when all is right."""
    problems = []
    for one in asked:
        for person in (company.first, company.second):
            outcome, expected = one.answers[person.id]["outcome"], "answered" if person.id in one.question.readers else "abstained"
            if outcome != expected:
                problems.append(f"{person.name}, “{one.question.text}”: {outcome}, expected {expected}")
    shown = json.dumps([(one.passages[company.second.id], one.answers[company.second.id]) for one in asked], ensure_ascii=False)
    hidden = _marks(company, asked)
    if not hidden:
        problems.append(f"{company.first.name} was shown nothing of {company.hidden_from_second}, so nothing was proved")
    problems += [f"{company.second.name} was shown something of {company.hidden_from_second}" for mark in hidden if mark in shown]
    return problems


def _marks(company: DemoCompany, asked: list[Asked]) -> set[str]:
    """Ids, titles, addresses and texts of what only the first person may read, as the first person was shown them."""
    marks: set[str] = set()
    for one in asked:
        for hit in one.passages[company.first.id]["hits"]:
            citation = hit["citation"]
            if citation["source"] == company.hidden_from_second:
                marks |= {citation["document"], citation["version"], citation["uri"], citation["passage"], hit["passage"]["text"][:60]}
    return marks


def _print_person(out: Console, person: DemoPerson, one: Asked) -> None:
    answer, passages = one.answers[person.id], one.passages[person.id]
    out.print(f"[cyan]{person.name}[/], {person.title}")
    if answer["outcome"] != "answered":
        out.print(Text(f"  {answer['reason']}", style="yellow"))
    for sentence in answer["sentences"]:
        citation = next(c for c in answer["citations"] if c["id"] == sentence["citation"])
        out.print(Text(f"  “{_short(citation['quote'])}”", style="green"))
        out.print(Text(f"    — {_place(citation)}", style="dim"))
    for hit in passages["hits"]:
        out.print(Text(f"  {hit['rank']}. {hit['score']:.3f}  {_place(hit['citation'])}"))


def _place(citation: dict[str, Any]) -> str:
    page = f", page {citation['page']}" if citation["page"] else ""
    return harmless(f"{citation['title']}{page} ({citation['source']}: {citation['uri'].rsplit('/', 1)[-1]})")


def _short(text: str) -> str:
    flat = " ".join(harmless(text).split())
    return flat if len(flat) <= _QUOTE_CHARACTERS else flat[: _QUOTE_CHARACTERS - 1] + "…"
