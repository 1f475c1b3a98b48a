"""What a build finds out about the index it has made, and that searches follow it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from retrieval.adapters.qdrant import measuring
from retrieval.adapters.qdrant.building import build_generation
from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.measuring import Reader, measure, plan_file, queries_from, read_measured, readers_over, write_measured
from retrieval.adapters.qdrant.planner import DenseLimits, DensePlan, GraphStep, Measured
from retrieval.domain.passages import IndexedDocument, IndexedPassage
from retrieval.domain.permissions import AccessScope
from retrieval.domain.runs import Hit
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.world import FakeChangeFeed, scope_of

SAMPLES = np.eye(60).tolist()
CLASSES = dict.fromkeys(range(100), 1_000)


@dataclass
class TimedIndex:
    """An index of which everything is known: how long it takes, and what share of the exact hits a graph search finds."""

    seconds_per_passage: float = 1e-7
    ways: dict[tuple[int, bool], tuple[float, float]] = field(default_factory=dict)
    """(ef, ACORN) to (share found, seconds)."""
    now: float = 0.0

    def clock(self) -> float:
        return self.now

    def nearest(self, classes: Sequence[int], vector: Sequence[float], *, limit: int, plan: DensePlan) -> list[Hit]:
        share, seconds = 1.0, self.seconds_per_passage * sum(CLASSES[each] for each in classes)
        if not plan.exact:
            share, seconds = self.ways.get((plan.ef, plan.acorn_below == 1.0), (1.0, 0.001))
        self.now += seconds
        return [Hit(f"p{at:03}" if at < share * 100 else f"wrong {at}", 1 - at / 1_000) for at in range(limit)]

    def measured(self, exact_milliseconds: float) -> Measured:
        return measure(self, CLASSES, SAMPLES, exact_milliseconds=exact_milliseconds, clock=self.clock)


def test_as_many_are_compared_as_the_time_allows() -> None:
    """A ten-thousandth of a millisecond each: 3 ms are enough for 30,000."""
    assert TimedIndex(1e-7).measured(3).exact_passages == pytest.approx(30_000, abs=1)


def test_beyond_the_whole_index_the_pace_is_carried_on() -> None:
    assert TimedIndex(1e-8).measured(3).exact_passages == pytest.approx(300_000, abs=1)


def test_however_slow_the_machine_was_some_are_always_compared() -> None:
    assert TimedIndex(1.0).measured(3).exact_passages == measuring.LEAST_EXACT


def test_a_graph_is_measured_only_for_readers_of_more_than_are_compared() -> None:
    assert [step.passages for step in TimedIndex(1e-7).measured(3).graph] == [50_000, 100_000]


def test_the_quickest_way_that_finds_enough_is_taken() -> None:
    index = TimedIndex(
        ways={(256, False): (0.9, 0.001), (512, False): (1.0, 0.003), (1_024, False): (1.0, 0.004), (256, True): (1.0, 0.002)}
    )
    index.ways |= {(512, True): (1.0, 0.005), (1_024, True): (1.0, 0.006)}

    assert index.measured(6).graph == (GraphStep(100_000, 256, acorn=True),)


def test_where_no_way_finds_enough_the_one_that_finds_most_is_taken() -> None:
    index = TimedIndex(ways=dict.fromkeys(measuring.WAYS, (0.5, 0.001)) | {(1_024, True): (0.6, 0.1)})

    assert index.measured(6).graph == (GraphStep(100_000, 1_024, acorn=True),)


def test_a_small_index_is_not_measured() -> None:
    assert measure(TimedIndex(), {1: measuring.LEAST_EXACT}, SAMPLES, exact_milliseconds=3) == Measured()


def test_readers_read_more_and_more_of_the_same() -> None:
    readers = readers_over({1: 5_000, **dict.fromkeys(range(2, 200), 100)})

    assert [reader.passages for reader in readers] == sorted(reader.passages for reader in readers)
    assert all(set(fewer.classes) < set(more.classes) for fewer, more in pairwise(readers))
    assert readers[-1].passages == 5_000 + 198 * 100


def test_one_class_makes_one_reader() -> None:
    assert readers_over({7: 20_000}) == [Reader((7,), 20_000)]


def test_a_query_is_no_passage_but_near_one() -> None:
    """Unit vectors at right angles, moved half way towards another: the cosine to the first is 1 / sqrt(1.25)."""
    queries = np.array(queries_from(SAMPLES))

    assert len(queries) == measuring.QUERIES
    assert (queries @ np.array(SAMPLES).T).max(axis=1) == pytest.approx(1 / 1.25**0.5)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"exact_passages": 5}', '{"exact_passages": "many", "graph": []}', '{"graph": [1]}'])
def test_a_damaged_measurement_is_none(tmp_path: Path, damage: str) -> None:
    plan_file(tmp_path, LARGE.model).write_text(damage)

    assert read_measured(tmp_path, LARGE.model) == Measured()


def test_a_measurement_is_read_as_it_was_written(tmp_path: Path) -> None:
    measured = Measured(12_345, (GraphStep(20_000, 512, acorn=False), GraphStep(40_000, 256, acorn=True)))

    write_measured(tmp_path, LARGE.model, measured)

    assert read_measured(tmp_path, LARGE.model) == measured


def test_a_measurement_never_sends_small_readers_to_the_graph(tmp_path: Path) -> None:
    plan_file(tmp_path, LARGE.model).write_text('{"exact_passages": 1, "graph": []}')

    assert read_measured(tmp_path, LARGE.model).exact_passages == measuring.LEAST_EXACT


LARGE = IndexIdentity("large@1", 2_048)
"""So large that the engine makes a graph of few: it compares all of what is less than 10 MB, whatever it is asked."""
TOPICS, PER_CLASS, CLASS_COUNT, LATENT = 40, 80, 30, 400


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generation of 2,400 passages of 40 topics, measured as if 100 were many. Returns the index's directory."""
    root = tmp_path_factory.mktemp("measured")
    feed = FakeChangeFeed()
    feed.publish(*_documents())
    index = EdgeIndex.open(root, LARGE)
    build = index.generations.new_build()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "LEAST_EXACT", 100)
        build_generation(feed, build, LARGE, exact_milliseconds=1e-6)
    index.swap(build, lambda _generation: None)
    index.close()
    return root


@cache
def _documents() -> list[IndexedDocument]:
    """Each class holds passages of a few topics only, as a department's do; a vector is its topic's with noise of the same length."""
    drawn = np.random.default_rng(5)
    topics = drawn.normal(size=(TOPICS, LATENT))
    widened = drawn.normal(size=(LATENT, LARGE.dimensions))
    made = []
    for number in range(CLASS_COUNT):
        about = drawn.choice(TOPICS, size=8)[drawn.integers(0, 8, size=PER_CLASS)]
        rows = (topics[about] + drawn.normal(size=(PER_CLASS, LATENT))) @ widened
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        passages = tuple(
            IndexedPassage(f"{number:08}-0000-8000-8000-{at:012}", at, "text", "", tuple(row)) for at, row in enumerate(rows.tolist())
        )
        made.append(IndexedDocument(f"doc_{number}", "handbook", number, f"ver_{number}", 1, passages))
    return made


def test_a_build_keeps_what_it_measured_with_the_generation(built: Path) -> None:
    found = read_measured(built / "generations" / "1", LARGE.model)

    assert [step.passages for step in found.graph] == [160, 240, 640, 1_200, 2_400]


def test_what_was_measured_is_searched_by_after_opening_again(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "LEAST_EXACT", 100)

    index = EdgeIndex.open(built, LARGE)
    try:
        with index._reading() as generation:
            assert generation.measured[LARGE.model].exact_passages == 100
            assert generation.measured[LARGE.model].graph[-1].passages == 2_400
    finally:
        index.close()


def test_the_graph_finds_what_comparing_all_finds(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "LEAST_EXACT", 100)
    queries = queries_from([passage.vector for document in _documents()[::3] for passage in document.passages[:5]])
    scopes = [scope_of(*range(count), readable_passages=count * PER_CLASS) for count in (30, 15, 7, 3)]

    by_graph, by_all = _found(built, DenseLimits(), scopes, queries), _found(built, DenseLimits(10**9), scopes, queries)

    for graph, everything in zip(by_graph, by_all, strict=True):
        assert np.mean([len(set(found) & set(wanted)) / 10 for found, wanted in zip(graph, everything, strict=True)]) >= 0.99


def _found(built: Path, limits: DenseLimits, scopes: Sequence[AccessScope], queries: Sequence[list[float]]) -> list[list[list[str]]]:
    index = EdgeIndex.open(built, LARGE, limits=limits)
    try:
        searches = [LegSearch("", query, 10) for query in queries]
        return [[[hit.passage for hit in index.search(scope, search).dense.hits] for search in searches] for scope in scopes]
    finally:
        index.close()


def test_a_graph_searched_carelessly_would_not(built: Path) -> None:
    """Else the recall above would be that of an engine that compares all."""
    index = EdgeIndex.open(built, LARGE)
    try:
        with index._reading() as generation:
            careless, exact = DensePlan(exact=False, ef=1), DensePlan(exact=True)
            pairs = [
                [{hit.passage for hit in generation.shard.nearest(range(30), query, limit=1, plan=plan)} for plan in (careless, exact)]
                for query in queries_from([passage.vector for document in _documents() for passage in document.passages[:20]])
            ]
    finally:
        index.close()

    assert any(found != wanted for found, wanted in pairs)
