"""Documents that applications push, on both databases: order, readers, deletion, and what a run that works meanwhile must not undo."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.audit import AuditAction, AuditFilter
from retrieval.domain.automation import Why
from retrieval.domain.documents import Element, ElementKind, ParsedDocument, QuarantineCode, Rejection, Span
from retrieval.domain.errors import Conflict, InvalidInput, NotReadable
from retrieval.domain.ids import content_hash
from retrieval.domain.ingestion import SourceRun, Taken, WorkItem
from retrieval.domain.permissions import NOBODY, AccessPolicy
from retrieval.domain.pushing import NO_READERS, PushedDocument, PushState, PushStatus
from retrieval.ports.pushing import Change
from tests.story import ANN, BOB, Story, allow

pytestmark = pytest.mark.contract

BY = Change("app:crm")
TEXT = "Offers hold for 30 days. Then they end."
FOR_ANN = allow("user:ann")


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog, source="offers", kind="push")


def offer(text: str = TEXT, policy: AccessPolicy = FOR_ANN, key: str = "4711.txt") -> PushedDocument:
    return PushedDocument(key, content_hash(text.encode()), len(text), "https://crm.example.com/4711", policy)


def put(story: Story, document: PushedDocument, *, sequence: int | None = None) -> PushStatus:
    return story.catalog.pushed.put("offers", document, replace(BY, sequence=sequence), max_documents=3)


def delete(story: Story, key: str = "4711.txt", *, sequence: int | None = None) -> PushStatus:
    return story.catalog.pushed.delete("offers", key, replace(BY, sequence=sequence))


def sync(story: Story, text: str = TEXT) -> None:
    """A run over everything that is pushed now; each document is this text."""
    story.sync({document.key: (text, document.policy) for document in story.catalog.pushed.listed("offers", after="", count=100)})


def take(story: Story, run: SourceRun, items: Sequence[WorkItem]) -> None:
    """As a run that fetched before something happened."""
    whole = ParsedDocument("", "text/plain", TEXT, (Element(Span(0, len(TEXT)), ElementKind.TEXT),), "test")
    record = story.catalog.staging.remember_parsed("parsed before", whole, [])
    for item in items:
        hash_ = content_hash(TEXT.encode())
        story.catalog.staging.take(run, Taken(item.document, hash_, story.recipe, item.fingerprint, None, len(TEXT), None, record))
    story.cut(run)


def pending(story: Story) -> int:
    [outlook] = story.catalog.automation.outlooks()
    return outlook.waiting_pushes


def test_the_same_document_again_changes_nothing(story: Story) -> None:
    document = replace(offer(), title="Offer", modified_at=datetime(2026, 3, 1, 9, 0, 0, 7, tzinfo=UTC), media_type="text/plain")

    first, again = put(story, document), put(story, document)

    assert (first.is_changed, again.is_changed) == (True, False)
    assert (first.state, first.sequence, again.sequence) == (PushState.ACCEPTED, 1, 1)
    assert pending(story) == 1
    assert story.catalog.pushed.find("offers", "4711.txt") == document


@pytest.mark.parametrize(
    "changed",
    [
        offer("Another text. Quite."),
        offer(policy=allow("user:bob")),
        replace(offer(), title="Offer 4711"),
        replace(offer(), uri="https://crm.example.com/new"),
        replace(offer(), media_type="text/markdown"),
    ],
)
def test_every_change_is_one_that_a_run_has_to_take(story: Story, changed: PushedDocument) -> None:
    put(story, offer())

    assert put(story, changed).is_changed
    assert pending(story) == 2


def test_the_last_writer_wins_by_the_applications_own_count(story: Story) -> None:
    put(story, offer(), sequence=5)

    with pytest.raises(Conflict):
        put(story, offer("Late. Sorry."), sequence=4)
    with pytest.raises(Conflict):
        put(story, offer("Twice. Sorry."), sequence=5)
    assert not put(story, offer(), sequence=5).is_changed
    assert put(story, offer("Newer. Better."), sequence=9).sequence == 9
    assert put(story, offer("Uncounted. Newest.")).sequence == 10


def test_what_comes_after_its_deletion_does_not_bring_it_back(story: Story) -> None:
    put(story, offer(), sequence=5)
    assert delete(story, sequence=6).state is PushState.DELETED
    assert not delete(story).is_changed

    with pytest.raises(Conflict):
        put(story, offer(), sequence=5)
    assert story.catalog.pushed.find("offers", "4711.txt") is None
    assert put(story, offer(), sequence=7).state is PushState.ACCEPTED


def test_a_deletion_that_comes_first_is_remembered_where_it_is_counted(story: Story) -> None:
    with pytest.raises(NotReadable):
        delete(story)
    delete(story, sequence=2)

    with pytest.raises(Conflict):
        put(story, offer(), sequence=1)


def test_readers_change_with_the_push_and_content_with_the_next_run(story: Story) -> None:
    put(story, offer())
    sync(story)
    assert len(story.visible(ANN)) == 2
    assert story.catalog.pushed.status("offers", "4711.txt").state is PushState.PUBLISHED

    put(story, offer("Other words. Entirely.", allow("user:bob")))

    assert story.visible(ANN) == set()
    assert story.visible(BOB) == {"Offers hold for 30 days.", " Then they end."}
    assert story.catalog.pushed.status("offers", "4711.txt").state is PushState.ACCEPTED
    sync(story, "Other words. Entirely.")
    assert story.visible(BOB) == {"Other words.", " Entirely."}
    assert story.catalog.pushed.status("offers", "4711.txt").state is PushState.PUBLISHED


def test_a_deleted_document_is_read_by_nobody_at_once(story: Story) -> None:
    put(story, offer())
    sync(story)

    delete(story)

    assert story.visible(ANN) == set()
    sync(story)
    assert story.visible(ANN) == set()


def test_a_listing_read_before_a_revocation_does_not_give_it_back(story: Story) -> None:
    put(story, offer())
    sync(story)
    run = story.start()
    listed = {"4711.txt": (TEXT, allow("user:ann"))}

    put(story, offer(policy=allow("user:bob")))
    story.record(run, listed)

    assert story.visible(ANN) == set()
    assert len(story.visible(BOB)) == 2


@pytest.mark.parametrize("after", ["listed", "recorded", "staged"])
def test_a_run_does_not_publish_what_is_deleted_while_it_works(story: Story, after: str) -> None:
    put(story, offer())
    files = {"4711.txt": (TEXT, allow("user:ann"))}
    run = story.start()
    steps = {"listed": lambda: None, "recorded": lambda: story.record(run, files), "staged": lambda: story.stage(run, files)}
    for step, work in steps.items():
        work()
        if step == after:
            waiting = list(story.catalog.staging.pending(run, recipe=story.recipe))
            delete(story)
            take(story, run, waiting)
    story.embed()
    list(story.catalog.publishing.publish(run, model=story.model, batch=100))

    assert story.visible(ANN) == set()


def test_a_run_takes_what_was_pushed_before_it_began_and_leaves_the_rest_to_the_next(story: Story) -> None:
    put(story, offer())
    run = story.start()
    put(story, offer(key="4712.txt"))

    story.catalog.runs.finish(run, outcome="succeeded")

    assert pending(story) == 1
    assert [outlook.why for outlook in story.catalog.automation.outlooks()] == [Why.PUSHED]


def test_a_failed_run_has_taken_nothing(story: Story) -> None:
    put(story, offer())

    story.catalog.runs.finish(story.start(), outcome="failed", problem="no")

    assert pending(story) == 1


def test_the_application_is_told_why_a_document_is_not_published(story: Story) -> None:
    put(story, offer())
    run = story.start()
    story.record(run, {"4711.txt": (TEXT, allow("user:ann"))})
    [item] = story.catalog.staging.pending(run, recipe="r")
    assert isinstance(item, WorkItem)
    rejection = Rejection(QuarantineCode.ENCRYPTED, "it needs a password")
    story.catalog.staging.reject(run, item, rejection, recipe="r", content_hash=content_hash(TEXT.encode()))

    found = story.catalog.pushed.status("offers", "4711.txt")

    assert (found.state, found.reason) == (PushState.QUARANTINED, "it needs a password")
    assert put(story, offer("Mended. Now.")).state is PushState.ACCEPTED


def test_a_document_without_readers_is_taken_and_says_so(story: Story) -> None:
    assert put(story, offer(policy=NOBODY)).reason == NO_READERS


def test_only_open_sources_of_the_kind_take_documents_and_no_more_than_the_limit(story: Story) -> None:
    Story(story.catalog, source="handbook")
    for unknown in ("handbook", "absent"):
        with pytest.raises(NotReadable):
            story.catalog.pushed.put(unknown, offer(), BY, max_documents=3)
        with pytest.raises(NotReadable):
            story.catalog.pushed.status(unknown, "4711.txt")
    for number in range(3):
        put(story, offer(key=f"{number}.txt"))
    with pytest.raises(InvalidInput) as error:
        put(story, offer())
    assert error.value.problems[0].limit == "3 documents"
    delete(story, "0.txt")
    put(story, offer())

    story.catalog.publishing.retire("offers", by="user:dana")

    with pytest.raises(Conflict):
        put(story, offer(key="1.txt"))


def test_every_change_is_in_the_audit_log_and_nothing_of_what_was_said(story: Story) -> None:
    put(story, replace(offer(), title="Secret offer"))
    put(story, replace(offer(), title="Secret offer"))
    delete(story)

    page = story.catalog.audit.read(ANN, AuditFilter(person="app:crm"), limit=10)

    assert [record.fields["action"] for record in page] == [AuditAction.DOCUMENT_UNPUSHED, AuditAction.DOCUMENT_PUSHED]
    assert "Secret" not in "".join(record.record for record in page)
    assert page[0].fields["documents"] == [{"document": story.document("4711.txt")}]
