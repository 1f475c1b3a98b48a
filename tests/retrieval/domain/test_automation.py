"""When a source is to be run again, by hand-worked cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retrieval.domain.automation import RetryPace, SourceOutlook, Why
from retrieval.domain.errors import InvalidInput
from retrieval.domain.keys import KeyTerms
from retrieval.domain.roles import Role
from retrieval.domain.sources import SourceState

NOON = "2026-03-01T12:00:00.000000Z"
LATER = "2026-03-01T12:00:00.000001Z"
QUIET = SourceOutlook("handbook", SourceState.ACTIVE, 2, 2, "succeeded", has_run=True)


@pytest.mark.parametrize(
    ("outlook", "why"),
    [
        (QUIET, None),
        (replace(QUIET, succeeded_version=None, last_outcome=None, has_run=False), Why.REGISTERED),
        (replace(QUIET, succeeded_version=1), Why.REGISTERED),
        (replace(QUIET, last_outcome="failed"), Why.UNFINISHED),
        (replace(QUIET, last_outcome="cancelled"), Why.UNFINISHED),
        (replace(QUIET, last_outcome=None), Why.UNFINISHED),
        (replace(QUIET, last_outcome=None, has_run=False), None),
        (replace(QUIET, attempts=1), Why.UNFINISHED),
        (replace(QUIET, waiting_pushes=1), Why.PUSHED),
        (replace(QUIET, waiting_pushes=1, state=SourceState.PAUSED), None),
        (replace(QUIET, succeeded_version=1, state=SourceState.RETIRED), None),
    ],
)
def test_a_source_waits_for_a_run_for_one_reason(outlook: SourceOutlook, why: Why | None) -> None:
    assert outlook.why is why


@pytest.mark.parametrize(
    ("outlook", "is_due"),
    [
        (QUIET, False),
        (replace(QUIET, waiting_pushes=1), True),
        (replace(QUIET, waiting_pushes=1, asked_version=2, next_attempt_at=LATER), False),
        (replace(QUIET, waiting_pushes=1, asked_version=2, next_attempt_at=NOON), True),
        (replace(QUIET, version=3, asked_version=2, next_attempt_at=LATER), True),
        (replace(QUIET, version=3, asked_version=3, next_attempt_at=LATER), False),
    ],
)
def test_a_source_is_due_after_its_pause_and_at_once_when_its_registration_changed(outlook: SourceOutlook, is_due: bool) -> None:
    assert outlook.is_due(NOON) is is_due


def test_pauses_double_up_to_the_longest_and_never_end() -> None:
    pace = RetryPace(first_seconds=60, longest_seconds=1000)

    assert [pace.pause(attempts).total_seconds() for attempts in (0, 1, 2, 3, 5, 6, 10_000)] == [60, 60, 120, 240, 960, 1000, 1000]
    assert pace.next_attempt_at(2, datetime(2026, 3, 1, 12, tzinfo=UTC) - timedelta(seconds=120)) == NOON
    with pytest.raises(ValueError, match="shorter"):
        RetryPace(first_seconds=60, longest_seconds=59)


def test_a_key_that_publishes_names_what_it_fills() -> None:
    assert KeyTerms(roles=frozenset({Role.PUBLISHER}), sources=frozenset({"crm"})).sources == {"crm"}
    for sources in (None, frozenset[str]()):
        with pytest.raises(InvalidInput, match="names the sources"):
            KeyTerms(roles=frozenset({Role.PUBLISHER}), sources=sources)
