"""How rare terms are, counted by access class; and that the embedded index counts what it holds, whatever was done to it."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.adapters.qdrant.bm25 import query_terms
from retrieval.adapters.qdrant.collection import OPEN
from retrieval.adapters.qdrant.edge_shard import EdgeShard
from retrieval.adapters.qdrant.term_counts import Counted, TermCounts
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.passages import PastVersion
from retrieval.ports.writing import Reclassification
from tests.retrieval.indexing.world import IDENTITY, document, scope_of

TERMS = query_terms("lantern harbour violin").hashes


def idf(passages: int, holding: int) -> float:
    return math.log(1 + (passages - holding + 0.5) / (holding + 0.5))


def counted(access_class: int, *terms: int, source: str = "handbook") -> Counted:
    return Counted(access_class, source, terms)


@pytest.fixture
def counts() -> TermCounts:
    found = TermCounts()
    found.count([counted(1, 7, 8), counted(1, 7), counted(2, 7), counted(2, 9), counted(3, 8, 9, source="wiki")])
    return found


def test_a_term_is_as_rare_as_it_is_in_the_classes_that_are_read(counts: TermCounts) -> None:
    assert counts.idf((1, 2), (), [7, 8, 9]) == pytest.approx([idf(4, 3), idf(4, 1), idf(4, 1)])


def test_what_a_hidden_class_holds_takes_no_part() -> None:
    without, beside = TermCounts(), TermCounts()
    shown = [counted(1, 7, 8), counted(1, 7)]
    without.count(shown)
    beside.count([*shown, *(counted(2, 7, 8, 9) for _ in range(100))])

    assert beside.idf((1,), (), [7, 8, 9]) == without.idf((1,), (), [7, 8, 9])


def test_only_the_sources_asked_for_are_counted(counts: TermCounts) -> None:
    assert counts.idf((1, 2, 3), ("wiki",), [8]) == pytest.approx([idf(1, 1)])


def test_a_class_that_holds_nothing_changes_nothing(counts: TermCounts) -> None:
    assert counts.idf((1, 999), (), [7]) == counts.idf((1,), (), [7])


def test_a_class_that_is_counted_later_is_read_by_who_was_told_of_it_before(counts: TermCounts) -> None:
    classes = (1, 4)
    counts.idf(classes, (), [7])

    counts.count([counted(4, 7)])

    assert counts.idf(classes, (), [7]) == pytest.approx([idf(3, 3)])


def test_what_is_no_longer_there_is_not_counted(counts: TermCounts) -> None:
    counts.count([], [counted(1, 7, 8)])

    assert counts.idf((1,), (), [7, 8]) == pytest.approx([idf(1, 1), idf(1, 0)])


@pytest.mark.parametrize("seed", range(5))
def test_after_any_changes_the_counts_are_those_of_what_is_left(seed: int) -> None:
    draw = random.Random(seed)
    counts, left = TermCounts(), list[Counted]()
    for _ in range(60):
        added = [counted(draw.randrange(6), *draw.sample(range(40), draw.randrange(5))) for _ in range(draw.randrange(12))]
        removed = draw.sample(left, draw.randrange(len(left) // 2 + 1))
        counts.count(added, removed)
        for passage in removed:
            left.remove(passage)
        left += added
    fresh = TermCounts()
    fresh.count(left)

    for classes in ((0, 1, 2), (3,), tuple(range(6))):
        assert counts.idf(classes, (), range(40)) == fresh.idf(classes, (), range(40))


def test_a_moment_counts_what_was_current_then_and_now_what_is() -> None:
    passages = [Counted(1, "handbook", (7,), ((2, 5), (8, OPEN))), Counted(1, "handbook", (7, 8), ((1, 3),)), Counted(2, "handbook", (8,))]
    now, ever = TermCounts(), TermCounts(by_time=True)
    now.count(passages)
    ever.count(passages)

    assert [ever.passages((1, 2), as_of=revision) for revision in (0, 1, 2, 3, 5, 8)] == [1, 2, 3, 2, 1, 2]
    assert ever.idf((1,), (), [7, 8], as_of=2) == pytest.approx([idf(2, 2), idf(2, 1)])
    assert now.idf((1, 2), (), [7, 8]) == ever.idf((1, 2), (), [7, 8], as_of=99) == pytest.approx([idf(2, 1), idf(2, 1)])
    ever.count([], passages[:2])
    assert [ever.passages((1, 2), as_of=revision) for revision in (0, 2, 9)] == [1, 1, 1]


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[EdgeShard]:
    found = EdgeShard.create(tmp_path / "shard", IDENTITY)
    found.replace([document("a", "a lantern", "a lantern by the harbour"), document("b", "a violin", access_class=2)])
    yield found
    found.close()


def weights(shard: EdgeShard, classes: Sequence[int] = (1, 2)) -> list[float]:
    return shard._terms.counts().idf(classes, (), TERMS)


def recounted(shard: EdgeShard, classes: Sequence[int] = (1, 2)) -> list[float]:
    shard._terms._counts = None
    return weights(shard, classes)


def test_a_changed_document_is_counted_as_it_is_now(shard: EdgeShard) -> None:
    shard.replace([document("a", "a violin", number=2)])

    assert weights(shard) == pytest.approx([idf(2, {0: 0, 1: 0, 2: 2}[at]) for at in _order("lantern", "harbour", "violin")])
    assert weights(shard) == recounted(shard)


def test_the_same_document_written_again_is_counted_once(shard: EdgeShard) -> None:
    before = weights(shard)

    shard.replace([document("a", "a lantern", "a lantern by the harbour")])

    assert weights(shard) == before == recounted(shard)


def test_a_withdrawn_document_is_not_counted(shard: EdgeShard) -> None:
    shard.replace([replace(document("a"), passages=())])

    assert weights(shard, (1,)) == [idf(0, 0)] * 3
    assert weights(shard) == recounted(shard)


def test_a_document_in_another_class_is_counted_there(shard: EdgeShard) -> None:
    shard.reclassify([Reclassification("doc_a", 3)])

    assert weights(shard, (1,)) == [idf(0, 0)] * 3
    assert weights(shard, (2, 3)) == recounted(shard, (2, 3)) != weights(shard, (2,))


def test_a_change_that_fails_half_way_leaves_no_wrong_count(shard: EdgeShard) -> None:
    good = document("c", *(f"lantern {number}" for number in range(256)))
    unfit = document("d", "a harbour", dimensions=3)

    with pytest.raises(IndexUnavailable, match="writing"):
        shard.replace([good, unfit])

    assert weights(shard) == recounted(shard)
    assert weights(shard) != [idf(3, 2), idf(3, 1), idf(3, 1)]


def test_the_past_is_counted_from_when_it_is_asked_for_and_kept_true(shard: EdgeShard) -> None:
    then = replace(scope_of(1), as_of=1)
    assert shard.readable_passages(then) == 2

    past = PastVersion("ver_a_1", 1, 4, document("a", "a lantern", "a lantern by the harbour").passages)
    shard.replace([replace(document("a", "a violin", number=4), past=(past,))])

    assert [shard.readable_passages(replace(then, as_of=revision)) for revision in (0, 1, 3, 4)] == [0, 2, 2, 1]
    assert shard.readable_passages(scope_of(1)) == 1


def test_an_opened_shard_counts_what_it_holds(shard: EdgeShard, tmp_path: Path) -> None:
    before = weights(shard)
    shard.close()

    opened = EdgeShard.load(tmp_path / "shard", IDENTITY)
    try:
        assert weights(opened) == before
    finally:
        opened.close()


def _order(*words: str) -> list[int]:
    """Which of the words each of TERMS is of."""
    places = {query_terms(word).hashes[0]: at for at, word in enumerate(words)}
    return [places[term] for term in TERMS]
