"""A running service changes its embedding model under questions: none fails, and none is answered by two models' vectors."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.bootstrap import open_catalog
from retrieval.domain.embedding_models import ModelState
from retrieval.domain.errors import Conflict, IndexUnavailable
from retrieval.domain.queries import Query
from retrieval.evaluation.model_comparison import OneModel
from retrieval.model_switch import LiveModels
from retrieval.ports.models import Vectors
from retrieval.settings import Settings
from tests.story import ANN, Story
from tests.switching import (
    DIMENSIONS,
    EMBEDDERS,
    LIVE,
    OTHER,
    NamedEmbedder,
    Querying,
    asking,
    backfill,
    candidate,
    files,
    good,
    scored_by,
    serving,
    sync,
)

BY = "user:dana"
DOCUMENTS = int(os.environ.get("ARCHIVIST_TEST_SWITCHED_DOCUMENTS", "150"))
KILLED_AFTER_SECONDS = (0.02, 0.3) if "ARCHIVIST_TEST_SWITCHED_DOCUMENTS" not in os.environ else tuple(0.03 * at for at in range(40))
QUERIES = ["lantern harbour 3", "violin granite 5", "meadow cipher 1", "saffron tunnel 77", "walnut"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_directory=tmp_path / "archivist", model_refresh_seconds=0.05, index_follow_seconds=0.05)


def test_a_switch_and_its_reversal_fail_no_query_and_mix_no_models(settings: Settings) -> None:
    with serving(settings) as service:
        catalog, models = service.catalog, service.catalog.embedding_models
        story = Story(catalog, model=LIVE, dimensions=DIMENSIONS)
        sync(catalog, story, files(DOCUMENTS), LIVE)
        ask = asking(service)
        _until(lambda: _answers(ask))
        querying = Querying(ask, QUERIES)

        with querying.running(2):
            models.register(candidate())
            backfill(catalog, story.source)
            sync(catalog, story, files(DOCUMENTS + 3), LIVE, OTHER)
            models.judge(OTHER, good(), by=BY)
            _until(lambda: _promoted(service.catalog))
            _until(lambda: OTHER in querying.told())
            sync(catalog, story, files(DOCUMENTS + 6), LIVE, OTHER)
            at_promotion = len(querying.answered)
            models.reverse(by=BY)
            _until(lambda: querying.answered[-1][0] == LIVE)

        assert not querying.failed
        assert not querying.mixed
        assert querying.told() == {LIVE, OTHER}
        assert len(querying.answered) > at_promotion
        newest = service.knowledge.retrieve(ANN, Query(f"0 {DOCUMENTS + 5}", top_k=3, depth=10))
        assert f"{DOCUMENTS + 5:05}.md" in {hit.passage.uri.removeprefix("file:///") for hit in newest.hits}
        assert [(model.state, is_ready) for model, is_ready in service.embedding_models()] == [
            (ModelState.LIVE, True),
            (ModelState.READY, True),
        ]
        assert models.get(LIVE).live_to is not None
        _until(lambda: [reader.serving for reader in catalog.model_readers.readers()] == [LIVE])
        [reader] = catalog.model_readers.readers()
        assert reader.prepared == (LIVE, OTHER)
        mixing = replace(service.knowledge, models=OneModel(Mixing()))
        mixed = mixing.retrieve(ANN, Query(QUERIES[0], top_k=5, depth=20))
        assert (mixed.model, scored_by(mixed.hits, QUERIES[0])) == (LIVE, set())
    catalog = open_catalog(settings)
    assert catalog.model_readers.readers() == []
    catalog.close()


class Mixing(NamedEmbedder):
    """What must never be: one model's name over the other's vectors, of equal length. The planted scores find it out."""

    def __init__(self) -> None:
        super().__init__(LIVE, DIMENSIONS)

    def embed_query(self, text: str) -> Vectors:
        return EMBEDDERS[OTHER].embed_query(text)


class Registry:
    """A catalog that says what it is told to."""

    def __init__(self, live: str, *searched: str) -> None:
        self.live_id, self.searched, self.revision = live, searched, 1
        self.reads = 0

    def current(self) -> tuple[int, str | None]:
        self.reads += 1
        return self.revision, self.live_id

    def all(self):
        states = {id_: ModelState.LIVE if id_ == self.live_id else ModelState.READY for id_ in (self.live_id, *self.searched)}
        return [type("Model", (), {"id": id_, "state": state}) for id_, state in states.items()]


@pytest.fixture
def held() -> set[str]:
    return {LIVE}


@pytest.fixture
def registry() -> Registry:
    return Registry(LIVE, OTHER)


@pytest.fixture
def live_models(registry: Registry, held: set[str]) -> LiveModels:
    return LiveModels(
        registry,  # type: ignore[arg-type]
        None,
        load=lambda model: EMBEDDERS[model.id],
        holds=lambda id_: id_ in held,
        first=EMBEDDERS[LIVE],
        name="here",
    )


def test_a_process_that_is_not_ready_goes_on_by_the_model_before_and_says_so(
    live_models: LiveModels, registry: Registry, held: set[str]
) -> None:
    live_models.refresh()
    registry.live_id, registry.revision = OTHER, 2

    before = live_models.serving(2)
    held.add(OTHER)
    live_models.refresh()
    after = live_models.serving(2)

    assert (before.embedder.model, before.is_live) == (LIVE, False)
    assert (after.embedder.model, after.is_live) == (OTHER, True)


def test_the_catalog_is_asked_once_for_each_revision(live_models: LiveModels, registry: Registry, held: set[str]) -> None:
    held.add(OTHER)
    live_models.refresh()
    registry.reads = 0
    registry.live_id, registry.revision = OTHER, 2

    found = [live_models.serving(revision).embedder.model for revision in (1, 1, 2, 2, 2)]

    assert found == [LIVE, LIVE, OTHER, OTHER, OTHER]
    assert registry.reads == 1


def test_a_model_that_is_retired_leaves_memory_and_its_successor_stays(live_models: LiveModels, registry: Registry, held: set[str]) -> None:
    held.add(OTHER)
    live_models.refresh()
    registry.live_id, registry.revision = OTHER, 2
    live_models.refresh()

    registry.searched = ()
    live_models.refresh()

    assert [embedder.model for embedder in live_models.prepared] == [OTHER]
    assert live_models.serving(2).embedder.model == OTHER


@pytest.mark.slow
def test_a_process_killed_while_it_embeds_or_promotes_leaves_one_live_model_that_is_complete(settings: Settings) -> None:
    catalog = open_catalog(settings)
    models = catalog.embedding_models
    models.begin(candidate(LIVE))
    story = Story(catalog, model=LIVE, dimensions=DIMENSIONS)
    sync(catalog, story, files(60), LIVE)
    models.register(candidate())

    for delay in KILLED_AFTER_SECONDS:
        child = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(settings.data_directory)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        child.kill()
        child.communicate()
        live = models.live()
        assert live is not None
        assert sum(model.state is ModelState.LIVE for model in models.all()) == 1
        assert sum(progress.missing for progress in models.progress(live.id)) == 0

    if models.get(OTHER).state is not ModelState.LIVE:
        backfill(catalog, story.source)
        models.promote(OTHER, by=BY, force="after the kills")
    assert sum(progress.missing for progress in models.progress(OTHER)) == 0
    catalog.close()


_KILLED = """
import sys
from pathlib import Path
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.settings import Settings
from pipelines.stages.backfill import Stores, backfill
from tests.switching import DIMENSIONS, EMBEDDERS, LIVE, OTHER
catalog = open_catalog(Settings(data_directory=Path(sys.argv[1])))
models = catalog.embedding_models
print("begun", flush=True)
while True:
    if models.get(OTHER).state.value != "live":
        backfill(Stores(models, catalog.embeddings), EMBEDDERS[OTHER], by="user:dana", window=2)
        models.promote(OTHER, by="user:dana", force="again and again")
    models.reverse(by="user:dana")
"""


def _answers(ask: Callable[[str], object]) -> bool:
    try:
        ask(QUERIES[0])
    except IndexUnavailable:
        return False
    return True


def _promoted(catalog) -> bool:  # type: ignore[no-untyped-def]
    try:
        catalog.embedding_models.promote(OTHER, by=BY)
    except Conflict:
        return False
    return True


def _until(condition: Callable[[], object], *, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.02)
