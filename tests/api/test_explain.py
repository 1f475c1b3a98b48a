"""`explain` and quoted phrases of POST /retrieve."""

import pytest
from fastapi.testclient import TestClient

from retrieval.domain.permissions import EVERYONE
from tests.api.conftest import FILES, World
from tests.story import allow

BODY = {"query": "work abroad 30 days", "explain": True}


def test_nothing_is_explained_unless_it_is_asked_for(api: TestClient, ann: dict[str, str]):
    unasked = [api.post("/retrieve", json=body, headers=ann).json() for body in ({"query": "work"}, {"query": "work", "explain": False})]

    assert not any("explanation" in body for body in unasked)


def test_every_hit_and_no_other_passage_is_explained_in_the_order_of_the_hits(api: TestClient, ann: dict[str, str]):
    response = api.post("/retrieve", json={**BODY, "top_k": 2}, headers=ann).json()

    explanation = response["explanation"]
    assert [hit["passage"] for hit in explanation["hits"]] == [hit["passage"]["id"] for hit in response["hits"]]
    assert explanation["terms"] == ["30", "abroad", "days", "work"]
    assert explanation["phrases"] == []


def test_the_legs_contributions_make_the_fused_score(api: TestClient, ann: dict[str, str]):
    response = api.post("/retrieve", json=BODY, headers=ann).json()

    best, explained = response["hits"][0], response["explanation"]["hits"][0]
    weights = response["explanation"]["weights"]
    assert explained["legs"]["lexical"] == {"rank": 1, "score": 4.0, "share": 1.0, "contribution": weights["lexical"]}
    assert sum(place["contribution"] for place in explained["legs"].values()) == pytest.approx(explained["fused_score"], abs=4e-4)
    assert {leg.replace("feedback", "dense") for leg in explained["legs"]} == set(best["found_by"])
    assert set(explained["legs"]) <= set(weights)


def test_a_reranked_hit_says_by_what_and_which_features_made_its_score(api: TestClient, ann: dict[str, str]):
    explained = api.post("/retrieve", json=BODY, headers=ann).json()["explanation"]["hits"][0]["rerank"]

    assert explained["by"] == "features"
    assert len(explained["contributions"]) > 3
    assert all(isinstance(value, float) for value in explained["contributions"].values())


@pytest.mark.permissions
def test_readable_by_names_the_callers_own_subjects_only(api: TestClient, world: World, bea: dict[str, str], ann: dict[str, str]):
    world.catalog.directory.set_groups("user:carl", ["group:board"])
    body = {"query": "merger Nightingale takeover", "explain": True, "top_k": 50}

    beas, anns = (api.post("/retrieve", json=body, headers=who).json() for who in (bea, ann))

    reasons = {hit["citation"]["title"]: told["readable_by"] for hit, told in zip(beas["hits"], beas["explanation"]["hits"], strict=True)}
    assert reasons == {"nightingale.txt": ["group:board"], "travel.txt": ["everyone"], "expenses.txt": ["everyone"]}
    assert {tuple(told["readable_by"]) for told in anns["explanation"]["hits"]} == {("everyone",)}


def test_every_hit_holds_the_quoted_phrase(api: TestClient, ann: dict[str, str]):
    found = api.post("/retrieve", json={"query": '"ASK your  manager" first travel', "explain": True}, headers=ann).json()
    nothing = api.post("/retrieve", json={"query": '"your manager ask" travel'}, headers=ann).json()

    assert [hit["passage"]["text"] for hit in found["hits"]] == [" Ask your manager first."]
    assert found["explanation"]["phrases"] == ["ASK your  manager"]
    assert nothing["hits"] == []


@pytest.mark.permissions
def test_a_phrase_of_what_is_hidden_is_a_phrase_of_nothing(api: TestClient, ann: dict[str, str], bea: dict[str, str]):
    body = {"query": '"merger Nightingale"', "explain": True}

    hidden, absent = (
        api.post("/retrieve", json=body | {"query": query}, headers=ann).json() for query in (body["query"], '"no such thing"')
    )

    assert hidden["hits"] == absent["hits"] == []
    assert hidden["explanation"]["hits"] == []
    assert len(api.post("/retrieve", json=body, headers=bea).json()["hits"]) == 1


@pytest.mark.parametrize("path", ["/retrieve", "/answer"])
@pytest.mark.parametrize(
    ("query", "limit"),
    [
        pytest.param(" ".join(f'"p{number}"' for number in range(9)), "8 phrases", id="too many phrases"),
        pytest.param(f'"{"w " * 65}"', "64 words and marks", id="too long a phrase"),
    ],
)
def test_limits_of_phrases_are_named(api: TestClient, ann: dict[str, str], path: str, query: str, limit: str):
    response = api.post(path, json={"query": query}, headers=ann)

    assert response.status_code == 422
    assert [(error["field"], error["limit"]) for error in response.json()["errors"]] == [("query", limit)]


def test_where_phrases_need_not_match_quotes_are_marks_like_any_other(world: World, ann: dict[str, str]):
    world.settings = world.settings.model_copy(update={"query_phrases_must_match": False})

    found = TestClient(world.app()).post("/retrieve", json={"query": '"your manager ask" travel'}, headers=ann).json()

    assert len(found["hits"]) > 1


def test_neighbouring_hits_are_shown_as_one_text_at_the_best_of_them(api: TestClient, world: World, ann: dict[str, str]):
    hits = api.post("/retrieve", json={"query": "work abroad manager"}, headers=ann).json()["hits"]

    extracts = [hit["extract"] for hit in hits if hit["citation"]["title"] == "travel.txt"]
    whole = "Everybody may work from abroad for 30 days. Ask your manager first."
    assert extracts == [{"text": whole, "span": {"start": 0, "end": len(whole)}}, None]


def test_collapsed_duplicates_are_cited_by_the_best_and_leave_room_for_others(world: World, ann: dict[str, str]):
    world.settings = world.settings.model_copy(update={"hits_collapse_duplicates": True})
    files = {f"copy{number}.txt": ("Bicycles are leased for three years at most.", allow(EVERYONE)) for number in range(3)}
    world.story.sync({**FILES, **files})

    hits = TestClient(world.app()).post("/retrieve", json={"query": "bicycles leased travel", "top_k": 2}, headers=ann).json()["hits"]

    assert hits[0]["citation"]["title"].startswith("copy")
    assert {one["title"] for one in (hits[0]["citation"], *hits[0]["duplicates"])} == set(files)
    assert not hits[1]["citation"]["title"].startswith("copy")
