"""What the demonstration shows of people: a question that the service is not sure of, the reviewer's answer, and the next who asks."""

import time
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from api.cli.client import ApiClient
from api.cli.demo_company import DemoCompany, DemoPerson
from api.cli.output import harmless
from retrieval.domain.errors import ArchivistError
from retrieval.settings import Settings

CURATED_SECONDS = 30
"""Longest wait until what the reviewer said is given to the next who asks; a few seconds are usual."""
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class HandedOver:
    """What became of the question.

    Attributes:
        first: what `/answer` said at first.
        told: what `/escalations` told its asker after the decision; None where the question needed no person any more.
        again: what `/answer` says to the next who asks.
    """

    first: dict[str, Any]
    told: dict[str, Any] | None
    again: dict[str, Any]


def hand_over(settings: Settings, company: DemoCompany) -> HandedOver:
    """Ask as the second person, decide as the reviewer, ask again as the first.

    Raises:
        ArchivistError: something of it is not as it should be.
    """
    question = {"query": company.handed_over.text, "escalate": True}
    with ApiClient(settings, key=company.second.key) as asker, ApiClient(settings, key=company.first.key) as other:
        first = asker.post("/answer", question)
        if first["escalation"] is None:
            return HandedOver(first, None, other.post("/answer", question))
        with ApiClient(settings, key=company.reviewer.key) as reviewer:
            _decide(reviewer, first["escalation"], company.handed_over.quote)
        told = asker.get(f"/escalations/{first['escalation']}")
        end = time.monotonic() + CURATED_SECONDS
        while (again := other.post("/answer", {**question, "escalate": False}))["curated"] is None:
            if time.monotonic() > end:
                raise ArchivistError("what the reviewer said is not given to the next who asks")
            time.sleep(_POLL_SECONDS)
    return HandedOver(first, told, again)


def print_handed_over(out: Console, company: DemoCompany, handed: HandedOver) -> None:
    out.print(Panel(Text(company.handed_over.text, style="bold"), expand=False))
    _say(out, company.second)
    if handed.told is None:
        _print_answer(out, handed.first)
    else:
        out.print(Text(f"  {handed.first['reason']} A person looks at it: {handed.first['escalation']}", style="yellow"))
        _say(out, company.reviewer, "reviews, with the evidence that both may read:")
        _print_answer(out, handed.told)
        _say(out, company.second, "asks what became of it:")
        out.print(Text(f"  {handed.told['escalation']['state']}: {harmless(handed.told['answer'] or '')}", style="green"))
    _say(out, company.first, "asks the same:")
    _print_answer(out, handed.again)
    out.print()


def check_handed_over(company: DemoCompany, handed: HandedOver) -> list[str]:
    """What is not as it should be, one sentence each."""
    if handed.again["curated"] is None or company.handed_over.quote not in (handed.again["answer"] or ""):
        return [f"{company.first.name} was not given what {company.reviewer.name} had said"]
    return []


def _decide(reviewer: ApiClient, escalation: str, quote: str) -> None:
    """The quote in place of the draft, for everybody who may read it from now on."""
    item = reviewer.get(f"/reviews/{escalation}")
    claimed = reviewer.post(f"/reviews/{escalation}/claim", {"expected": item["review"]["version"]})
    passage = next((one["passage"] for one in item["evidence"] if quote in one["passage"]["text"]), None)
    if passage is None:
        raise ArchivistError("the evidence does not hold what answers the question")
    start = passage["span"]["start"] + passage["text"].index(quote)
    citation = {"passage": passage["id"], "start": start, "end": start + len(quote), "quote": quote}
    decision = {"judgement": "answer", "sentences": [{"text": quote, "citations": [citation]}], "is_curated": True}
    reviewer.post(f"/reviews/{escalation}/decide", {"expected": claimed["review"]["version"], **decision})


def _say(out: Console, person: DemoPerson, what: str = "") -> None:
    out.print(f"[cyan]{person.name}[/], {person.title}" + (f", {what}" if what else ""))


def _print_answer(out: Console, answer: dict[str, Any]) -> None:
    cited = {citation["id"]: citation for citation in answer["citations"]}
    for sentence in answer["sentences"]:
        out.print(Text(f"  “{harmless(sentence['text'])}”", style="green"))
        citation = cited[sentence["citation"]]
        out.print(Text(harmless(f"    — {citation['title']} ({citation['source']})"), style="dim"))
