"""How the dense leg is searched for how much is readable."""

from dataclasses import replace

import pytest

from retrieval.adapters.qdrant.planner import ACORN_BELOW, EF, EXACT_PASSAGES, DenseLimits, DensePlan, GraphStep, Measured, plan_dense
from tests.retrieval.indexing.world import scope_of

MEASURED = Measured(1_000, (GraphStep(5_000, 768, acorn=True), GraphStep(50_000, 512, acorn=False)))


@pytest.mark.parametrize(
    ("readable", "plan"),
    [
        pytest.param(1_000, DensePlan(exact=True), id="as many as are compared in time"),
        pytest.param(1_001, DensePlan(exact=False, ef=768, acorn_below=1.0), id="one more"),
        pytest.param(5_000, DensePlan(exact=False, ef=768, acorn_below=1.0), id="at a measured step"),
        pytest.param(5_001, DensePlan(exact=False, ef=512), id="beyond it"),
        pytest.param(900_000, DensePlan(exact=False, ef=512), id="beyond every step"),
    ],
)
def test_a_plan_follows_what_was_measured(readable: int, plan: DensePlan) -> None:
    assert plan_dense(scope_of(1, readable_passages=readable), limit=116, limits=DenseLimits(measured=MEASURED)) == plan


@pytest.mark.parametrize(("readable", "exact"), [(2_000, True), (2_001, False)])
def test_a_setting_overrides_what_was_measured(readable: int, exact: bool) -> None:
    plan = plan_dense(scope_of(1, readable_passages=readable), limit=116, limits=DenseLimits(2_000, MEASURED))

    assert plan.exact is exact


def test_without_a_measurement_the_graph_is_searched_thoroughly() -> None:
    few = plan_dense(scope_of(1, readable_passages=EXACT_PASSAGES), limit=116, limits=DenseLimits())
    many = plan_dense(scope_of(1, readable_passages=EXACT_PASSAGES + 1), limit=116, limits=DenseLimits())

    assert few == DensePlan(exact=True)
    assert many == DensePlan(exact=False, ef=EF, acorn_below=ACORN_BELOW)


@pytest.mark.parametrize("measured", [Measured(), MEASURED], ids=["not measured", "measured"])
def test_a_moment_is_looked_for_past_what_is_of_other_times_and_twice_as_hard(measured: Measured) -> None:
    now = scope_of(1, readable_passages=60_000)
    scope = replace(now, as_of=7)

    plan = plan_dense(scope, limit=116, limits=DenseLimits(measured=measured))

    assert (plan.exact, plan.acorn_below) == (False, 1.0)
    assert plan.ef == 2 * plan_dense(now, limit=116, limits=DenseLimits(measured=measured)).ef


def test_whoever_asks_for_more_hits_gets_a_longer_candidate_list() -> None:
    plan = plan_dense(scope_of(1, readable_passages=6_000), limit=1_000, limits=DenseLimits(measured=MEASURED))

    assert plan.ef == 2_000
