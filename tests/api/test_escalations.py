"""A question, handed to a person, decided and told of, over HTTP."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.escalations import Escalation
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import EVERYONE, AccessPolicy, Principal, PrincipalKind
from retrieval.domain.roles import Role
from retrieval.settings import Settings
from tests.api.conftest import FILES, FakeClock, FakeEmbedder, ScanIndex, World
from tests.desk import draft_of
from tests.story import ANN, Story, allow

pytestmark = pytest.mark.permissions

ABROAD = FILES["travel.txt"][0].partition(".")[0] + "."
MERGER = FILES["nightingale.txt"][0].partition(".")[0] + "."
Headers = dict[str, str]


def key_of(world: World, principal: Principal, *roles: Role) -> Headers:
    key = ApiKey.generate()
    world.catalog.keys.add(StoredApiKey(key.id, key.secret_hash, principal, "", world.clock.at, roles=frozenset(roles)))
    return {"Authorization": f"Bearer {key.written}"}


@pytest.fixture
def world_in() -> Iterator[Callable[..., World]]:
    """Worlds whose catalog goes by their clock, too."""
    catalogs = []

    def make(directory: Path, files: Mapping[str, tuple[str, AccessPolicy]]) -> World:
        settings, clock = Settings(data_directory=directory), FakeClock()
        catalogs.append(open_catalog(settings, clock=clock))
        story = Story(catalogs[-1])
        story.sync({**files, "lunch.txt": ("Lunch is at noon.", allow(EVERYONE))})
        return World(settings, catalogs[-1], story, ScanIndex(story, FakeEmbedder()), clock)

    yield make
    for catalog in catalogs:
        catalog.close()


@pytest.fixture
def world(tmp_path: Path, world_in: Callable[..., World]) -> World:
    return world_in(tmp_path, FILES)


@pytest.fixture
def ray(world: World) -> Headers:
    """Reviews, and sits on the board."""
    world.catalog.directory.set_groups("user:ray", ["group:board"])
    return key_of(world, Principal("ray"), Role.REVIEWER, Role.USER)


def opened(world: World, *texts: str, asker: Principal = ANN) -> Escalation:
    """Without a named reviewer's source, so that every reviewer may have it; the evidence is what the texts are of."""
    found = {passage.text: passage for passage in world.story.gated(asker).readable}
    world.catalog.directory.set_groups("user:dana", [])
    return world.escalations.open(asker, draft_of([found[text] for text in texts]))


def citation(world: World, text: str) -> dict[str, object]:
    bea = Principal("bea", groups=frozenset({"group:board"}))
    passage = next(each for each in world.story.gated(bea).readable if each.text == text)
    return {"passage": passage.id, "start": passage.span.start, "end": passage.span.end, "quote": passage.text}


def review(api: TestClient, headers: Headers, escalation: Escalation, what: str, key: str = "", **body: object) -> Response:
    once = {"Idempotency-Key": key} if key else {}
    return api.post(f"/reviews/{escalation.id}/{what}", json=body, headers={**headers, **once})


@pytest.fixture
def question(world: World) -> Escalation:
    return opened(world)


def test_a_question_is_answered_by_a_person(api: TestClient, world: World, ann: Headers, ray: Headers, question: Escalation):
    before = api.get(f"/escalations/{question.id}", headers=ann).json()
    claimed = review(api, ray, question, "claim", expected=1).json()["review"]
    sentences = [{"text": "Thirty days.", "citations": [citation(world, ABROAD)]}]

    decided = review(api, ray, question, "decide", expected=claimed["version"], judgement="answer", sentences=sentences)
    after = api.get(f"/escalations/{question.id}", headers=ann).json()

    assert (before["escalation"]["state"], before["answer"], before["sentences"]) == ("open", None, [])
    assert decided.json()["review"]["state"] == "answered"
    assert (after["escalation"]["state"], after["answer"]) == ("answered", "Thirty days.")
    assert [each["quote"] for each in after["citations"]] == [ABROAD]
    assert after["sentences"][0]["citation"] == after["citations"][0]["id"]
    assert "ray" not in json.dumps(after)
    listed = api.get("/escalations", headers=ann).json()["escalations"]
    assert [(each["id"], each["state"]) for each in listed] == [(question.id, "answered")]


def test_nobody_else_finds_it(api: TestClient, world: World, ann: Headers, bea: Headers):
    question = opened(world)
    other = {
        **key_of(world, Principal("portal", PrincipalKind.APP), Role.APP),
        "X-On-Behalf-Of": ann["Authorization"].removeprefix("Bearer "),
    }
    for headers in (bea, other):
        hidden, absent = (api.get(f"/escalations/{id_}", headers=headers) for id_ in (question.id, "esc_absent"))
        assert (hidden.status_code, absent.status_code) == (404, 404)
        assert _without_ids(hidden) == _without_ids(absent)
        assert api.delete(f"/escalations/{question.id}", headers=headers).status_code == 404
        assert api.get("/escalations", headers=headers).json()["escalations"] == []
    assert api.delete(f"/escalations/{question.id}", headers=ann).status_code == 204
    assert api.delete(f"/escalations/{question.id}", headers=ann).status_code == 409


def test_a_reviewer_does_not_find_their_own(api: TestClient, world: World):
    own = key_of(world, ANN, Role.REVIEWER, Role.USER)
    question = opened(world)

    assert api.get("/reviews", headers=own).json()["reviews"] == []
    for call in (api.get(f"/reviews/{question.id}", headers=own), review(api, own, question, "claim", expected=1)):
        assert call.status_code == 404


def test_a_decision_that_is_sent_again_is_answered_again(api: TestClient, ray: Headers, question: Escalation):
    review(api, ray, question, "claim", expected=1)
    body = {"expected": 2, "judgement": "reject", "reason": "no such rule"}

    first = review(api, ray, question, "decide", key="once", **body)
    again = review(api, ray, question, "decide", key="once", **body)
    another = review(api, ray, question, "decide", key="twice", **body)

    assert (first.status_code, again.content, again.headers["Idempotency-Replayed"]) == (200, first.content, "true")
    assert another.status_code == 409
    assert [(error["field"], error["limit"]) for error in another.json()["errors"]] == [("expected", "rejected, version 3")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"judgement": "approve"}, "judgement"),
        ({"judgement": "reject"}, "reason"),
        ({"judgement": "answer"}, "sentences"),
        ({"judgement": "approve", "sentences": [{"text": "x"}]}, "sentences"),
        ({"judgement": "answer", "sentences": [{"text": "x"}]}, "own_knowledge"),
        (
            {"judgement": "answer", "sentences": [{"text": "x", "citations": [{"passage": "p", "start": 3, "end": 1, "quote": ""}]}]},
            "end",
        ),
        ({"judgement": "maybe"}, "judgement"),
    ],
)
def test_what_is_wrong_with_a_decision_is_named(api: TestClient, ray: Headers, question: Escalation, body: dict, field: str):
    review(api, ray, question, "claim", expected=1)

    refused = review(api, ray, question, "decide", expected=2, **body)

    assert refused.status_code == 422
    assert field in [error["field"] for error in refused.json()["errors"]]


def test_a_reviewer_sees_the_evidence_with_its_scores_and_the_history(api: TestClient, world: World, ray: Headers):
    question = opened(world, ABROAD)
    world.catalog.directory.set_groups("user:dana", ["group:desk"])
    dana = key_of(world, Principal("dana"), Role.REVIEWER)

    item = api.get(f"/reviews/{question.id}", headers=dana).json()

    assert item["review"]["source"] == "handbook"
    assert [each["passage"]["text"] for each in item["evidence"]] == [ABROAD]
    assert item["evidence"][0]["scores"] == {"lexical": 2.0, "fused": 0.5}
    assert item["evidence"][0]["cited"] == [{"start": 0, "end": len(ABROAD)}]
    assert (item["is_withheld"], item["confidence"]["probability"], item["signals"]) == (False, 0.6, {"coverage": 0.5})
    events = api.get(f"/reviews/{question.id}/history", headers=dana).json()["events"]
    assert [(event["what"], event["by"]) for event in events] == [("opened", "user:ann")]
    assert api.get("/reviews/statistics", headers=dana).json()["by_source"] == {"handbook": 1}
    assert api.get(f"/reviews/{question.id}", headers=ray).status_code == 404


def test_the_queue_comes_in_pages_of_one_filter(api: TestClient, world: World, ray: Headers):
    for name in ("u1", "u2", "u3"):
        opened(world, asker=Principal(name))
    first = api.get("/reviews", params={"limit": 2, "state": "open"}, headers=ray).json()
    second = api.get("/reviews", params={"limit": 2, "state": "open", "cursor": first["next_cursor"]}, headers=ray).json()
    other = api.get("/reviews", params={"limit": 2, "state": "claimed", "cursor": first["next_cursor"]}, headers=ray)

    assert len({each["id"] for each in first["reviews"] + second["reviews"]}) == 3
    assert second["next_cursor"] is None
    assert other.status_code == 422


def test_an_asker_is_told_the_same_whatever_hidden_documents_there_are(tmp_path: Path, world_in: Callable[..., World]):
    """Once a reviewer answers from a document that the asker may not read; once there is none, and the reviewer rejects."""
    told = []
    for number, files in enumerate((FILES, {key: file for key, file in FILES.items() if key != "nightingale.txt"})):
        world = world_in(tmp_path / str(number), files)
        with TestClient(world.app(), raise_server_exceptions=False) as api:
            ray = key_of(world, Principal("ray"), Role.REVIEWER)
            world.catalog.directory.set_groups("user:ray", ["group:board"])
            ann = {"Authorization": f"Bearer {world.key('ann')}"}
            question = opened(world)
            states = [api.get(f"/escalations/{question.id}", headers=ann)]
            assert review(api, ray, question, "claim", expected=1).status_code == 200
            states.append(api.get(f"/escalations/{question.id}", headers=ann))
            if number == 0:
                sentences = [{"text": MERGER, "citations": [citation(world, MERGER)]}]
                decided = review(api, ray, question, "decide", expected=2, judgement="answer", sentences=sentences)
                assert decided.json()["review"]["delivery"] == "withheld"
            else:
                assert review(api, ray, question, "decide", expected=2, judgement="reject", reason="none").status_code == 200
            states.append(api.get(f"/escalations/{question.id}", headers=ann))
            states.append(api.get("/escalations", headers=ann))
            told.append([_without_ids(each, question.id) for each in states])

    assert told[0] == told[1]
    assert b'"rejected"' in told[0][2]


def _without_ids(response: Response, *ids: str) -> bytes:
    content = response.content.replace(response.headers["x-request-id"].encode(), b"")
    for id_ in ids:
        content = content.replace(id_.encode(), b"")
    return content
