"""Answers in a model's words: the real application over the vendor's wire format; what the model says is scripted."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from retrieval.bootstrap import open_generators
from retrieval.domain.audit import AuditAction, AuditFilter
from retrieval.domain.permissions import Principal
from retrieval.domain.usage import Budget, Period
from tests.api.conftest import FILES, World
from tests.chat_servers import OpenAIChat, Said, serving_openai_chat
from tests.story import allow

QUESTION = {"query": "How many days may everybody work from abroad?"}
RULE = "Everybody may work from abroad for 30 days."
TRUE = f"{RULE} [1]"
FALSE = "Everybody may work from abroad for 90 days. [1]"
RESTATED = "Everybody may work for 30 days from abroad. [1]"
SETTINGS = {"openai_max_classification": "restricted", "answer_min_support": 0.1}


@contextmanager
def worded(world: World, said: str | Said, **settings: Any) -> Iterator[tuple[TestClient, OpenAIChat]]:
    """The application with a model that says this to every question."""
    says = said if isinstance(said, Said) else Said(said)
    with ExitStack() as opened:
        chat = opened.enter_context(serving_openai_chat(lambda _asked: says))
        changed = world.settings.model_copy(update={**chat.settings, **SETTINGS, **settings})
        generators = opened.enter_context(open_generators(changed))
        served = replace(world, settings=changed, generators=generators)
        yield opened.enter_context(TestClient(create_app(served, clock=world.clock), raise_server_exceptions=False)), chat


def asked(world: World, headers: dict[str, str], said: str | Said, **settings: Any) -> dict[str, Any]:
    with worded(world, said, **settings) as (api, _):
        return api.post("/answer", json=QUESTION, headers=headers).json()


def events(response: Any) -> list[tuple[str, dict[str, Any]]]:
    """Name and body of each server-sent event."""
    blocks = [block.split("\n", 1) for block in response.text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def test_a_sentence_that_stands_in_a_passage_is_a_quote_of_it(world: World, ann: dict[str, str]):
    answer = asked(world, ann, TRUE)

    assert (answer["outcome"], answer["degraded"]) == ("answered", [])
    assert answer["generated"]["by"].startswith("openai/")
    assert answer["generated"]["prompt"] == "answer@1"
    assert (answer["generated"]["input_tokens"], answer["generated"]["output_tokens"]) == (120, 7)
    assert [(sentence["text"], sentence["verdict"]) for sentence in answer["sentences"]] == [(RULE, "quoted")]
    assert answer["citations"][0]["quote"] == RULE


def test_a_sentence_in_other_words_is_tied_to_the_span_that_supports_it(world: World, ann: dict[str, str]):
    answer = asked(world, ann, RESTATED)

    assert [sentence["verdict"] for sentence in answer["sentences"]] == ["supported"]
    assert answer["citations"][0]["quote"] == RULE


def test_what_no_passage_says_is_left_out(world: World, ann: dict[str, str]):
    answer = asked(world, ann, f"{TRUE} {FALSE}")

    assert answer["answer"] == RULE
    assert "90 days" not in json.dumps(answer)


def test_what_no_passage_says_is_flagged_where_that_is_wanted(world: World, ann: dict[str, str]):
    answer = asked(world, ann, f"{TRUE} {FALSE}", answer_unsupported="flag")

    assert [(sentence["verdict"], sentence["citation"] is None) for sentence in answer["sentences"]] == [
        ("quoted", False),
        ("unsupported", True),
    ]


def test_what_no_passage_says_goes_to_a_person_where_that_is_wanted(world: World, ann: dict[str, str]):
    answer = asked(world, ann, f"{TRUE} {FALSE}", answer_unsupported="escalate")

    assert (answer["outcome"], answer["reason_code"], answer["sentences"]) == ("escalated", "unsupported", [])
    escalation = world.catalog.escalations.get(answer["escalation"])
    assert [sentence.text for sentence in escalation.draft.sentences] == [RULE, FALSE.removesuffix(" [1]")]


@pytest.mark.parametrize("said", [FALSE, "NOTHING", "", "As an assistant I cannot tell."])
def test_an_answer_without_any_supported_sentence_is_none(world: World, ann: dict[str, str], said: str):
    answer = asked(world, ann, said)

    assert (answer["outcome"], answer["answer"], answer["reason_code"]) == ("escalated", None, "unsupported")


def test_a_model_that_fails_gives_way_to_quotes(world: World, ann: dict[str, str]):
    with worded(world, TRUE) as (api, chat):
        chat.fault = "500"
        answer = api.post("/answer", json=QUESTION, headers=ann).json()

    assert (answer["outcome"], answer["generated"]["by"], answer["degraded"]) == ("answered", "extractive", ["generator"])


def test_a_model_elsewhere_is_not_told_of_what_is_too_sensitive(world: World, ann: dict[str, str]):
    with worded(world, TRUE, openai_max_classification="public") as (api, chat):
        answer = api.post("/answer", json=QUESTION, headers=ann).json()

    assert (answer["outcome"], answer["generated"]["by"], answer["degraded"]) == ("answered", "extractive", [])
    assert chat.requests == []


@pytest.mark.permissions
def test_a_model_is_told_of_nothing_that_the_asker_may_not_read(world: World, ann: dict[str, str]):
    with worded(world, TRUE) as (api, chat):
        api.post("/answer", json={"query": "What is the merger Nightingale about, abroad and for how many days?"}, headers=ann)
        api.post("/answer", json=QUESTION, headers=ann)

    sent = json.dumps([request.body for request in chat.requests])
    assert "abroad" in sent
    assert "takeover" not in sent


def test_a_spent_budget_is_a_clear_error_or_quotes(world: World, ann: dict[str, str]):
    world.catalog.budgets.set(Budget("all", Period.DAY, tokens=10), by="user:root")

    with worded(world, TRUE) as (api, chat):
        refused = api.post("/answer", json=QUESTION, headers=ann)
        streamed = api.post("/answer/stream", json=QUESTION, headers=ann)
    with worded(world, TRUE, budget_exhausted="extractive") as (api, chat):
        quoted = api.post("/answer", json=QUESTION, headers=ann).json()

    assert (refused.status_code, refused.json()["type"]) == (429, "urn:archivist:problem:budget-exceeded")
    assert (streamed.status_code, streamed.json()["type"]) == (429, "urn:archivist:problem:budget-exceeded")
    assert (quoted["outcome"], quoted["generated"]["by"], quoted["degraded"]) == ("answered", "extractive", ["budget"])
    assert chat.requests == []


def test_an_answer_comes_sentence_by_sentence_and_whole_at_the_end(world: World, ann: dict[str, str]):
    with worded(world, f"{TRUE} {FALSE} Ask your manager first.") as (api, _):
        told = events(api.post("/answer/stream", json=QUESTION, headers=ann))

    assert [name for name, _ in told] == ["sentence", "sentence", "answer"]
    assert [body["sentence"]["text"] for name, body in told if name == "sentence"] == [RULE, "Ask your manager first."]
    assert all(body["sentence"]["citation"] == body["citations"][0]["id"] for name, body in told if name == "sentence")
    whole = told[-1][1]
    assert whole["sentences"] == [body["sentence"] for name, body in told if name == "sentence"]
    assert whole["outcome"] == "answered"


def test_nothing_is_streamed_that_waits_for_a_verdict_on_the_whole(world: World, ann: dict[str, str]):
    with worded(world, f"{TRUE} {FALSE}", answer_unsupported="escalate") as (api, _):
        told = events(api.post("/answer/stream", json=QUESTION, headers=ann))

    assert [name for name, _ in told] == ["answer"]
    assert told[0][1]["outcome"] == "escalated"


def test_a_stream_that_cannot_begin_is_an_ordinary_error(world: World, ann: dict[str, str]):
    with worded(world, TRUE) as (api, _):
        empty = api.post("/answer/stream", json={"query": " "}, headers=ann)

    assert (empty.status_code, empty.headers["content-type"]) == (422, "application/problem+json")
    assert empty.json()["errors"][0]["field"] == "query"


@pytest.mark.permissions
@pytest.mark.parametrize("path", ["/answer", "/answer/stream"])
def test_what_is_revoked_while_a_model_words_it_does_not_leave(world: World, ann: dict[str, str], path: str):
    def revoke(_asked: object) -> Said:
        story = world.story
        run = story.start()
        story.record(run, {**FILES, "travel.txt": (FILES["travel.txt"][0], allow("group:board"))})
        return Said(TRUE)

    with worded(world, TRUE) as (api, chat):
        chat.says = revoke
        response = api.post(path, json=QUESTION, headers=ann)

    assert "30 days" not in response.text
    assert response.status_code == 503 or "index-unavailable" in response.text or '"outcome":"answered"' not in response.text


def test_what_a_stream_is_made_of_is_recorded_before_its_first_sentence(world: World, ann: dict[str, str]):
    with worded(world, f"{TRUE} Ask your manager first.") as (api, _):
        api.post("/answer/stream", json=QUESTION, headers=ann)

    records = world.catalog.audit.read(Principal("root"), AuditFilter(action=AuditAction.ANSWER), limit=10)
    assert [record.fields["outcome"] for record in reversed(records)] == ["begun", "answered"]
