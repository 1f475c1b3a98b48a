"""A process that asks a model sixteen times at once until a budget is used up, or it is killed.

Its arguments are the catalog's URL and a file that gets one line whenever the provider charges for a call.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.answers import Generated, TokenUsage
from retrieval.domain.errors import BudgetExceeded
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.usage import Spending
from retrieval.settings import Settings

THREADS = 16
APPLICATION = Principal("intranet", PrincipalKind.APP)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORST, CHARGED = TokenUsage(900, 100), TokenUsage(600, 100)


class StandingClock:
    def now(self) -> datetime:
        return NOON


def spend(url: str, charged: Path) -> None:
    catalog = open_catalog(Settings(catalog_url=url), clock=StandingClock())
    print("ready", flush=True)
    with ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(_ask_until_refused, catalog, charged) for _ in range(THREADS)]:
            done.result()


def _ask_until_refused(catalog: Catalog, charged: Path) -> None:
    while True:
        try:
            reservation = catalog.usage.reserve(APPLICATION, Spending(WORST, 0), prompt="answer@1", request_id=None)
        except BudgetExceeded:
            return
        with charged.open("ab", buffering=0) as file:
            file.write(b"charged\n")
            os.fsync(file.fileno())
        catalog.usage.settle(reservation, Generated("cohere/command", "answer@1", CHARGED), sources=[])


if __name__ == "__main__":
    spend(sys.argv[1], Path(sys.argv[2]))
