"""No document is shown to somebody who may not read it, whatever is asked and whatever changes meanwhile.

1,000 trials and 400 races here; `make leaks` runs 100,000 and 20,000.
"""

import os
from pathlib import Path

import pytest

from tests.permissions.backends import BACKENDS, Backend
from tests.permissions.campaign import run_trials

TRIALS = int(os.environ.get("ARCHIVIST_TEST_LEAK_TRIALS", "1000"))
RACES = TRIALS // 5
ALL_KINDS_OF_CHANGES = {"regrant", "membership", "person", "folder", "rewrite", "delete", "add", "deny", "denied group"}

pytestmark = [pytest.mark.permissions, pytest.mark.slow]


def test_nothing_leaks_and_nothing_is_missing(tmp_path: Path):
    tally = run_trials(tmp_path, seed=20_260_301, trials=TRIALS, races=RACES)

    assert tally.leaks == []
    assert tally.missing == []
    assert tally.logged == []
    assert tally.trials >= TRIALS
    assert tally.races >= RACES
    assert tally.shown > tally.trials  # the campaign sees what is shown
    assert TRIALS < 2_000 or set(tally.changes) >= ALL_KINDS_OF_CHANGES


@pytest.mark.parametrize("backend", [pytest.param(each, id=str(each), marks=each.marks) for each in BACKENDS[1:]])
def test_nothing_leaks_on_other_catalogs_and_indexes(backend: Backend, tmp_path: Path, request: pytest.FixtureRequest):
    with backend.options(request) as options:
        tally = run_trials(tmp_path, seed=5, trials=200, races=30, **options)

    assert (tally.leaks, tally.missing, tally.logged) == ([], [], [])
    assert tally.trials >= 200
    assert tally.races >= 30
