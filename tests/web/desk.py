"""A company's question desk: the application of the API's tests, its pages, and escalations that are waiting."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from html import unescape

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from retrieval.answer_service import AnswerService
from retrieval.domain.answers import Answer, AnswerOutcome, AnswerSentence, Citation, Confidence, Reason
from retrieval.domain.escalations import Escalation, EscalationDraft
from retrieval.domain.permissions import Principal
from retrieval.domain.queries import Query
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.identity.conftest import key_of

ORIGIN = "http://testserver"
QUESTION = "How many days may I work from abroad?"


@dataclass
class Browser:
    """A session without scripts: links and forms as a page has them."""

    client: TestClient
    page: Response | None = None

    def open(self, address: str) -> Response:
        self.page = self.client.get(address)
        return self.page

    def send(self, address: str, fields: Mapping[str, str | list[str]] = {}, *, origin: str | None = ORIGIN) -> Response:
        """A form of the page that is open: with its hidden fields, unless `fields` say otherwise."""
        headers = {} if origin is None else {"Origin": origin}
        self.page = self.client.post(address, data={**self.hidden(address), **fields}, headers=headers)
        return self.page

    def hidden(self, address: str) -> dict[str, str]:
        """Of the form that is sent to the address, or has a button that is; of any form where none is."""
        text = "" if self.page is None else self.page.text
        forms = [form for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL) if f'action="{address}"' in form]
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', forms[0] if forms else text)
        return {name: unescape(value) for name, value in reversed(fields)}

    @property
    def text(self) -> str:
        """What the page says, without its marks."""
        assert self.page is not None
        return unescape(re.sub(r"<[^>]+>", "", self.page.text))


def browser(world: World, *, client: TestClient | None = None) -> Browser:
    return Browser(client or TestClient(application(world), base_url=ORIGIN, raise_server_exceptions=False))


def application(world: World) -> FastAPI:
    """One for all browsers, until the settings change."""
    settings, app = vars(world).get("console_app", (None, None))
    if app is None or settings is not world.settings:
        app = world.app()
        vars(world)["console_app"] = (world.settings, app)
    return app


def signed_in(world: World, subject: str, *roles: Role, client: TestClient | None = None) -> Browser:
    """Somebody at their browser, with a key good for these roles."""
    at = browser(world, client=client)
    response = at.send("/console/sign-in", {"key": key_of(world, subject, *roles), "next": "/console"})
    assert response.status_code == 200, response.text
    return at


def asks(
    world: World,
    name: str = "ann",
    *groups: str,
    question: str = QUESTION,
    reason: Reason = Reason.LOW_CONFIDENCE,
    probability: float = 0.62,
) -> Escalation:
    """A question that the service was not sure of, handed on with what it would have said: its best hit's first sentence."""
    principal = Principal(name)
    world.catalog.directory.set_groups(principal.subject, groups)
    found = world.knowledge.retrieve(principal, Query(question.replace('"', " "), top_k=5, depth=20))
    best = found.hits[0].passage
    sentence = AnswerSentence(best.text, Citation.of(best), 0.8)
    confidence = Confidence(probability, 0.9, "test@1", {"support": 0.81, "agreement_of_legs": 0.5})
    answered = Answer(AnswerOutcome.ESCALATED, (sentence,), reason, found, confidence)
    return world.escalations.open(principal, EscalationDraft.of(question, answered))


def later(world: World, **length: float) -> None:
    world.clock.at += timedelta(**length)


@dataclass(frozen=True)
class Telling:
    """The answer service, with something changed in each answer. For what only other configurations make of one."""

    answers: AnswerService
    change: Callable[[Answer], Answer]

    def answer(self, principal: Principal, query: Query, *, with_passages: bool, request_id: str | None) -> Answer:
        return self.change(self.answers.answer(principal, query, with_passages=with_passages, request_id=request_id))


@dataclass
class TellingWorld(World):
    """The world with `change` made to each answer."""

    change: Callable[[Answer], Answer] = lambda answer: answer

    @property
    def answers(self) -> Telling:  # type: ignore[override]
        return Telling(World.answers.fget(self), self.change)  # type: ignore[attr-defined]


def telling(world: World, change: Callable[[Answer], Answer]) -> TellingWorld:
    return TellingWorld(**{each.name: getattr(world, each.name) for each in fields(world)}, change=change)
