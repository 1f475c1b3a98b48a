import numpy as np
import pytest
from scipy import stats

from retrieval.domain.errors import InvalidInput
from retrieval.evaluation.comparison import compare, compare_each, interval


def values(*numbers: float) -> dict[str, float]:
    return {f"q{at}": number for at, number in enumerate(numbers)}


def test_wins_ties_and_losses_are_counted_and_the_greatest_change_comes_first():
    found = compare(values(0.5, 0.5, 0.2, 0.9), values(0.6, 0.5, 1.0, 0.8))

    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert [change.query for change in found.changes] == ["q2", "q0", "q3"]
    assert found.difference == pytest.approx((0.1 + 0.8 - 0.1) / 4)
    assert (found.first, found.second) == pytest.approx((2.1 / 4, 2.9 / 4))


def test_float_noise_is_a_tie():
    found = compare(values(0.3, 0.3), values(0.1 + 0.2, 0.3))

    assert (found.ties, found.changes, found.p) == (2, (), 1.0)


def test_a_difference_on_every_query_is_significant_and_its_bounds_are_on_one_side_of_0():
    numbers = np.random.default_rng(1).uniform(0, 0.5, 60)

    found = compare(values(*numbers), values(*(numbers + 0.1)))

    assert found.p == 1 / 10_001
    assert found.low == pytest.approx(found.high) == pytest.approx(0.1)


def test_what_wins_as_often_as_it_loses_is_not_significant():
    found = compare(values(*[0.5] * 40), values(*[0.4, 0.6] * 20))

    assert found.p > 0.9
    assert found.low < 0 < found.high


@pytest.mark.parametrize("shift", [0.02, 0.05, 0.08])
def test_p_and_bounds_are_near_those_of_the_t_test_where_that_holds(shift):
    noise = np.random.default_rng(7).normal(shift, 0.25, 200)
    expected = stats.ttest_1samp(noise, 0)
    low, high = expected.confidence_interval(0.95)

    found = compare(values(*[0.0] * 200), values(*noise))

    assert found.p == pytest.approx(expected.pvalue, abs=0.015)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.004)


def test_the_same_values_give_the_same_p_alone_and_beside_others():
    first, second, third = values(0.1, 0.5, 0.9, 0.4), values(0.2, 0.4, 1.0, 0.5), values(1, 1, 1, 1)

    beside = compare_each({"a": first, "b": first}, {"a": second, "b": third})

    assert beside["a"] == compare(first, second)
    assert beside["b"] == compare(first, third)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_queries_prove_little_however_great_the_difference(count):
    assert compare(values(*[0.0] * count), values(*[1.0] * count)).p == 2 / 2**count


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(values(1, 2), values(1), id="one lacks a query"),
        pytest.param({"a": 1.0}, {"b": 1.0}, id="other queries"),
        pytest.param({}, {}, id="no queries"),
    ],
)
def test_only_the_same_queries_are_compared(first, second):
    with pytest.raises(InvalidInput, match="queries"):
        compare(first, second)


def test_the_bounds_of_a_mean_are_those_of_the_normal_distribution():
    numbers = np.random.default_rng(3).normal(0.6, 0.2, 400)

    low, high = interval(values(*numbers))

    spread = 1.96 * numbers.std() / 20
    assert (low, high) == pytest.approx((numbers.mean() - spread, numbers.mean() + spread), abs=0.002)
    assert interval({}) == (0, 0)
