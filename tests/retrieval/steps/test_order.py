import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from retrieval.domain.runs import FusedHit
from retrieval.steps.order import SPREAD, reordered


def fused(**scores: float) -> list[FusedHit]:
    return [FusedHit(passage, score, None, None, None, None) for passage, score in scores.items()]


def squeezed(score: float) -> float:
    return 1 / (1 + math.exp(-score / SPREAD))


def test_reranked_hits_come_first_by_their_new_scores_and_the_others_as_they_were_fused():
    ordered = reordered(fused(a=0.9, b=0.7, c=0.6, d=0.2), {"a": -1.0, "b": 4.0})

    assert [hit.passage for hit in ordered] == ["b", "a", "c", "d"]
    assert [hit.score for hit in ordered] == [
        pytest.approx(0.6 + 0.4 * squeezed(4.0), abs=1e-5),
        pytest.approx(0.6 + 0.4 * squeezed(-1.0), abs=1e-5),
        0.6,
        0.2,
    ]


def test_equal_scores_are_ordered_by_passage_id_whatever_fusion_thought():
    ordered = reordered(fused(z=0.9, y=0.8, x=0.7), {"z": 1.0, "y": 1.0, "x": 1.0})

    assert [hit.passage for hit in ordered] == ["x", "y", "z"]
    assert [hit.score for hit in ordered] == [pytest.approx(squeezed(1.0), abs=1e-5)] * 3


def test_a_hit_that_the_graph_raised_above_one_leaves_room_for_those_that_were_reranked():
    ordered = reordered(fused(a=1.4, b=1.3, c=0.2), {"c": 0.0})

    assert [(hit.passage, hit.score) for hit in ordered] == [("c", pytest.approx(0.995)), ("a", 0.99), ("b", 0.99)]


@pytest.mark.parametrize("score", [1e300, -1e300])
def test_a_score_of_any_size_gives_a_score_between_nought_and_one(score: float):
    [first, second] = reordered(fused(a=0.5, b=0.4), {"a": score})

    assert first.passage == "a"
    assert 0.4 == second.score <= first.score <= 1.0


def test_what_the_graph_adds_is_added_to_what_a_reranker_says_again():
    hits = [replace(hit, graph_score=graph) for hit, graph in zip(fused(a=0.9, b=0.7, c=0.5, d=0.2), (None, 1.0, None, 1.0), strict=True)]

    ordered = reordered(hits, {"a": 2.0, "b": -1.0, "c": 0.0}, graph_weight=0.5)

    most = squeezed(-1.0) + 0.5 * 1.0
    assert most < 1
    assert [(hit.passage, hit.score) for hit in ordered] == [
        ("b", pytest.approx(0.2 + 0.8 * most, abs=1e-5)),
        ("a", pytest.approx(0.2 + 0.8 * squeezed(2.0), abs=1e-5)),
        ("c", pytest.approx(0.2 + 0.8 * 0.5, abs=1e-5)),
        ("d", 0.2),
    ]


def test_the_graph_takes_no_score_above_one():
    hits = [replace(hit, graph_score=graph) for hit, graph in zip(fused(a=0.9, b=0.7), (0.0, 1.0), strict=True)]

    ordered = reordered(hits, {"a": 0.0, "b": 0.0}, graph_weight=2.0)

    assert [(hit.passage, hit.score) for hit in ordered] == [("b", 1.0), ("a", pytest.approx(0.5 / 2.5, abs=1e-5))]


def test_without_scores_everything_stays():
    hits = fused(a=0.9, b=0.7)

    assert list(reordered(hits, {})) == hits


@trials(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.floats(0, 2).map(lambda score: round(score, 5)), max_size=12),
    st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.floats(-30, 30), max_size=6),
)
def test_no_hit_is_lost_and_scores_never_rise_on_the_way_down(scores: dict[str, float], new: dict[str, float]):
    hits = sorted(fused(**scores), key=lambda hit: (-hit.score, hit.passage))
    new = {passage: score for passage, score in new.items() if passage in scores}

    ordered = reordered(hits, new)

    assert {hit.passage for hit in ordered} == set(scores)
    assert {hit.passage for hit in ordered[: len(new)]} == set(new)
    found = [hit.score for hit in ordered]
    assert found == sorted(found, reverse=True)
