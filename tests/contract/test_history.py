"""What was current once, as the catalog tells it: to indexes that follow it, at the gate, and when a moment was. On both databases."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.adapters.catalog.tables import holds, recalled_versions, recalls
from retrieval.adapters.qdrant.payload import points_of
from retrieval.domain.documents import Span
from retrieval.domain.errors import InvalidInput, RevisionNotReached
from retrieval.domain.ids import content_hash
from retrieval.domain.passages import Stretch
from retrieval.domain.queries import Moment
from retrieval.domain.versions import RollbackRequest
from retrieval.indexing.follower import Follower
from retrieval.ports.reading import Candidate
from tests.retrieval.indexing.adapters import opened
from tests.retrieval.indexing.world import IDENTITY, contents_of
from tests.story import ANN, BOB, MODEL, PUBLIC, Story, allow

pytestmark = pytest.mark.contract

HOUR = timedelta(hours=1)
STARTED = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass
class Hands:
    """A clock that a test sets."""

    at: datetime = STARTED

    def now(self) -> datetime:
        return self.at


@dataclass
class Told:
    """A source whose listings are an hour apart; `revisions` are those at the end of each."""

    story: Story
    clock: Hands
    revisions: list[int]

    def sync(self, **texts: str) -> None:
        self.clock.at += HOUR
        self.story.sync({f"{key}.md": (text, PUBLIC) for key, text in texts.items()})
        self.revisions.append(self.story.feed.revision())

    def feed(self, days: int = 30) -> CatalogFeed:
        return CatalogFeed(self.story.catalog.database, MODEL, past_days=days)

    def indexed(self, days: int = 30) -> list[Candidate]:
        """Everything that an index holds, of now and of once."""
        with self.feed(days).snapshot() as (_, documents):
            return [Candidate(point.passage.id, point.passage.text) for point in points_of(list(documents))]

    def read(self, revision: int | None) -> set[str]:
        """What Ann is let through."""
        return {passage.text for passage in self.story.catalog.gate.gate(ANN, self.indexed(), as_of=revision).readable}


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def told(make_catalog: Callable[..., Catalog], clock: Hands) -> Told:
    """a is rewritten, b is withdrawn and comes back as it was, c stays."""
    found = Told(Story(make_catalog(clock=clock)), clock, [])
    found.sync(a="First a", b="The b", c="The c")
    found.sync(a="Second a", c="The c")
    found.sync(a="Second a", b="The b", c="The c")
    return found


def test_indexes_are_told_of_what_was_current_and_when(told: Told) -> None:
    first, second, third = told.revisions
    with told.feed().snapshot() as (_, found):
        documents = {document.document: document for document in found}

    a, c = documents[told.story.document("a.md")], documents[told.story.document("c.md")]
    assert [passage.text for passage in a.passages] == ["Second a"]
    assert [(once.passages[0].text, first >= once.valid_from, once.valid_to <= second) for once in a.past] == [("First a", True, True)]
    assert (c.past, c.gaps, c.passages[0].text) == ((), (), "The c")
    assert told.feed().passage_count() == len(told.indexed()) == 5
    assert third == told.feed().revision()


def test_who_follows_and_who_begins_anew_hold_the_same(told: Told, tmp_path: Path) -> None:
    with opened("edge", tmp_path / "followed") as followed, opened("edge", tmp_path / "anew") as anew:
        follower = Follower(told.feed(), followed, batch_documents=2)
        follower.catch_up(None)
        told.sync(b="Another b", c="The c", d="New d")
        told.story.sync({"b.md": ("Another b", allow("user:bob")), "c.md": ("The c", PUBLIC), "d.md": ("New d", PUBLIC)})
        follower.catch_up(None)
        with told.feed().snapshot() as (_, documents):
            anew.replace(list(documents))

        assert contents_of(followed) == contents_of(anew)
        assert sum(not point.is_current for point in contents_of(anew).values()) == 4
    assert IDENTITY.dimensions == told.story.dimensions


@pytest.mark.permissions
def test_the_gate_lets_through_what_was_current_at_that_revision_and_nothing_else(told: Told) -> None:
    first, second, third = told.revisions

    assert told.read(first) == {"First a", "The b", "The c"}
    assert told.read(second) == {"Second a", "The c"}
    assert told.read(third) == told.read(None) == {"Second a", "The b", "The c"}
    assert told.read(0) == set()


@pytest.mark.permissions
def test_who_may_read_the_past_is_who_may_read_the_document_now(told: Told) -> None:
    first = told.revisions[0]
    gate = told.story.catalog.gate

    told.story.sync({"a.md": ("Second a", allow("user:bob")), "b.md": ("The b", PUBLIC), "c.md": ("The c", PUBLIC)})

    assert told.read(first) == {"The b", "The c"}
    assert "First a" in {passage.text for passage in gate.gate(BOB, told.indexed(), as_of=first).readable}
    [version] = [passage for passage in gate.gate(BOB, told.indexed(), as_of=first).readable if passage.text == "First a"]
    stretch = Stretch(version.document, version.version, Span(0, 5))
    assert gate.extracts(BOB, [stretch], as_of=first) == {stretch: "First"}
    assert gate.extracts(ANN, [stretch], as_of=first) == gate.extracts(BOB, [stretch]) == {}
    assert gate.extracts(BOB, [stretch], as_of=told.revisions[1]) == {}
    assert set(gate.why(BOB, [version.document], as_of=first)) == {version.document}
    assert gate.why(ANN, [version.document], as_of=first) == {}


@pytest.mark.permissions
def test_a_withdrawn_document_is_read_of_the_past_until_its_source_is_gone(told: Told) -> None:
    first = told.revisions[0]
    told.sync(c="The c")
    assert told.read(first) == {"First a", "The b", "The c"}

    everything = told.indexed()
    told.story.catalog.publishing.retire("handbook", by="user:dana")

    assert told.indexed() == []
    assert told.story.catalog.gate.gate(ANN, everything, as_of=first).readable == ()


@pytest.mark.permissions
@pytest.mark.parametrize("how", ["held back", "recalled"])
def test_what_is_held_back_or_recalled_does_not_come_back_as_the_past(told: Told, how: str) -> None:
    first, document = told.revisions[0], told.story.document("a.md")
    everything = told.indexed()
    [version] = [p.version for p in told.story.catalog.gate.gate(ANN, everything, as_of=first).readable if p.text == "First a"]
    with told.story.catalog.database.write() as connection:
        if how == "held back":
            kept = {"document": document, "content_hash": content_hash(b"First a"), "held_at": "2026", "held_by": "user:dana"}
            connection.execute(insert(holds).values(**kept))
        else:
            made = {"id": "r", "kind": "version", "about": version, "reason": "", "made_at": "2026", "made_by": "user:dana", "counts": "{}"}
            connection.execute(insert(recalls).values(**made))
            connection.execute(insert(recalled_versions).values(recall="r", version=version, document=document, source="handbook"))

    assert "First a" not in {candidate.text for candidate in told.indexed()}
    gated = told.story.catalog.gate.gate(ANN, everything, as_of=first)
    assert {passage.text for passage in gated.readable} == {"The b", "The c"}


def test_a_version_that_was_rolled_back_to_has_a_gap(told: Told) -> None:
    first, _, third = told.revisions
    told.story.catalog.rollback.roll_back(RollbackRequest(source="handbook", revision=first), model=MODEL, by="user:dana")

    with told.feed().snapshot() as (_, documents):
        [a] = [document for document in documents if document.document == told.story.document("a.md")]

    assert ([passage.text for passage in a.passages], len(a.gaps), len(a.past)) == (["First a"], 1, 0)
    assert a.gaps[0][0] <= told.revisions[1] < third < a.gaps[0][1]
    assert "First a" in told.read(None)
    assert "First a" not in told.read(third)


def test_what_ended_before_anybody_may_ask_is_not_followed(told: Told, clock: Hands) -> None:
    assert len(told.indexed(days=1)) == 5
    assert len(told.indexed(days=0)) == 3
    clock.at += timedelta(days=2)

    assert len(told.indexed(days=1)) == 3


def test_a_time_is_the_last_revision_that_was_made_by_then(told: Told) -> None:
    history, (first, second, _) = told.story.catalog.history, told.revisions
    at = STARTED + 1.5 * HOUR

    assert history.at(at) == Moment(first, at, is_dated=True)
    assert history.at(at + HOUR).revision == second
    assert history.at(STARTED - HOUR).revision == 0
    assert history.of_revision(first) == replace(history.at(STARTED + HOUR), is_dated=False)


def test_a_moment_that_is_to_come_or_is_not_kept_is_refused_with_the_limit(told: Told, clock: Hands) -> None:
    history, first = told.story.catalog.history, told.revisions[0]
    with pytest.raises(InvalidInput, match="as_of"):
        history.at(clock.at + timedelta(seconds=1))
    with pytest.raises(RevisionNotReached):
        history.of_revision(told.revisions[-1] + 1)
    clock.at += timedelta(days=91)

    with pytest.raises(InvalidInput) as refused:
        history.at(STARTED + HOUR)
    assert [(problem.field, problem.limit) for problem in refused.value.problems] == [("as_of", "90 days back")]
    with pytest.raises(InvalidInput):
        history.of_revision(first)
    assert history.of_revision(told.revisions[-1]).revision == told.revisions[-1]
