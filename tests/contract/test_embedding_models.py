"""The registry of embedding models, on both databases: one is live, and what becomes live has every vector."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipelines.stages.backfill import BackfillStep, Stores, backfill
from pipelines.stages.embed import embed_missing
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.embedding_models import Measured, ModelLimits, ModelState, broken_limits
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.ports.models import Vectors
from tests.story import PUBLIC, Story
from tests.switching import DIMENSIONS, EMBEDDERS, LIVE, OTHER, candidate, files, good, sync

pytestmark = pytest.mark.contract
BY = "user:dana"
FIGURES = Measured(0.8, 10.0, 2.0, 384)
LIMITS = ModelLimits(ndcg_loss=0.01, latency_ratio=2.0, cost_ratio=3.0)


@pytest.fixture
def story(catalog: Catalog) -> Story:
    """Three documents that the live model has embedded."""
    catalog.embedding_models.begin(replace(candidate(LIVE), state=ModelState.LIVE))
    made = Story(catalog, model=LIVE, dimensions=DIMENSIONS)
    sync(catalog, made, files(3), LIVE)
    return made


def test_the_first_model_is_live_and_stays_it(catalog: Catalog) -> None:
    assert catalog.embedding_models.live() is None

    first = catalog.embedding_models.begin(candidate(LIVE))
    second = catalog.embedding_models.begin(candidate(OTHER))

    assert first.state is ModelState.LIVE
    assert second == first == catalog.embedding_models.live()
    assert catalog.embedding_models.current() == (catalog.revision(), LIVE)


def test_a_model_becomes_live_only_when_it_is_complete_compared_and_prepared_by_every_reader(catalog: Catalog, story: Story) -> None:
    models, readers = catalog.embedding_models, catalog.model_readers
    models.register(candidate())
    with pytest.raises(Conflict, match="is candidate"):
        models.promote(OTHER, by=BY, force="however it is")
    models.backfill(OTHER, by=BY)
    with pytest.raises(Conflict, match="6 texts have no vector"):
        models.complete(OTHER, by=BY)

    _backfill(catalog)
    with pytest.raises(Conflict, match="has not been compared"):
        models.promote(OTHER, by=BY)
    models.judge(OTHER, replace(good(), problems=("it is worse",)), by=BY)
    with pytest.raises(Conflict, match="it is worse"):
        models.promote(OTHER, by=BY)
    models.judge(OTHER, replace(good(), against="fake@another"), by=BY)
    with pytest.raises(Conflict, match="has not been compared"):
        models.promote(OTHER, by=BY)
    models.judge(OTHER, good(), by=BY)
    readers.report("here", serving=LIVE, prepared=[LIVE, OTHER])
    readers.report("there", serving=LIVE, prepared=[LIVE])
    with pytest.raises(Conflict, match="not ready for it yet: there"):
        models.promote(OTHER, by=BY)
    with pytest.raises(InvalidInput, match="force"):
        models.promote(OTHER, by=BY, force="x")
    readers.leave("there")
    before = catalog.revision()

    revision = models.promote(OTHER, by=BY)

    assert revision == before + 1 == catalog.revision()
    assert [(model.id, model.state) for model in models.all()] == [(OTHER, ModelState.LIVE), (LIVE, ModelState.READY)]
    assert models.reverse(by=BY) == (LIVE, revision + 1)
    assert models.reverse(by=BY) == (OTHER, revision + 2)


def test_what_speaks_against_a_model_is_overruled_by_a_reason_that_is_recorded(catalog: Catalog, story: Story) -> None:
    models = catalog.embedding_models
    models.register(candidate())
    _backfill(catalog)
    models.judge(OTHER, replace(good(), problems=("it is worse",)), by=BY)
    catalog.model_readers.report("there", serving=LIVE, prepared=[LIVE])

    models.promote(OTHER, by=BY, force="It reads German.")

    with catalog.database.read() as connection:
        last = connection.exec_driver_sql("SELECT record FROM audit WHERE action = 'model.promoted' ORDER BY seq DESC").scalar()
    assert json.loads(str(last))["details"] == {"before": LIVE, "forced": "It reads German."}
    assert json.loads(str(last))["actor"] == BY


def test_no_version_becomes_current_without_the_live_models_vectors(catalog: Catalog, story: Story) -> None:
    catalog.embedding_models.register(candidate())
    _backfill(catalog)
    run = story.start()
    held = files(4)
    story.record(run, held)
    story.stage(run, held)
    embed_missing(catalog.embeddings, EMBEDDERS[LIVE], story.source)
    catalog.embedding_models.promote(OTHER, by=BY, force="while a run is under way")

    published = list(catalog.publishing.publish(run, model=LIVE, batch=10))
    embed_missing(catalog.embeddings, EMBEDDERS[OTHER], story.source)
    then = list(catalog.publishing.publish(run, model=OTHER, batch=10))

    assert (sum(each.published for each in published), published[-1].waiting) == (0, 1)
    assert sum(each.published for each in then) == 1


def test_past_versions_are_embedded_too_so_that_going_back_needs_nothing(catalog: Catalog, story: Story) -> None:
    changed = dict.fromkeys(files(3), ("Something else. Entirely", PUBLIC))
    sync(catalog, story, changed, LIVE)
    catalog.embedding_models.register(candidate())

    _, embedded = _backfill(catalog)

    assert embedded == 6 + 2


def test_a_backfill_that_dies_goes_on_where_it_was(catalog: Catalog, story: Story) -> None:
    catalog.embedding_models.register(candidate())
    dying = Dying(after=4)
    with pytest.raises(KeyboardInterrupt):
        backfill(Stores(catalog.embedding_models, catalog.embeddings), dying, by=BY, window=2)
    state = catalog.embedding_models.get(OTHER).state
    steps: list[BackfillStep] = []

    ready, embedded = _backfill(catalog, steps.append)

    assert state is ModelState.BACKFILLING
    assert embedded == 2
    assert ready.state is ModelState.READY
    assert (steps[0].left, steps[-1].left) == (2, 0)


def test_what_is_caught_up_later_is_announced_to_indexes(catalog: Catalog, story: Story) -> None:
    catalog.embedding_models.register(candidate())
    _backfill(catalog)
    sync(catalog, story, files(4), LIVE)  # a run that could not embed by the other model
    with pytest.raises(Conflict, match="2 texts have no vector"):
        catalog.embedding_models.promote(OTHER, by=BY, force="however it is")
    before = catalog.revision()

    _, embedded = _backfill(catalog)

    assert embedded == 2
    assert {change.document for change in story.feed.changes(before, limit=10)} == {story.document(key) for key in files(4)}
    [passage, *_] = story.feed.indexed_documents([story.document("00003.md")])[0].passages
    assert set(passage.vectors) == {LIVE, OTHER}
    assert list(passage.vector) == list(passage.vectors[LIVE])


def test_a_retired_models_vectors_are_deleted_in_batches_and_nobody_elses(catalog: Catalog, story: Story) -> None:
    models = catalog.embedding_models
    models.register(candidate())
    _backfill(catalog)
    with pytest.raises(Conflict, match="is live"):
        models.retire(LIVE, by=BY)
    with pytest.raises(Conflict, match="not retired"):
        list(models.forget(OTHER, batch=4))
    models.promote(OTHER, by=BY, force="to retire the first")
    models.retire(LIVE, by=BY)

    deleted = list(models.forget(LIVE, batch=4))

    assert deleted == [4, 2]
    assert [progress.missing for progress in models.progress(OTHER)] == [0]
    [passage, *_] = story.feed.indexed_documents([story.document("00000.md")])[0].passages
    assert set(passage.vectors) == {OTHER}
    with pytest.raises(Conflict, match="not kept any more"):
        models.reverse(by=BY)


def test_only_one_model_is_prepared_at_a_time(catalog: Catalog, story: Story) -> None:
    models = catalog.embedding_models
    third = replace(candidate(), id="fake@third", sha256="3")
    models.register(candidate())
    models.register(third)
    models.backfill(OTHER, by=BY)

    with pytest.raises(Conflict, match=f"{OTHER} is kept beside"):
        models.backfill(third.id, by=BY)
    with pytest.raises(Conflict, match="other weights"):
        models.register(replace(third, sha256="4"))
    with pytest.raises(InvalidInput, match="no such model"):
        models.backfill("fake@nobody", by=BY)


@pytest.mark.parametrize(
    ("worse", "problems"),
    [
        pytest.param({}, 0, id="as good"),
        pytest.param({"ndcg_at_10": 0.79}, 0, id="at the limit"),
        pytest.param({"ndcg_at_10": 0.78}, 1, id="worse"),
        pytest.param({"milliseconds": 20.0}, 0, id="twice as slow"),
        pytest.param({"milliseconds": 20.1}, 1, id="slower"),
        pytest.param({"seconds_per_1000_passages": 6.1}, 1, id="dearer"),
        pytest.param({"ndcg_at_10": 0.5, "milliseconds": 99.0, "seconds_per_1000_passages": 99.0}, 3, id="everything"),
    ],
)
def test_a_model_is_as_good_within_the_limits(worse: dict[str, float], problems: int) -> None:
    assert len(broken_limits(FIGURES, replace(FIGURES, **worse), LIMITS)) == problems


class Dying:
    """The other model, until its process dies."""

    model = OTHER
    dimensions = DIMENSIONS
    max_tokens = 256

    def __init__(self, *, after: int) -> None:
        self._left = after

    def count_tokens(self, texts: list[str]) -> list[int]:
        return EMBEDDERS[OTHER].count_tokens(texts)

    def embed_query(self, text: str) -> Vectors:
        return EMBEDDERS[OTHER].embed_query(text)

    def embed(self, texts: list[str]) -> Vectors:
        self._left -= len(texts)
        if self._left < 0:
            raise KeyboardInterrupt
        return EMBEDDERS[OTHER].embed(texts)


def _backfill(catalog: Catalog, tell: Callable[[BackfillStep], None] = lambda _step: None):
    return backfill(Stores(catalog.embedding_models, catalog.embeddings), EMBEDDERS[OTHER], by=BY, window=100, tell=tell)
