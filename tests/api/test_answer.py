"""POST /answer, in the order anonymous, wrong principal, hidden, absent, valid."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import SECRET_WORDS, World

QUESTION = {"query": "How many days may everybody work from abroad?"}


def test_an_anonymous_caller_gets_no_answer(api: TestClient):
    assert api.post("/answer", json=QUESTION).status_code == 401


@pytest.mark.permissions
def test_an_answer_quotes_nothing_that_is_hidden_from_the_caller(api: TestClient, ann: dict[str, str], bea: dict[str, str]):
    body = {"query": "Nightingale merger takeover abroad", "include_passages": True}

    anns, beas = (api.post("/answer", json=body, headers=who) for who in (ann, bea))

    assert not any(word in anns.text for word in SECRET_WORDS)
    assert all(word in beas.text for word in SECRET_WORDS)


@pytest.mark.permissions
def test_a_question_about_what_is_hidden_is_answered_like_one_about_what_is_absent(api: TestClient, world: World, ann: dict[str, str]):
    hidden, absent = ({"query": f"What is {name}?"} for name in ("Nightingale", "Sparrowhawk"))

    answers = [api.post("/answer", json=body, headers=ann).json() for body in (hidden, absent)]

    for answer in answers:
        del answer["request_id"], answer["consistency_token"]
    assert answers[0] == answers[1]
    assert answers[0]["outcome"] == "abstained"


def test_a_question_without_an_answer_is_abstained_from_with_a_reason(api: TestClient, ann: dict[str, str]):
    answer = api.post("/answer", json={"query": "Qwertz uiop?"}, headers=ann).json()

    assert (answer["outcome"], answer["answer"], answer["sentences"], answer["citations"]) == ("abstained", None, [], [])
    assert answer["reason"]


def test_an_answer_is_made_of_quotes_each_with_a_citation(api: TestClient, world: World, ann: dict[str, str]):
    answer = api.post("/answer", json=QUESTION, headers=ann).json()

    assert answer["outcome"] == "answered"
    assert answer["sentences"][0]["text"] == "Everybody may work from abroad for 30 days."
    cited = {citation["id"]: citation for citation in answer["citations"]}
    for sentence in answer["sentences"]:
        citation = cited[sentence["citation"]]
        assert citation["quote"] == sentence["text"]
        assert 0 <= sentence["support"] <= 1
    assert cited[answer["sentences"][0]["citation"]]["document"] == world.document("travel.txt")
    assert (answer["escalation"], answer["passages"]) == (None, None)


def test_the_passages_come_along_when_asked_for(api: TestClient, ann: dict[str, str]):
    answer = api.post("/answer", json={**QUESTION, "include_passages": True}, headers=ann).json()

    assert [hit["rank"] for hit in answer["passages"]] == list(range(1, len(answer["passages"]) + 1))
    assert answer["passages"]


def test_a_limit_is_named_as_for_a_query(api: TestClient, ann: dict[str, str]):
    response = api.post("/answer", json={"query": " "}, headers=ann)

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "query"
