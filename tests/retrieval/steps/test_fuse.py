import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.domain.runs import Hit, Leg, Run
from retrieval.steps.fuse import DENSE_FLOOR, fuse, fuse_as, fuse_by_distribution, fuse_by_rank, weights


def run(leg: Leg, **scores: float) -> Run:
    return Run.ranked(leg, [Hit(passage, score) for passage, score in scores.items()], depth=100)


LEXICAL = run(Leg.LEXICAL, a=8.0, b=6.0, c=2.0)
DENSE = run(Leg.DENSE, b=0.9, d=0.7, a=0.5)
NOTHING_LEXICAL = Run(Leg.LEXICAL, ())
NOTHING_DENSE = Run(Leg.DENSE, ())

score_sets = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(1, 10_000).map(lambda n: n / 1000), max_size=20)


def test_a_fused_score_is_the_weighted_sum_of_both_legs_shares():
    fused = {hit.passage: hit.score for hit in fuse(LEXICAL, DENSE, lexical_weight=0.25)}

    middle_of_dense = DENSE_FLOOR + (1 - DENSE_FLOOR) * 0.5
    assert fused == {
        "a": pytest.approx(0.25 * 1 + 0.75 * DENSE_FLOOR),
        "b": pytest.approx(0.25 * 6 / 8 + 0.75 * 1),
        "c": pytest.approx(0.25 * 2 / 8),
        "d": pytest.approx(0.75 * middle_of_dense),
    }


def test_hits_come_best_first_with_the_rank_and_score_each_leg_gave():
    fused = fuse(LEXICAL, DENSE, lexical_weight=0.5)

    assert [hit.passage for hit in fused] == ["b", "a", "d", "c"]
    assert (fused[0].lexical_rank, fused[0].lexical_score, fused[0].dense_rank, fused[0].dense_score) == (2, 6.0, 1, 0.9)
    assert (fused[2].lexical_rank, fused[2].lexical_score, fused[2].dense_rank, fused[2].dense_score) == (None, None, 2, 0.7)


def test_a_passage_found_by_both_legs_beats_one_found_as_well_by_either():
    lexical = run(Leg.LEXICAL, both=5.0, words=5.0, last=1.0)
    dense = run(Leg.DENSE, both=0.8, meaning=0.8, last=0.1)

    fused = fuse(lexical, dense, lexical_weight=0.5)

    assert fused[0].passage == "both"


def test_the_last_dense_hit_is_worth_more_than_a_passage_that_was_not_found():
    fused = fuse(NOTHING_LEXICAL, DENSE, lexical_weight=0.5)

    assert fused[-1].passage == "a"
    assert fused[-1].score == pytest.approx(0.5 * DENSE_FLOOR)


def test_equal_scores_are_ordered_by_passage_id():
    fused = fuse(run(Leg.LEXICAL, z=2.0, y=2.0), run(Leg.DENSE, x=0.5), lexical_weight=0.5)

    assert [hit.passage for hit in fused] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("lexical", "dense", "order"),
    [
        pytest.param(LEXICAL, NOTHING_DENSE, ["a", "b", "c"], id="no dense leg"),
        pytest.param(NOTHING_LEXICAL, DENSE, ["b", "d", "a"], id="no indexed term"),
        pytest.param(NOTHING_LEXICAL, NOTHING_DENSE, [], id="nothing at all"),
    ],
)
def test_what_one_leg_finds_alone_keeps_its_order(lexical, dense, order):
    fused = fuse(lexical, dense, lexical_weight=0.5)

    assert [hit.passage for hit in fused] == order


@given(score_sets, score_sets)
def test_the_weight_decides_between_the_legs(lexical_scores, dense_scores):
    lexical, dense = run(Leg.LEXICAL, **lexical_scores), run(Leg.DENSE, **dense_scores)

    all_lexical = fuse(lexical, dense, lexical_weight=1.0)
    all_dense = fuse(lexical, dense, lexical_weight=0.0)

    assert [hit.lexical_score for hit in all_lexical if hit.lexical_score] == [hit.score for hit in lexical.hits]
    assert [hit.dense_score for hit in all_dense if hit.dense_score] == [hit.score for hit in dense.hits]


@given(score_sets, score_sets, st.floats(0, 1))
def test_fused_scores_lie_between_0_and_1_and_cover_both_runs_once(lexical_scores, dense_scores, weight):
    fused = fuse(run(Leg.LEXICAL, **lexical_scores), run(Leg.DENSE, **dense_scores), lexical_weight=weight)

    assert sorted(hit.passage for hit in fused) == sorted(lexical_scores.keys() | dense_scores.keys())
    assert all(0 <= hit.score <= 1 for hit in fused)


@given(score_sets)
def test_the_range_of_a_models_cosines_does_not_matter(scores):
    narrow = {passage: 0.7 + score / 40 for passage, score in scores.items()}

    as_scored = fuse(NOTHING_LEXICAL, run(Leg.DENSE, **scores), lexical_weight=0.5)
    narrowed = fuse(NOTHING_LEXICAL, run(Leg.DENSE, **narrow), lexical_weight=0.5)

    by_passage = {hit.passage: hit.score for hit in narrowed}
    assert all(by_passage[hit.passage] == pytest.approx(hit.score, abs=2e-3) for hit in as_scored if len(set(scores.values())) > 1)


def test_fusion_by_rank_adds_weighted_reciprocal_ranks_of_which_the_first_is_worth_1():
    fused = {hit.passage: hit.score for hit in fuse_by_rank(LEXICAL, DENSE, lexical_weight=0.5)}

    assert fused["a"] == round(0.5 * 61 / 61 + 0.5 * 61 / 63, 5)
    assert fused["b"] == round(0.5 * 61 / 62 + 0.5 * 61 / 61, 5)
    assert fused["c"] == round(0.5 * 61 / 63, 5)


def test_fusion_by_distribution_places_each_score_among_those_of_its_run():
    lexical, dense = run(Leg.LEXICAL, a=7.0, b=5.0, c=3.0, d=1.0), run(Leg.DENSE, e=0.5)

    fused = {hit.passage: hit.score for hit in fuse_by_distribution(lexical, dense, lexical_weight=0.25)}

    deviation = 5**0.5  # of 7, 5, 3 and 1, whose mean is 4
    assert fused["a"] == pytest.approx(0.25 * (3 + 3 * deviation) / (6 * deviation), abs=1e-5)
    assert fused["d"] == pytest.approx(0.25 * (-3 + 3 * deviation) / (6 * deviation), abs=1e-5)
    assert fused["e"] == pytest.approx(0.75 * 0.5), "a score alone is in the middle"


@pytest.mark.parametrize(
    ("method", "first_of_each", "second_of_each"),
    [
        pytest.param("convex", 1.0, 0.5, id="convex"),
        pytest.param("rank", 1.0, 61 / 62, id="rank"),
        pytest.param("distribution", 4 / 6, 2 / 6, id="distribution"),
    ],
)
def test_each_method_shares_the_dense_legs_weight_with_its_second_search(method: str, first_of_each: float, second_of_each: float):
    lexical, dense = run(Leg.LEXICAL, a=8.0, b=4.0), run(Leg.DENSE, c=0.9, d=0.5)
    feedback = run(Leg.FEEDBACK, d=0.8, c=0.6)

    fused = {hit.passage: hit for hit in fuse_as(method, lexical, dense, lexical_weight=0.2, feedback=feedback)}

    counts = weights(lexical_weight=0.2, with_feedback=True)
    last_of_dense = DENSE_FLOOR if method == "convex" else second_of_each
    assert fused["a"].score == pytest.approx(counts[Leg.LEXICAL] * first_of_each, abs=1e-5)
    assert fused["b"].score == pytest.approx(counts[Leg.LEXICAL] * second_of_each, abs=1e-5)
    assert fused["c"].score == pytest.approx(counts[Leg.DENSE] * first_of_each + counts[Leg.FEEDBACK] * last_of_dense, abs=1e-5)
    assert fused["d"].score == pytest.approx(counts[Leg.DENSE] * last_of_dense + counts[Leg.FEEDBACK] * first_of_each, abs=1e-5)
    assert fused["c"].feedback_rank == 2
    assert fused["c"].shares == {
        Leg.DENSE: pytest.approx(first_of_each, abs=1e-5),
        Leg.FEEDBACK: pytest.approx(last_of_dense, abs=1e-5),
    }


@pytest.mark.parametrize("method", ["convex", "rank", "distribution"])
@given(score_sets, score_sets, score_sets, st.floats(0, 1))
def test_by_each_method_fused_scores_lie_between_0_and_1_and_cover_every_run_once(method, lexical_scores, dense_scores, again, weight):
    runs = run(Leg.LEXICAL, **lexical_scores), run(Leg.DENSE, **dense_scores)

    fused = fuse_as(method, *runs, lexical_weight=weight, feedback=run(Leg.FEEDBACK, **again))

    assert sorted(hit.passage for hit in fused) == sorted(lexical_scores.keys() | dense_scores.keys() | again.keys())
    assert all(0 <= hit.score <= 1 for hit in fused)


@given(st.floats(0, 1), st.booleans())
def test_the_legs_share_one_whole(lexical_weight: float, with_feedback: bool):
    counts = weights(lexical_weight=lexical_weight, with_feedback=with_feedback)

    assert sum(counts.values()) == pytest.approx(1)
    assert min(counts.values()) >= 0
    assert (Leg.FEEDBACK in counts) is with_feedback
