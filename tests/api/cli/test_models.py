"""archivist models: what is live, what is prepared, and changing it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.failures import FAILED, INVALID
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.embedding_models import ModelState
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist
from tests.story import Story
from tests.switching import DIMENSIONS, LIVE, OTHER, backfill, candidate, files, good, sync


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """Two documents, and a second model that has embedded one of them."""
    catalog = open_catalog(Settings(data_directory=tmp_path))
    catalog.embedding_models.begin(candidate(LIVE))
    catalog.embedding_models.register(candidate())
    story = Story(catalog, model=LIVE, dimensions=DIMENSIONS)
    sync(catalog, story, files(1), LIVE, OTHER)
    sync(catalog, story, files(2), LIVE)
    yield catalog
    catalog.close()


def test_models_are_listed_with_how_far_they_are(archivist: Archivist, catalog: Catalog) -> None:
    catalog.embedding_models.backfill(OTHER, by="user:dana")
    catalog.model_readers.report("here", serving=LIVE, prepared=[LIVE])

    listed = json.loads(archivist("models", "list", "--json", "--seconds", "0.01").stdout)

    live, other = listed["models"]
    assert (live["id"], live["state"], live["embedded"], live["texts"], live["prepared_by"]) == (LIVE, "live", 4, 4, "1 of 1")
    assert (other["id"], other["state"], other["embedded"], other["texts"]) == (OTHER, "backfilling", 2, 4)
    assert (other["texts_per_second"], other["seconds_left"], other["as_good"], other["prepared_by"]) == (0.0, None, None, "0 of 1")
    assert "backfilling" in archivist("models", "list").stdout


def test_a_model_is_promoted_taken_back_and_retired(archivist: Archivist, catalog: Catalog) -> None:
    early = archivist("models", "promote", OTHER)
    backfill(catalog, "handbook")
    not_compared = archivist("models", "promote", OTHER)
    catalog.embedding_models.judge(OTHER, good(), by="user:dana")

    promoted = archivist("models", "promote", OTHER, "--by", "user:dana")
    live = archivist("models", "retire", OTHER, "--yes")
    back = archivist("models", "reverse")
    kept = archivist("models", "retire", OTHER, input="n\n")
    retired = archivist("models", "retire", OTHER, "--yes")

    assert (early.exit_code, not_compared.exit_code, live.exit_code) == (FAILED, FAILED, FAILED)
    assert "has not been compared" in not_compared.stderr
    assert (promoted.exit_code, back.exit_code, retired.exit_code) == (0, 0, 0)
    assert "is live again" in back.stderr
    assert kept.exit_code != 0
    assert "4 vectors deleted" in retired.stderr
    assert [(model.id, model.state) for model in catalog.embedding_models.all()] == [(LIVE, ModelState.LIVE), (OTHER, ModelState.RETIRED)]


def test_what_cannot_be_is_refused_in_one_line(archivist: Archivist, catalog: Catalog) -> None:
    nobody = archivist("models", "promote", "fake@nobody")
    elsewhere = archivist("models", "register", "/etc")
    careless = archivist("models", "promote", OTHER, "--force", "x")

    assert (nobody.exit_code, elsewhere.exit_code, careless.exit_code) == (INVALID, INVALID, INVALID)
    assert "no such model" in nobody.stderr
    assert "folder of the models' directory" in elsewhere.stderr
    assert "say why" in careless.stderr
