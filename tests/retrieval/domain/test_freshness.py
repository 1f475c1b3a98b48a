"""Fresh, late or failing: by a clock that a test sets."""

from datetime import UTC, datetime, timedelta

import pytest

from retrieval.domain.clock import stamp
from retrieval.domain.freshness import SourceFreshness

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours_ago", "objective", "is_failing", "state", "is_late"),
    [
        pytest.param(24, 24, False, "fresh", False, id="just-in-time"),
        pytest.param(24.01, 24, False, "late", True, id="too-late"),
        pytest.param(None, 24, False, "late", True, id="never"),
        pytest.param(9999, 0, False, "fresh", False, id="nothing-is-promised"),
        pytest.param(1, 24, True, "failing", False, id="kept-back"),
        pytest.param(25, 24, True, "failing", True, id="kept-back-and-late"),
    ],
)
def test_a_source_is_what_its_promise_makes_of_its_age(
    hours_ago: float | None, objective: int, is_failing: bool, state: str, is_late: bool
):
    last = None if hours_ago is None else stamp(NOW - timedelta(hours=hours_ago))

    found = SourceFreshness.of("wiki", last_success_at=last, objective_hours=objective, is_failing=is_failing, now=NOW)

    assert (found.state, found.is_late) == (state, is_late)
