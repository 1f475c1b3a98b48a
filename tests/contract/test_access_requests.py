"""Owners are asked for access on behalf of people who found nothing; whoever asked learns nothing of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from retrieval.access_service import AccessService
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal
from retrieval.settings import Settings
from tests.desk import FILES, Desk, DeskClock
from tests.story import ANN, BOB

pytestmark = pytest.mark.contract

DANA = Principal("dana")
MERGER = "The merger comes in May."
WHEN = "When does the merger come?"


@dataclass
class OwnersIndex:
    """Finds, as the owner, every passage that shares a word with the question."""

    desk: Desk
    is_down: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def search(self, owner: Principal, question: str, source: str) -> Sequence[ReadablePassage]:
        self.asked.append((owner.subject, question, source))
        if self.is_down:
            raise IndexUnavailable("the index is being built")
        words = set(question.strip("?").lower().split())
        return [each for each in self.desk.passages(owner).values() if words & set(each.text.strip(". ").lower().split())]


@pytest.fixture
def desk(make_catalog: Callable[..., Catalog]) -> Desk:
    clock = DeskClock()
    desk = Desk(make_catalog(clock=clock), clock, Settings(access_requests_waiting=5))
    desk.story.sync(FILES)
    desk.terms(access_requests=True)
    desk.catalog.directory.set_groups("user:dana", ["group:board"])
    return desk


@pytest.fixture
def index(desk: Desk) -> OwnersIndex:
    return OwnersIndex(desk)


@pytest.fixture
def access(desk: Desk, index: OwnersIndex) -> AccessService:
    catalog = desk.catalog
    ports = (catalog.gate, catalog.sources, catalog.answer_policies, catalog.access_requests, catalog.audit)
    return AccessService(desk.settings, *ports, index.search)


def owned(access: AccessService, principal: Principal = DANA) -> list[tuple[str, str, str]]:
    return [(each.asker, each.document, each.question) for each in access.owned(principal, after="", count=9).requests]


def test_the_owner_is_told_who_would_need_what(desk: Desk, access: AccessService):
    access.consider(BOB, WHEN)
    assert owned(access) == []

    access.work()

    assert owned(access) == [("user:bob", desk.story.document("board.md"), WHEN)]
    assert owned(access, BOB) == owned(access, ANN) == []


def test_each_is_asked_for_once(desk: Desk, access: AccessService):
    for question in (WHEN, "Which merger?"):
        access.consider(BOB, question)
        access.work()

    assert owned(access) == [("user:bob", desk.story.document("board.md"), WHEN)]


def test_what_the_asker_may_read_needs_no_request(desk: Desk, access: AccessService):
    desk.catalog.directory.set_groups("user:bob", ["group:board"])
    access.consider(BOB, WHEN)

    access.work()

    assert owned(access) == []


def test_an_owner_who_does_not_want_to_be_asked_is_not(desk: Desk, access: AccessService, index: OwnersIndex):
    desk.terms()
    access.consider(BOB, WHEN)

    access.work()

    assert (owned(access), index.asked) == ([], [])


@pytest.mark.parametrize(
    ("asker", "sources"),
    [
        pytest.param(BOB, ("elsewhere",), id="another source was asked"),
        pytest.param(Principal("bob", sources=frozenset({"elsewhere"})), (), id="the credential is for another source"),
        pytest.param(DANA, (), id="the owner asked"),
    ],
)
def test_no_source_is_searched_that_was_not_asked(access: AccessService, index: OwnersIndex, asker: Principal, sources: tuple[str, ...]):
    access.consider(asker, WHEN, sources=sources)

    access.work()

    assert index.asked == []


def test_an_owner_is_shown_no_document_that_the_owner_may_not_read(desk: Desk, access: AccessService):
    access.consider(BOB, WHEN)
    access.work()
    desk.catalog.directory.set_groups("user:dana", [])

    assert owned(access) == []


def test_nothing_is_lost_while_the_index_is_away(access: AccessService, index: OwnersIndex):
    index.is_down = True
    access.consider(BOB, WHEN)
    with pytest.raises(IndexUnavailable):
        access.work()
    index.is_down = False

    access.work()

    assert len(owned(access)) == 1


def test_no_more_wait_than_the_settings_say(access: AccessService, index: OwnersIndex):
    for number in range(8):
        access.consider(BOB, f"merger {number}")

    access.work()

    assert [question for _, question, _ in index.asked] == [f"merger {number}" for number in (3, 4, 5, 6, 7)]


def test_pages_follow_each_other(desk: Desk, access: AccessService):
    for name in ("u1", "u2", "u3"):
        access.consider(Principal(name), WHEN)
    access.work()
    first = access.owned(DANA, after="", count=2)
    second = access.owned(DANA, after=first.next, count=2)

    assert sorted(each.asker for each in (*first.requests, *second.requests)) == ["user:u1", "user:u2", "user:u3"]
    assert second.next is None


def test_what_owners_were_asked_is_forgotten_with_the_asker(desk: Desk, access: AccessService):
    access.consider(BOB, WHEN)
    access.work()

    desk.catalog.escalation_sweep.forget_asker("user:bob")

    assert owned(access) == []
