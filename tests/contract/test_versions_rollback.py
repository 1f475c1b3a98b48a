"""Going back to earlier versions: what readers see, what the next run leaves, on SQLite and on PostgreSQL."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import access_classes, audit, document_versions, documents, embeddings, passages, revisions, validity
from retrieval.domain.clock import unstamp
from retrieval.domain.errors import Conflict, Fenced, InvalidInput
from retrieval.domain.sources import SourceState
from retrieval.domain.versions import RollbackKind, RollbackRefusal, RollbackRequest, RolledBack
from tests.story import ANN, BOB, MODEL, PUBLIC, Story, allow

pytestmark = pytest.mark.contract

GOOD = {"a.md": ("Good one. Sure.", PUBLIC), "b.md": ("Good two.", PUBLIC), "c.md": ("Good three.", PUBLIC)}
BAD = {"a.md": ("Bad one. Sure.", PUBLIC), "b.md": ("Good two.", PUBLIC), "d.md": ("Bad four.", PUBLIC)}
"""Changes a, lacks c, adds d."""


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog)


def back(story: Story, **target: object) -> RolledBack:
    request = RollbackRequest(source=story.source, **target)
    planned = story.catalog.rollback.plan(request, model=MODEL)
    done = story.catalog.rollback.roll_back(request, model=MODEL, by="user:dana")
    assert done.plan == planned
    return done


def counted(story: Story) -> bool:
    """Whether every class counts the passages that are current."""
    with story.catalog.database.read() as connection:
        current = select(documents.c.access_class, func.sum(document_versions.c.passages)).join(
            document_versions, document_versions.c.id == documents.c.current_version
        )
        held = {row[0]: int(row[1]) for row in connection.execute(current.group_by(documents.c.access_class))}
        return held == dict(
            connection.execute(select(access_classes.c.id, access_classes.c.passages).where(access_classes.c.passages != 0)).tuples().all()
        )


def test_what_is_held_back_is_no_version_of_its_document_to_readers(story: Story):
    story.sync(GOOD)
    good = story.feed.revision()
    story.sync(BAD)
    document = story.document("a.md")
    before = [version.number for version in story.catalog.documents.document(ANN, document).versions]

    back(story, revision=good, bring_back=True)

    assert before == [2, 1]
    assert [version.number for version in story.catalog.documents.document(ANN, document).versions] == [1]


def test_a_source_goes_back_in_one_revision_without_embedding_and_the_next_run_leaves_it(story: Story):
    story.sync(GOOD)
    good = story.feed.revision()
    story.sync(BAD)
    bad = story.feed.revision()
    story.embedded.clear()

    done = back(story, revision=good, bring_back=True)

    assert done.revision == bad + 1 == story.feed.revision()
    assert done.plan.counts == {"restored": 1, "brought back": 1, "withdrawn": 1, "refused": 0}
    assert story.visible(ANN) == {"Good one.", " Sure.", "Good two.", "Good three."}
    assert counted(story)
    story.sync(BAD)
    story.recipe = "recipe 2"
    story.sync(BAD)
    assert story.visible(ANN) == {"Good one.", " Sure.", "Good two.", "Good three."}
    assert story.embedded == []
    assert counted(story)
    assert {(held.key, held.is_absent) for held in story.catalog.rollback.held("handbook")} == {
        ("a.md", False),
        ("c.md", True),
        ("d.md", False),
    }


def test_what_was_withdrawn_since_comes_back_only_where_it_is_asked_for(story: Story):
    story.sync(GOOD)
    good = story.feed.revision()
    story.sync(BAD)

    done = back(story, revision=good)

    assert done.plan.left_withdrawn == 1
    assert story.visible(ANN) == {"Good one.", " Sure.", "Good two."}
    assert counted(story)


def test_a_hold_ends_when_the_source_changes(story: Story):
    story.sync(GOOD)
    good = story.feed.revision()
    story.sync(BAD)
    back(story, revision=good, bring_back=True)

    story.sync({"a.md": ("Better one.", PUBLIC), "b.md": ("Good two.", PUBLIC), "c.md": ("New three.", PUBLIC)})

    assert story.visible(ANN) == {"Better one.", "Good two.", "New three."}
    assert story.catalog.rollback.held("handbook") == []
    story.sync({"b.md": ("Good two.", PUBLIC)})
    assert story.visible(ANN) == {"Good two."}


def test_a_document_that_the_source_no_longer_has_is_withdrawn_although_it_went_back(story: Story):
    story.sync(GOOD)
    story.sync(GOOD | {"a.md": ("Bad one.", PUBLIC)})
    back(story, document=story.document("a.md"), version=1)

    story.sync({"b.md": ("Good two.", PUBLIC)})

    assert story.visible(ANN) == {"Good two."}


def test_released_documents_follow_their_source_again(story: Story):
    story.sync(GOOD)
    good = story.feed.revision()
    story.sync(BAD)
    back(story, revision=good, bring_back=True)

    released = story.catalog.rollback.release("handbook", by="user:dana")

    assert released == 3
    story.sync(BAD)
    assert story.visible(ANN) == {"Bad one.", " Sure.", "Good two.", "Bad four."}


def test_going_forward_again_holds_nothing(story: Story):
    story.sync(GOOD)
    good = story.feed.revision()
    story.sync(BAD)
    bad = story.feed.revision()
    back(story, revision=good, bring_back=True)

    back(story, revision=bad, bring_back=True)

    assert story.visible(ANN) == {"Bad one.", " Sure.", "Good two.", "Bad four."}
    assert story.catalog.rollback.held("handbook") == []
    assert counted(story)


def test_going_back_twice_still_holds_what_the_source_has(story: Story):
    for text in ("One.", "Two.", "Three."):
        story.sync({"a.md": (text, PUBLIC)})
    document = story.document("a.md")
    back(story, document=document, version=2)
    back(story, document=document, version=1)

    story.recipe = "recipe 2"
    story.sync({"a.md": ("Three.", PUBLIC)})

    assert story.visible(ANN) == {"One."}


def test_readers_stay_those_of_now(story: Story):
    story.sync({"a.md": ("Good one.", PUBLIC)})
    good = story.feed.revision()
    story.sync({"a.md": ("Bad one.", allow("user:bob"))})

    back(story, revision=good)

    assert story.visible(ANN) == set()
    assert story.visible(BOB) == {"Good one."}
    assert counted(story)


def test_a_reopened_version_has_two_intervals_and_its_passages_their_ids(story: Story):
    story.sync({"a.md": ("Good one.", PUBLIC)})
    with story.catalog.database.read() as connection:
        before = set(connection.scalars(select(passages.c.id)))
    story.sync({"a.md": ("Bad one.", PUBLIC)})

    back(story, document=story.document("a.md"), version=1)

    with story.catalog.database.read() as connection:
        intervals = connection.execute(
            select(document_versions.c.number, validity.c.valid_from, validity.c.valid_to)
            .join(validity, validity.c.version == document_versions.c.id)
            .order_by(validity.c.valid_from)
        ).all()
    assert [tuple(row) for row in intervals] == [(1, 1, 2), (2, 2, 3), (1, 3, None)]
    with story.feed.snapshot() as (_, held):
        assert {passage.id for document in held for passage in document.passages} == before


def test_a_run_alone_is_undone(story: Story):
    story.sync(GOOD)
    bad = story.sync(BAD)
    story.sync(BAD | {"b.md": ("Better two.", PUBLIC), "e.md": ("Five.", PUBLIC)})

    done = back(story, undo_run=bad.id, bring_back=True)

    assert {(change.key, change.kind) for change in done.plan.changes} == {
        ("a.md", RollbackKind.RESTORED),
        ("c.md", RollbackKind.BROUGHT_BACK),
        ("d.md", RollbackKind.WITHDRAWN),
    }
    assert story.visible(ANN) == {"Good one.", " Sure.", "Better two.", "Good three.", "Five."}
    assert back(story, undo_run=bad.id, bring_back=True).plan.changes == ()


def test_the_state_before_a_run_and_at_a_moment_are_wanted_by_their_names(story: Story):
    story.sync(GOOD)
    bad = story.sync(BAD)
    with story.catalog.database.read() as connection:
        good_at = unstamp(connection.scalar(select(revisions.c.at).where(revisions.c.value == 1)) or "")
    plan = story.catalog.rollback.plan

    before = plan(RollbackRequest(source="handbook", before_run=bad.id), model=MODEL)
    at = plan(RollbackRequest(source="handbook", at=good_at), model=MODEL)

    assert before == at
    assert before.counts["restored"] == before.counts["withdrawn"] == 1
    with pytest.raises(InvalidInput, match="before anything was published"):
        plan(RollbackRequest(source="handbook", at=good_at - timedelta(days=1)), model=MODEL)


def test_a_version_that_the_live_model_has_not_embedded_is_refused(story: Story):
    story.sync({"a.md": ("Good one.", PUBLIC), "b.md": ("Good two.", PUBLIC)})
    good = story.feed.revision()
    story.sync({"a.md": ("Bad one.", PUBLIC), "b.md": ("Bad two.", PUBLIC)})
    with story.catalog.database.write() as connection:
        of_a = select(passages.c.embedded_hash).join(document_versions, document_versions.c.id == passages.c.version)
        of_a = of_a.where(document_versions.c.document == story.document("a.md"), document_versions.c.number == 1)
        connection.execute(delete(embeddings).where(embeddings.c.text_hash.in_(of_a)))
    request = RollbackRequest(source="handbook", revision=good)

    plan = story.catalog.rollback.plan(request, model=MODEL)

    assert [(change.key, change.refused) for change in plan.refused] == [("a.md", RollbackRefusal.NOT_EMBEDDED)]
    with pytest.raises(Conflict, match="cannot go back"):
        story.catalog.rollback.roll_back(request, model=MODEL, by="user:dana")
    assert story.visible(ANN) == {"Bad one.", "Bad two."}
    story.catalog.rollback.roll_back(request, model=MODEL, by="user:dana", without_refused=True)
    assert story.visible(ANN) == {"Bad one.", "Good two."}


def test_a_run_at_work_is_fenced_out_and_a_paused_source_goes_back(story: Story):
    story.sync(GOOD)
    good = story.feed.revision()
    story.sync(BAD)
    run = story.start()
    story.catalog.sources.set_state("handbook", SourceState.PAUSED, by="user:dana")

    back(story, revision=good)

    with pytest.raises(Fenced):
        story.record(run, BAD)


def test_a_newer_content_that_waits_is_published_and_the_bad_one_that_waits_is_not(story: Story):
    story.sync({"a.md": ("Good one.", PUBLIC), "b.md": ("Good two.", PUBLIC)})
    good = story.feed.revision()
    bad = {"a.md": ("Bad one.", PUBLIC), "b.md": ("Bad two.", PUBLIC)}
    story.sync(bad)
    story.recipe = "recipe 2"
    waiting = bad | {"b.md": ("Newer two.", PUBLIC)}
    run = story.start()
    story.record(run, waiting)
    story.stage(run, waiting)

    back(story, revision=good)

    story.sync(waiting)
    assert story.visible(ANN) == {"Good one.", "Newer two."}


def test_a_rollback_is_recorded_with_who_did_it(story: Story):
    story.sync(GOOD)
    good = story.feed.revision()
    story.sync(BAD)

    back(story, revision=good)

    with story.catalog.database.read() as connection:
        recorded = connection.execute(select(audit.c.actor, audit.c.record).where(audit.c.action == "documents.rolled_back")).one()
    assert recorded.actor == "user:dana"
    assert {each["document"] for each in json.loads(recorded.record)["documents"]} == {story.document("a.md"), story.document("d.md")}


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ({}, "revision"),
        ({"revision": 1, "undo_run": "r"}, "revision"),
        ({"version": 1}, "document"),
        ({"revision": 99}, "revision"),
        ({"revision": 0}, "revision"),
        ({"undo_run": "nothing"}, "run"),
        ({"document": "doc_x", "revision": 1}, "document"),
        ({"source": "nothing", "revision": 1}, "source"),
    ],
)
def test_what_is_not_there_is_named(story: Story, target: dict[str, object], field: str):
    story.sync(GOOD)

    with pytest.raises(InvalidInput) as refused:
        story.catalog.rollback.plan(RollbackRequest(**({"source": "handbook"} | target)), model=MODEL)

    assert refused.value.problems[0].field == field
