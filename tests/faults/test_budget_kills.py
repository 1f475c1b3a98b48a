"""Processes that spend are killed, sixteen calls under way in each. What the provider has charged never exceeds the budget.

`ARCHIVIST_TEST_KILLS` sets how often (5).
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.usage import Budget, Period
from retrieval.settings import Settings
from tests.faults.spender import CHARGED, WORST, StandingClock

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KILLS = int(os.environ.get("ARCHIVIST_TEST_KILLS", "5"))
ROOT = Path(__file__).parent.parent.parent
MOST = (WORST.input_tokens + WORST.output_tokens) * 16 * (KILLS + 4)


def spending(url: str, charged: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.spender", url, str(charged)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_however_often_the_spenders_are_killed_no_more_is_charged_than_the_budget(tmp_path: Path):
    url, charged = f"sqlite:///{tmp_path / 'catalog.db'}", tmp_path / "charged"
    charged.touch()
    catalog = open_catalog(Settings(catalog_url=url), clock=StandingClock())
    catalog.budgets.set(Budget("app:intranet", Period.DAY, tokens=MOST), by="app:cli")
    random_ = random.Random(20261121)
    killed = 0

    for _ in range(KILLS):
        with spending(url, charged) as process:
            time.sleep(random_.uniform(0.01, 0.4))
            killed += process.poll() is None
            process.kill()
    with spending(url, charged) as last:
        assert last.wait(timeout=60) == 0

    (state,) = catalog.budgets.states(holder="app:intranet")
    calls = charged.read_bytes().count(b"\n")
    catalog.close()
    assert killed > 0
    assert calls * (CHARGED.input_tokens + CHARGED.output_tokens) <= state.tokens <= MOST
    assert MOST - state.tokens < WORST.input_tokens + WORST.output_tokens
