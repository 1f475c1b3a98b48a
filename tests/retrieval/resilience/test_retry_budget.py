import random

from retrieval.adapters.resilience.retry_budget import RetryBudget


def test_ten_requests_pay_for_one_retry():
    budget = RetryBudget(0.125, most=10)  # an eighth, exact in binary
    for _ in range(8):
        assert not budget.take_out()
        budget.put_in()

    assert [budget.take_out(), budget.take_out()] == [True, False]


def test_there_are_never_more_retries_than_their_share_of_the_requests():
    draw = random.Random(15)
    budget = RetryBudget(0.1, most=10)
    requests = retries = 0
    for _ in range(20_000):
        if draw.random() < 0.4:
            budget.put_in()
            requests += 1
        retries += budget.take_out()
        assert retries <= 0.1 * requests + 1e-6


def test_a_long_quiet_time_pays_for_few_retries():
    budget = RetryBudget(0.5, most=3)
    for _ in range(1000):
        budget.put_in()

    assert sum(budget.take_out() for _ in range(100)) == 3


def test_without_a_share_there_are_no_retries():
    budget = RetryBudget(0.0, most=10)
    for _ in range(1000):
        budget.put_in()

    assert not budget.take_out()
