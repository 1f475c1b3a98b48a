"""A process in which a reviewer decides questions, and their asker fetches the answers, until it is killed.

Its arguments are the catalog's URL, what it decides (`approve` or `reject`) and the ids of the escalations.
"""

import sys
from contextlib import suppress
from datetime import UTC, datetime

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.errors import Conflict
from retrieval.domain.reviews import Approval, Decision, Rejection
from retrieval.settings import Settings
from tests.desk import EVE, Desk, DeskClock
from tests.story import ANN

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DECISIONS = {"approve": Decision(Approval()), "reject": Decision(Rejection("no such rule"))}


def decide(url: str, decision: str, escalations: list[str]) -> None:
    clock = DeskClock(AT)
    desk = Desk(open_catalog(Settings(catalog_url=url), clock=clock), clock)
    print("ready", flush=True)
    for id_ in escalations:
        with suppress(Conflict):  # the other process was first
            desk.reviewing.decide(EVE, id_, DECISIONS[decision], expected=2)
        desk.asking.poll(ANN, id_)
    print("done", flush=True)


if __name__ == "__main__":
    decide(sys.argv[1], sys.argv[2], sys.argv[3:])
