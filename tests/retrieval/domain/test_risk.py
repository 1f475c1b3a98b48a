"""Thresholds from accepted errors: exact where they can be worked by hand, and kept in so many of a thousand worlds."""

import random

import pytest
from scipy.stats import beta, binom

from retrieval.domain.risk import NEVER, STEPS, RiskCurve, binomial_tail, least_answers, threshold

WORLDS = 1_000
ANSWERS = 400


def test_a_curve_counts_what_reaches_each_threshold_and_what_of_it_was_wrong():
    curve = RiskCurve.of([(1.0, True), (0.5, False), (0.505, True), (0.0, False)])

    assert [(curve.given[at], curve.wrong[at]) for at in (100, 51, 50, 1, 0)] == [(1, 0), (1, 0), (3, 1), (3, 1), (4, 2)]
    assert curve.answers == 4


def test_a_confidence_reaches_the_hundredth_that_it_is_whatever_its_binary_fraction():
    for at in range(STEPS + 1):
        curve = RiskCurve.of([(at / STEPS, True)])

        assert curve.given[at] == 1
        assert curve.given[at + 1 :] == (0,) * (STEPS - at)


@pytest.mark.parametrize(("wrong", "given", "share"), [(0, 59, 0.05), (3, 100, 0.1), (40, 200, 0.25), (7, 7, 0.5)])
def test_the_tail_is_the_binomial_distribution_and_the_bound_that_of_clopper_and_pearson(wrong: int, given: int, share: float):
    tail = binomial_tail(wrong, given, share)

    assert tail == pytest.approx(binom.cdf(wrong, given, share), rel=1e-9)
    if wrong < given:
        assert (tail <= 0.05) == (beta.ppf(0.95, wrong + 1, given - wrong) <= share)


@pytest.mark.parametrize("error", [0.02, 0.05, 0.1, 0.25])
def test_the_test_begins_where_answers_half_as_wrong_as_accepted_would_most_probably_pass(error: float):
    enough = least_answers(error, 0.95)

    passing = max(wrong for wrong in range(enough) if binom.cdf(wrong, enough, error) <= 0.05)
    assert binom.cdf(passing, enough, error / 2) >= 0.8


def test_answers_that_were_all_right_may_be_given_down_to_the_least_confidence_they_had():
    assert threshold(RiskCurve.of([(0.7, True)] * 500), 0.05, 0.95) == 0.0
    assert threshold(RiskCurve.of([*[(0.7, True)] * 500, *[(0.6, False)] * 500]), 0.05, 0.95) == 0.61


def test_too_few_answers_show_nothing():
    assert threshold(RiskCurve.of([(0.99, True)] * (least_answers(0.05, 0.95) - 1)), 0.05, 0.95) == NEVER
    assert threshold(RiskCurve.of([]), 0.5, 0.5) == NEVER


def test_a_worse_stretch_is_not_stepped_over_to_a_better_one():
    points = [*[(0.9, True)] * 400, *[(0.8, False)] * 100, *[(0.3, True)] * 5_000]

    assert threshold(RiskCurve.of(points), 0.05, 0.95) == 0.81


@pytest.mark.parametrize(("error", "confidence"), [(0, 0.95), (1, 0.95), (0.1, 0), (0.1, 1)])
def test_shares_lie_between_0_and_1(error: float, confidence: float):
    with pytest.raises(ValueError, match="between 0 and 1"):
        threshold(RiskCurve.of([(1.0, True)]), error, confidence)


def test_the_accepted_error_is_kept_in_95_of_100_worlds_and_answers_are_given_in_nearly_all():
    """Each answer is right with the probability that it is told, 0.5 to 1 evenly: above a threshold t the true risk is (1 - t) / 2."""
    kept = gave = 0
    for seed in range(WORLDS):
        world = random.Random(seed)
        told = [world.uniform(0.5, 1.0) for _ in range(ANSWERS)]
        found = threshold(RiskCurve.of((one, world.random() < one) for one in told), 0.2, 0.95)
        kept += found == NEVER or (1 - max(found, 0.5)) / 2 <= 0.2 + 1e-9
        gave += found < NEVER

    print(f"kept in {kept}, gave in {gave} of {WORLDS}")
    assert kept >= 0.95 * WORLDS
    assert gave >= 0.95 * WORLDS
