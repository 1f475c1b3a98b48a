"""Learning from decisions in the order of their times, also from those that were committed late."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.answers import Reason
from retrieval.domain.escalations import EscalationDraft
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import Decision, Rejection
from retrieval.learning_service.lessons import Learner
from retrieval.services import Services
from retrieval.settings import Settings
from tests.api.conftest import FakeClock
from tests.curated import NOON
from tests.story import Story


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def catalog(settings: Settings, clock: FakeClock) -> Iterator[Catalog]:
    catalog = open_catalog(settings, clock=clock)
    Story(catalog)
    yield catalog
    catalog.close()


def reject(catalog: Catalog, clock: FakeClock, *minutes: int) -> None:
    """Questions that a reviewer rejects so many minutes past noon, in this order."""
    services = Services(settings=Settings(), catalog=catalog, knowledge=None, clock=clock)  # type: ignore[arg-type]
    for minute in minutes:
        clock.at = NOON + timedelta(minutes=minute)
        asker, rita = Principal(f"asker-{minute}"), Principal("rita")
        opened = services.escalations.open(asker, EscalationDraft("What of it?", (Reason.LOW_CONFIDENCE,), sources=("handbook",)))
        claimed = services.reviews.claim(rita, opened.id, expected=opened.version)
        services.reviews.decide(rita, opened.id, Decision(Rejection("nothing")), expected=claimed.version)


def learner(catalog: Catalog, clock: FakeClock) -> Learner:
    kept, settings = catalog.learning, Settings(learning_batch=2)
    decided = catalog.escalations
    return Learner(settings, clock, resolutions=decided, lessons=kept.lessons, anchoring=kept.anchoring, forgetting=kept.forgetting)


def learned(catalog: Catalog) -> int:
    return len(catalog.learning.gaps.of(["handbook"], month="2026-03", most=99))


def test_what_was_committed_late_is_learned_and_nothing_older_is_looked_at_again(catalog: Catalog, clock: FakeClock):
    reject(catalog, clock, *range(0, 40, 4))
    learning = learner(catalog, clock)

    assert learning.learn() == 10
    newest = catalog.learning.lessons.progress()
    reject(catalog, clock, 34)
    assert learning.learn() == 1
    assert [learning.learn() for _ in range(3)] == [0, 0, 0]

    assert catalog.learning.lessons.progress() == newest
    assert learned(catalog) == 11


def test_another_process_goes_on_where_the_first_ended(catalog: Catalog, clock: FakeClock):
    reject(catalog, clock, *range(0, 40, 4))
    learner(catalog, clock).learn()

    assert learner(catalog, clock).learn() == 2
    assert learned(catalog) == 10
