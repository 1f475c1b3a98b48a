"""Old versions go when no term keeps them, with all that only they used, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import changes, document_versions, embeddings, passages, texts
from retrieval.domain.answers import Citation
from retrieval.domain.citations import CitationState
from retrieval.domain.documents import Span
from retrieval.domain.errors import InvalidInput
from retrieval.domain.retention import RetentionTerms
from retrieval.domain.versions import RollbackRefusal, RollbackRequest
from tests.story import ANN, MODEL, PUBLIC, Story

pytestmark = pytest.mark.contract

NOTHING = RetentionTerms(keep_versions=0, keep_days=0)


class MovableClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2027, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def story(make_catalog: Callable[..., Catalog], clock: MovableClock) -> Story:
    """Three contents of one document, a day between them; another document that shares a sentence with the first of them."""
    story = Story(make_catalog(clock=clock))
    for text in ("One. Shared.", "Two.", "Three."):
        clock.at += timedelta(days=1)
        story.sync({"a.md": (text, PUBLIC), "b.md": ("Alone. Shared.", PUBLIC)})
    return story


@pytest.fixture
def blobs(tmp_path: Path) -> FsspecBlobs:
    blobs = FsspecBlobs((tmp_path / "blobs").as_uri())
    for text in ("One. Shared.", "Two.", "Three.", "Alone. Shared."):
        blobs.put(text.encode())
    return blobs


def count(story: Story, table: object) -> int:
    with story.catalog.database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terms", "left"),
    [
        pytest.param(RetentionTerms(keep_versions=1, keep_days=0), {2, 3}, id="the newest stays"),
        pytest.param(RetentionTerms(keep_versions=0, keep_days=1), {2, 3}, id="what was current lately stays"),
        pytest.param(RetentionTerms(keep_versions=2, keep_days=0), {1, 2, 3}, id="two of them stay"),
        pytest.param(RetentionTerms(keep_versions=0, keep_days=3), {1, 2, 3}, id="all were current lately"),
        pytest.param(NOTHING, {3}, id="only the current one stays"),
        pytest.param(RetentionTerms(), {1, 2, 3}, id="the service's terms hold where nothing is said"),
    ],
)
def test_a_version_goes_when_neither_term_keeps_it(
    story: Story, blobs: FsspecBlobs, clock: MovableClock, terms: RetentionTerms, left: set[int]
):
    clock.at += timedelta(hours=1)
    foreseen = story.catalog.retention.beyond("handbook", terms)

    done = story.catalog.retention.remove("handbook", terms, by="user:dana", remove_content=blobs.remove)

    assert (done.documents, done.versions, done.passages) == (foreseen.documents, foreseen.versions, foreseen.passages)
    with story.catalog.database.read() as connection:
        numbers = set(connection.scalars(select(document_versions.c.number).where(document_versions.c.document == story.document("a.md"))))
    assert numbers == left
    assert story.visible(ANN) == {"Three.", "Alone.", " Shared."}


def test_what_others_use_stays_and_the_rest_goes(story: Story, blobs: FsspecBlobs):
    held = count(story, embeddings)

    done = story.catalog.retention.remove("handbook", NOTHING, by="user:dana", remove_content=blobs.remove)

    assert (done.versions, done.passages, done.embeddings, done.texts, done.contents) == (2, 3, 2, 2, 2)
    assert count(story, embeddings) == held - 2
    assert count(story, passages) == 3
    assert count(story, texts) == 2
    assert blobs.get(_hash("Three."))
    with pytest.raises(KeyError):
        blobs.get(_hash("Two."))
    assert story.catalog.retention.remove("handbook", NOTHING, by="user:dana", remove_content=blobs.remove).versions == 0


def test_an_original_that_another_document_has_stays(story: Story, blobs: FsspecBlobs):
    story.sync({"a.md": ("Three.", PUBLIC), "b.md": ("Alone. Shared.", PUBLIC), "c.md": ("Two.", PUBLIC)})

    done = story.catalog.retention.remove("handbook", NOTHING, by="user:dana", remove_content=blobs.remove)

    assert (done.versions, done.contents) == (2, 1)
    assert blobs.get(_hash("Two."))


def test_indexes_are_told_and_going_back_to_what_is_gone_is_refused(story: Story, blobs: FsspecBlobs):
    document = story.document("a.md")

    story.catalog.retention.remove("handbook", NOTHING, by="user:dana", remove_content=blobs.remove)

    with story.catalog.database.read() as connection:
        announced = connection.scalar(select(changes.c.content_revision).where(changes.c.document == document))
    assert announced == story.feed.revision()
    plan = story.catalog.rollback.plan(RollbackRequest(source="handbook", revision=1), model=MODEL)
    assert [(change.key, change.refused) for change in plan.changes] == [("a.md", RollbackRefusal.REMOVED)]
    with pytest.raises(InvalidInput):
        story.catalog.rollback.plan(RollbackRequest(source="handbook", document=document, version=1), model=MODEL)


def test_a_receipt_of_a_version_that_is_gone_says_withdrawn(story: Story, blobs: FsspecBlobs):
    document = story.document("a.md")
    with story.catalog.database.read() as connection:
        version = connection.scalar(select(document_versions.c.id).where(document_versions.c.number == 2)) or ""
        passage = connection.scalar(select(passages.c.id).where(passages.c.version == version)) or ""
    cited = Citation(document, version, 2, "handbook", "a", "file:///a.md", None, (), passage, Span(0, 4), "Two.")
    story.catalog.citations.keep(ANN, [cited])
    assert story.catalog.citations.check(ANN, cited.id).state is CitationState.CHANGED

    story.catalog.retention.remove("handbook", NOTHING, by="user:dana", remove_content=blobs.remove)

    assert story.catalog.citations.check(ANN, cited.id).state is CitationState.WITHDRAWN


def test_a_version_that_the_graph_still_stands_on_waits_for_it(story: Story, blobs: FsspecBlobs):
    run = story.sync({"a.md": ("Ask ACME-17 now.", PUBLIC), "b.md": ("Alone. Shared.", PUBLIC)})
    story.relate(run)
    later = story.sync({"a.md": ("Five.", PUBLIC), "b.md": ("Alone. Shared.", PUBLIC)})

    first = story.catalog.retention.remove("handbook", NOTHING, by="user:dana", remove_content=blobs.remove)
    story.relate(later)
    second = story.catalog.retention.remove("handbook", NOTHING, by="user:dana", remove_content=blobs.remove)

    assert (first.versions, second.versions) == (3, 1)


def test_a_source_that_is_not_there_is_named(story: Story):
    with pytest.raises(InvalidInput, match="source"):
        story.catalog.retention.beyond("nothing", NOTHING)


def _hash(text: str) -> str:
    return FsspecBlobs("memory://hashes").put(text.encode())
