"""POST /retrieve, in the order anonymous, wrong principal, hidden, absent, valid."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from retrieval.adapters.catalog import tables
from retrieval.domain.contracts import ContractTerms
from retrieval.domain.errors import CatalogUnavailable, IndexUnavailable, RevisionNotReached
from tests.api.conftest import SECRET_WORDS, World
from tests.story import Story, allow

BODY = {"query": "work abroad 30 days"}


def test_an_anonymous_caller_is_refused_before_the_body_is_judged(api: TestClient):
    refusals = [api.post("/retrieve", json=BODY), api.post("/retrieve", content=b"{nonsense"), api.post("/retrieve", json={"query": 1})]

    assert [refusal.status_code for refusal in refusals] == [401, 401, 401]
    assert refusals[0].headers["www-authenticate"] == 'Bearer realm="archivist"'


@pytest.mark.permissions
def test_a_principal_without_the_group_finds_nothing_of_what_is_hidden(api: TestClient, ann: dict[str, str]):
    response = api.post("/retrieve", json={"query": "Nightingale merger takeover", "top_k": 50}, headers=ann)

    assert response.status_code == 200
    assert not any(word in response.text for word in SECRET_WORDS)


@pytest.mark.permissions
def test_the_same_query_gives_two_people_what_each_may_read(api: TestClient, ann: dict[str, str], bea: dict[str, str]):
    body = {"query": "Nightingale merger", "top_k": 50}

    anns, beas = (api.post("/retrieve", json=body, headers=who).json()["hits"] for who in (ann, bea))

    assert beas[0]["citation"]["title"] == "nightingale.txt"
    assert {hit["passage"]["text"] for hit in anns} == {
        hit["passage"]["text"] for hit in beas if hit["citation"]["title"] != "nightingale.txt"
    }


@pytest.mark.permissions
def test_a_revoked_membership_counts_from_the_next_request(api: TestClient, world: World, bea: dict[str, str]):
    body = {"query": "Nightingale merger"}
    before = api.post("/retrieve", json=body, headers=bea).text
    world.catalog.directory.set_groups("user:bea", [])

    after = api.post("/retrieve", json=body, headers=bea).text

    assert "Nightingale" in before
    assert "Nightingale" not in after


def test_a_source_that_does_not_exist_is_a_source_without_hits(api: TestClient, ann: dict[str, str]):
    response = api.post("/retrieve", json={**BODY, "sources": ["elsewhere"]}, headers=ann)

    assert response.status_code == 200
    assert response.json()["hits"] == []


def test_a_hit_carries_its_passage_and_a_citation_that_quotes_it(api: TestClient, world: World, ann: dict[str, str]):
    response = api.post("/retrieve", json={**BODY, "top_k": 1}, headers=ann)

    (hit,) = response.json()["hits"]
    assert hit["rank"] == 1
    assert set(hit["found_by"]) == {"lexical", "dense"}
    assert hit["passage"]["text"] == "Everybody may work from abroad for 30 days."
    assert hit["passage"]["span"] == {"start": 0, "end": 43}
    assert hit["citation"]["document"] == world.document("travel.txt")
    assert hit["citation"]["quote"] == hit["passage"]["text"]
    assert hit["citation"]["span"] == hit["passage"]["span"]
    assert hit["citation"]["passage"] == hit["passage"]["id"]
    assert response.json()["degraded"] == []


def test_ranks_count_from_one_and_scores_do_not_rise(api: TestClient, ann: dict[str, str]):
    hits = api.post("/retrieve", json=BODY, headers=ann).json()["hits"]

    assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)


def test_the_time_of_every_step_is_in_the_server_timing_header(api: TestClient, ann: dict[str, str]):
    response = api.post("/retrieve", json=BODY, headers=ann)

    steps = [part.split(";dur=") for part in response.headers["server-timing"].split(", ")]
    assert [name for name, _ in steps] == [
        *("authenticate", "authorise", "embed", "legs", "fuse", "feedback", "gate", "rerank", "attribute", "audit")
    ]
    assert all(float(milliseconds) >= 0 for _, milliseconds in steps)


def test_a_consistency_token_asks_for_the_revision_it_was_given_at(api: TestClient, world: World, ann: dict[str, str]):
    token = api.post("/retrieve", json=BODY, headers=ann).json()["consistency_token"]

    response = api.post("/retrieve", json={**BODY, "at_least": token}, headers=ann)

    assert response.status_code == 200
    first, again = [search.at_least for search in world.index.searches if search.text]
    assert (first, again) == (0, world.story.feed.revision())


@pytest.mark.parametrize(
    ("body", "field", "limit"),
    [
        pytest.param({}, "query", None, id="no query"),
        pytest.param({"query": "  "}, "query", "at least 1 character that is not a space", id="an empty query"),
        pytest.param({"query": "a" * 300}, "query", "200 characters", id="a long query"),
        pytest.param({"query": "a", "top_k": 0}, "top_k", "1 to 100", id="top k of nothing"),
        pytest.param({"query": "a", "top_k": 101}, "top_k", "1 to 100", id="top k beyond the limit"),
        pytest.param({"query": "a", "top_k": "5"}, "top_k", None, id="top k as text"),
        pytest.param({"query": "a", "top_k": True}, "top_k", None, id="top k as a truth"),
        pytest.param({"query": "a", "top_k": 1.5}, "top_k", None, id="top k as a fraction"),
        pytest.param({"query": ["a"]}, "query", None, id="a list of queries"),
        pytest.param({"query": "a", "groups": ["board"]}, "groups", None, id="an unknown field"),
        pytest.param({"query": "a", "sources": ["elsewhere"] * 101}, "sources", "100 sources", id="too many sources"),
        pytest.param({"query": "a", "sources": ["ok-1", "../etc"]}, "sources[1]", "pattern ^[a-z0-9][a-z0-9-]{1,62}$", id="no source id"),
        pytest.param({"query": "a", "at_least": "17"}, "at_least", None, id="a revision in clear"),
        pytest.param({"query": "a", "at_least": "A" * 48}, "at_least", None, id="a forged token"),
        pytest.param({"query": "a", "at_least": "ü" * 48}, "at_least", None, id="a token of other letters"),
        pytest.param([], "body", None, id="a list"),
    ],
)
def test_wrong_input_is_refused_with_its_field_and_limit(world: World, ann: dict[str, str], body: object, field: str, limit: str | None):
    world.settings = world.settings.model_copy(update={"query_max_characters": 200})
    client = TestClient(world.app())

    response = client.post("/retrieve", json=body, headers=ann)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [(error["field"], error["limit"]) for error in response.json()["errors"]] == [(field, limit)]


def test_a_problem_never_repeats_the_rejected_value(api: TestClient, ann: dict[str, str]):
    bodies = [{"query": {"x": "Nightingale"}}, {"query": "a", "sources": ["Nightingale"]}, {"query": "a", "at_least": "Nightingale"}]

    responses = [api.post("/retrieve", json=body, headers=ann) for body in bodies]

    assert [response.status_code for response in responses] == [422, 422, 422]
    assert not any("Nightingale" in response.text for response in responses)


def test_a_lone_surrogate_is_not_a_query(api: TestClient, ann: dict[str, str]):
    response = api.post("/retrieve", content=b'{"query": "\\ud800"}', headers={**ann, "Content-Type": "application/json"})

    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": "query", "problem": "must be valid Unicode", "limit": None}]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        pytest.param(CatalogUnavailable("sqlite:////srv/secret/catalog.db is locked"), "catalog-unavailable", id="the catalog"),
        pytest.param(IndexUnavailable("process owns /srv/secret/index"), "index-unavailable", id="the index"),
        pytest.param(RevisionNotReached("the secret revision"), "revision-not-reached", id="the revision"),
    ],
)
def test_what_is_not_available_is_a_503_without_its_insides(
    api: TestClient, world: World, ann: dict[str, str], failure: CatalogUnavailable, kind: str
):
    world.index.failure = failure

    response = api.post("/retrieve", json=BODY, headers=ann)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["type"] == f"urn:archivist:problem:{kind}"
    assert "secret" not in response.text


def test_a_response_says_how_fresh_the_sources_are_that_it_shows_and_no_others(api: TestClient, world: World, ann: dict[str, str]):
    sources = world.catalog.sources
    Story(world.catalog, source="elsewhere").sync({"x.txt": ("Nothing of the kind.", allow("group:nobody"))})
    before = api.post("/retrieve", json=BODY, headers=ann).json()
    spec = sources.get("handbook").spec
    sources.register(replace(spec, contract=ContractTerms(freshness_hours=1)), by="user:dana")
    with world.catalog.database.write() as connection:
        connection.execute(tables.sources.update().values(last_success_at="2020-01-01T00:00:00.000000Z"))

    late = api.post("/retrieve", json=BODY, headers=ann).json()
    nothing = api.post("/retrieve", json={**BODY, "sources": ["elsewhere"]}, headers=ann).json()

    [fresh] = before["freshness"]
    assert (fresh["source"], fresh["objective_hours"], fresh["state"], before["degraded"]) == ("handbook", None, "fresh", [])
    assert late["freshness"] == [
        {"source": "handbook", "last_success_at": "2020-01-01T00:00:00.000000Z", "objective_hours": 1, "state": "late"}
    ]
    assert late["degraded"] == ["stale_source"]
    assert (nothing["freshness"], nothing["degraded"]) == ([], [])


def test_an_answer_says_how_fresh_what_it_cites_is(api: TestClient, ann: dict[str, str]):
    told = api.post("/answer", json={"query": BODY["query"], "include_passages": False}, headers=ann).json()

    assert {each["source"] for each in told["freshness"]} == {citation["source"] for citation in told["citations"]}
