"""`as_of`: the moment that is asked of, what is refused of it, and what an answer of a moment does not do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from retrieval.domain.audit import AuditAction, AuditFilter
from retrieval.domain.clock import stamp
from tests.api.conftest import FILES, World
from tests.curated import quoting
from tests.story import ANN, BOB, allow

QUESTION = "Who may work from abroad for 30 days?"
NOW = datetime.now(UTC)


@pytest.fixture
def then(api: TestClient, world: World, ann: dict[str, str]) -> str:
    """The token of the state before travel.txt was rewritten and expenses.txt withdrawn."""
    token = api.post("/retrieve", json={"query": QUESTION}, headers=ann).json()["consistency_token"]
    kept = {key: file for key, file in FILES.items() if key != "expenses.txt"}
    world.story.sync({**kept, "travel.txt": ("Nobody may work from abroad any more.", FILES["travel.txt"][1])})
    return str(token)


def ask(api: TestClient, who: dict[str, str], path: str, **more: object) -> dict[str, Any]:
    response = api.post(path, json={"query": QUESTION, **more}, headers=who)
    assert response.status_code == 200, response.text
    return dict(response.json())


def texts(found: dict[str, Any]) -> set[str]:
    return {hit["passage"]["text"] for hit in found["hits"]}


def test_a_token_asks_of_the_state_that_it_was_given_at(api: TestClient, ann: dict[str, str], then: str):
    now, before = ask(api, ann, "/retrieve", top_k=50), ask(api, ann, "/retrieve", top_k=50, as_of=then)

    assert texts(now) == {"Nobody may work from abroad any more."}
    assert {"Everybody may work from abroad for 30 days.", "Travel expenses are paid within 14 days."} <= texts(before)
    assert "Nobody may work from abroad any more." not in texts(before)
    assert now["as_of"] is None
    assert before["as_of"]["time"] is None
    assert ask(api, ann, "/retrieve", top_k=50, as_of=before["as_of"]["consistency_token"])["hits"] == before["hits"]


def test_a_time_is_said_again_in_utc_with_a_token_for_its_state(api: TestClient, ann: dict[str, str], then: str):
    written = (NOW - timedelta(days=10)).astimezone().isoformat()

    found = ask(api, ann, "/retrieve", as_of=written)

    assert found["as_of"]["time"] == stamp(NOW - timedelta(days=10))
    assert found["hits"] == ask(api, ann, "/retrieve", as_of=found["as_of"]["consistency_token"])["hits"] == []


@pytest.mark.permissions
def test_a_moment_is_read_with_the_rights_of_now(api: TestClient, world: World, ann: dict[str, str], bea: dict[str, str], then: str):
    world.story.sync({**FILES, "travel.txt": ("Nobody may.", allow("group:board"))})

    assert not any("abroad for 30 days" in text for text in texts(ask(api, ann, "/retrieve", top_k=50, as_of=then)))
    assert any("abroad for 30 days" in text for text in texts(ask(api, bea, "/retrieve", top_k=50, as_of=then)))


def test_an_answer_of_a_moment_cites_what_was_said_then_and_its_citation_tells_that_it_has_changed(
    api: TestClient, ann: dict[str, str], then: str
):
    answer = ask(api, ann, "/answer", as_of=then)

    assert (answer["outcome"], answer["answer"]) == ("answered", "Everybody may work from abroad for 30 days.")
    verified = api.get(f"/citations/{answer['citations'][0]['id']}/verify", headers=ann).json()
    assert (verified["state"], verified["version_is_current"]) == ("changed", False)
    assert answer["as_of"]["consistency_token"]


def test_nobody_is_asked_what_held_once(api: TestClient, world: World, ann: dict[str, str], then: str):
    world.settings = world.settings.model_copy(update={"answer_escalation": "automatic", "answer_accepted_error": 0.0001})
    client = TestClient(world.app())

    of_now, of_then = (ask(client, ann, "/answer", escalate=True, **when) for when in ({}, {"as_of": then}))

    assert of_now["outcome"] == "escalated"
    assert (of_then["outcome"], of_then["escalation"]) == ("abstained", None)


def test_what_a_reviewer_has_said_is_no_answer_to_what_held_once(world: World, ann: dict[str, str], then: str):
    learning = world.catalog.learning.curated
    learning.add(quoting(world.story, "travel.txt", reader=ANN, question=QUESTION), expires_at=NOW + timedelta(days=7))
    world.clock.at = NOW
    world.learning.upkeep()
    client = TestClient(world.app())

    of_now, of_then = (ask(client, ann, "/answer", **when) for when in ({}, {"as_of": then}))

    assert of_now["curated"]
    assert (of_then["curated"], of_then["answer"]) == (None, "Everybody may work from abroad for 30 days.")
    assert ask(client, ann, "/retrieve", curated=True, as_of=then).get("curated") is None


def test_the_index_must_have_come_as_far_as_the_moment(api: TestClient, world: World, ann: dict[str, str], then: str):
    ask(api, ann, "/retrieve", as_of=then)

    [*_, search] = [search for search in world.index.searches if search.text]
    assert 0 < search.at_least < world.story.feed.revision()


def test_the_record_of_a_read_says_of_when_it_was(api: TestClient, world: World, ann: dict[str, str], then: str):
    ask(api, ann, "/retrieve", as_of=then)
    ask(api, ann, "/answer", as_of=stamp(NOW - timedelta(days=1)))

    retrieved, answered = (
        world.catalog.audit.read(BOB, AuditFilter(action=action), limit=10)[0].fields["details"]
        for action in (AuditAction.RETRIEVE, AuditAction.ANSWER)
    )
    assert retrieved["as_of"] < world.story.feed.revision()
    assert answered["as_of_time"] == stamp(NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("as_of", "limit"),
    [
        pytest.param(stamp(NOW + timedelta(days=1)), "no later than now", id="the future"),
        pytest.param(stamp(NOW - timedelta(days=91)), "90 days back", id="too long ago"),
        pytest.param("0001-01-01T00:00:00+14:00", "such as 2026-03-01T09:00:00Z", id="before all time"),
        pytest.param("0500-01-01T00:00:00Z", "90 days back", id="a year of three digits"),
        pytest.param("2026-03-01T09:00:00", "such as 2026-03-01T09:00:00Z", id="a time without a zone"),
        pytest.param("2026-03-01", "such as 2026-03-01T09:00:00Z", id="a day"),
        pytest.param("17", "such as 2026-03-01T09:00:00Z", id="a revision in clear"),
        pytest.param("A" * 48, None, id="a forged token"),
    ],
)
@pytest.mark.parametrize("path", ["/retrieve", "/answer", "/answer/stream"])
def test_a_moment_that_cannot_be_asked_of_is_refused_with_its_limit(
    api: TestClient, ann: dict[str, str], path: str, as_of: str, limit: str | None
):
    response = api.post(path, json={"query": QUESTION, "as_of": as_of}, headers=ann)

    assert response.status_code == 422
    assert [(error["field"], error["limit"]) for error in response.json()["errors"]] == [("as_of", limit)]
