"""What the API tells of embedding models: which one answered, and which ones this process is ready for."""

from dataclasses import replace

from fastapi.testclient import TestClient

from tests.api.conftest import World
from tests.switching import OTHER, backfill, candidate


def test_readyz_shows_the_live_and_the_prepared_model_and_whether_this_process_has_them(api: TestClient, world: World) -> None:
    live = world.index.embedder.model
    models = world.catalog.embedding_models
    models.begin(replace(candidate(), id=live))
    models.register(candidate())
    before = api.get("/readyz").json()
    backfill(world.catalog, world.index.story.source)

    after = api.get("/readyz")

    assert before["models"] == [{"id": live, "state": "live", "ready": True}]
    assert after.status_code == 200
    assert after.json()["models"] == [{"id": live, "state": "live", "ready": True}, {"id": OTHER, "state": "ready", "ready": False}]


def test_every_answer_names_the_model_that_its_question_was_embedded_by(api: TestClient, world: World, ann: dict[str, str]) -> None:
    live = world.index.embedder.model

    retrieved = api.post("/retrieve", json={"query": "travel"}, headers=ann)
    answered = api.post("/answer", json={"query": "Who approves travel?"}, headers=ann)

    assert retrieved.json()["model"] == answered.json()["model"] == live
