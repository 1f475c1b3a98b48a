"""What the catalog promises of versions, permissions and the outbox, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import access_classes, document_versions, documents, embeddings, passages, revisions, validity
from retrieval.domain.documents import QuarantineCode, Rejection
from retrieval.domain.errors import Conflict, Fenced, InvalidInput, NotReadable
from retrieval.domain.permissions import NOBODY
from retrieval.domain.sources import SourceSpec, SourceState
from retrieval.ports.reading import Candidate
from tests.story import ANN, BOB, MODEL, PUBLIC, Story, allow

pytestmark = pytest.mark.contract


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog)


def test_a_published_version_is_visible_whole(story: Story):
    story.sync({"a.md": ("One. Two.", PUBLIC)})

    assert story.visible(ANN) == {"One.", " Two."}


def test_a_staged_version_is_seen_by_nobody_until_it_is_published(story: Story):
    files = {"a.md": ("One. Two.", PUBLIC)}
    run = story.start()
    story.record(run, files)
    story.stage(run, files)
    story.embed()

    before = story.visible(ANN)
    story.publish(run)

    assert before == set()
    assert story.visible(ANN) == {"One.", " Two."}


def test_a_version_with_a_passage_that_lacks_its_embedding_waits(story: Story):
    story.sync({"a.md": ("Old.", PUBLIC)})
    files = {"a.md": ("New. Text.", PUBLIC)}
    run = story.start()
    story.record(run, files)
    story.stage(run, files)

    counts = story.publish(run)

    assert sum(c.published for c in counts) == 0
    assert sum(c.waiting for c in counts) == 1
    assert story.visible(ANN) == {"Old."}


def test_a_changed_document_replaces_its_old_version_in_one_revision(story: Story):
    story.sync({"a.md": ("Old.", PUBLIC)})
    before = story.feed.revision()

    story.sync({"a.md": ("New.", PUBLIC)})

    assert story.visible(ANN) == {"New."}
    assert story.feed.revision() == before + 1
    with story.catalog.database.read() as connection:
        states = connection.execute(
            select(document_versions.c.state, validity.c.valid_from, validity.c.valid_to)
            .join(validity, validity.c.version == document_versions.c.id)
            .order_by("number")
        ).all()
    assert [tuple(row) for row in states] == [("superseded", 1, 2), ("current", 2, None)]


def test_a_removed_document_is_withdrawn_by_the_run_that_misses_it(story: Story):
    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", PUBLIC)})

    story.sync({"a.md": ("One.", PUBLIC)})

    assert story.visible(ANN) == {"One."}


def test_a_document_that_comes_back_is_published_again_without_embedding_anything(story: Story):
    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", PUBLIC)})
    story.sync({"a.md": ("One.", PUBLIC)})
    story.embedded.clear()

    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", PUBLIC)})

    assert story.visible(ANN) == {"One.", "Two."}
    assert story.embedded == []


def test_nothing_is_withdrawn_on_the_word_of_a_listing_that_broke_midway(story: Story):
    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", PUBLIC)})
    run = story.start()
    story.catalog.listing.record(run, [story.file("a.md", "One.")])

    with pytest.raises(Conflict, match="not complete"):
        story.publish(run)

    assert story.visible(ANN) == {"One.", "Two."}


def test_an_unchanged_source_gives_no_work_and_no_revision(story: Story):
    files = {"a.md": ("One.", PUBLIC)}
    story.sync(files)
    before = story.feed.revision()

    run = story.start()
    story.record(run, files)
    pending = story.stage(run, files)
    story.publish(run)

    assert pending == 0
    assert story.feed.revision() == before


def test_another_recipe_takes_every_document_in_again_but_reuses_embeddings(story: Story):
    files = {"a.md": ("One.", PUBLIC)}
    story.sync(files)
    story.embedded.clear()
    story.recipe = "recipe 2"

    story.sync(files)

    with story.catalog.database.read() as connection:
        recipes = connection.scalars(select(document_versions.c.recipe).order_by("number")).all()
    assert recipes == ["recipe 1", "recipe 2"]
    assert story.embedded == []


def test_the_same_text_in_two_documents_is_embedded_once(story: Story):
    story.sync({"a.md": ("Same.", PUBLIC), "b.md": ("Same.", PUBLIC)})

    with story.catalog.database.read() as connection:
        stored = connection.scalar(select(func.count()).select_from(embeddings))

    assert story.embedded == ["Same."]
    assert stored == 1


def test_a_permission_change_takes_effect_when_it_is_listed_and_embeds_nothing(story: Story):
    story.sync({"a.md": ("One.", PUBLIC)})
    story.embedded.clear()
    run = story.start()

    story.record(run, {"a.md": ("One.", allow("user:ann"))})

    assert story.visible(ANN) == {"One."}
    assert story.visible(BOB) == set()
    assert story.embed() == 0


def test_a_permission_change_reaches_the_old_version_while_the_new_one_still_waits(story: Story):
    story.sync({"a.md": ("Old.", PUBLIC)})
    run = story.start()

    story.record(run, {"a.md": ("New.", allow("user:ann"))})

    assert story.visible(ANN) == {"Old."}
    assert story.visible(BOB) == set()


@pytest.mark.parametrize(
    ("policy", "ann", "bob"),
    [
        pytest.param(PUBLIC, True, True, id="everyone"),
        pytest.param(NOBODY, False, False, id="no permission means nobody"),
        pytest.param(allow("user:ann"), True, False, id="by name"),
        pytest.param(allow("group:staff"), True, True, id="by group"),
        pytest.param(allow("group:all"), True, True, id="by a group of groups"),
        pytest.param(allow("group:Staff"), False, False, id="ids are compared byte by byte"),
        pytest.param(allow("group:staff", deny=("user:bob",)), True, False, id="deny beats allow"),
        pytest.param(allow("user:ann", deny=("group:staff",)), False, False, id="a denied group beats a named user"),
        pytest.param(allow("everyone", deny=("everyone",)), False, False, id="everyone denied"),
        pytest.param(allow("group:ann"), False, False, id="a group is not a user"),
    ],
)
@pytest.mark.permissions
def test_who_reads(story: Story, policy, ann: bool, bob: bool):
    for member, groups in (("user:ann", {"group:staff"}), ("user:bob", {"group:staff"}), ("group:staff", {"group:all"})):
        story.catalog.directory.set_groups(member, groups)

    story.sync({"a.md": ("One.", policy)})

    assert bool(story.visible(ANN)) is ann
    assert bool(story.visible(BOB)) is bob


@pytest.mark.permissions
def test_groups_that_contain_each_other_end(story: Story):
    story.catalog.directory.set_groups("user:ann", {"group:a"})
    story.catalog.directory.set_groups("group:a", {"group:b"})
    story.catalog.directory.set_groups("group:b", {"group:a"})

    story.sync({"a.md": ("One.", allow("group:b")), "b.md": ("Two.", allow("group:a")), "c.md": ("Three.", allow("group:c"))})

    assert story.visible(ANN) == {"One.", "Two."}


@pytest.mark.permissions
def test_a_principal_of_another_issuer_is_not_the_local_one_of_that_name(story: Story):
    story.sync({"a.md": ("One.", allow("user:ann"))})

    stranger = type(ANN)("ann", issuer="https://login.example")

    assert story.visible(stranger) == set()


@pytest.mark.permissions
def test_the_gate_withholds_a_passage_whose_text_is_not_the_catalogs(story: Story):
    story.sync({"a.md": ("One.", PUBLIC)})
    with story.feed.snapshot() as (_, found):
        passage = next(found).passages[0]

    gated = story.catalog.gate.gate(ANN, [Candidate(passage.id, "Forged.")])

    assert gated.readable == ()
    assert gated.altered == (passage.id,)


@pytest.mark.permissions
def test_the_gate_withholds_a_passage_of_a_superseded_version(story: Story):
    story.sync({"a.md": ("Old.", PUBLIC)})
    with story.feed.snapshot() as (_, found):
        old = next(found).passages[0]
    story.sync({"a.md": ("New.", PUBLIC)})

    gated = story.catalog.gate.gate(ANN, [Candidate(old.id, old.text)])

    assert (gated.readable, gated.withheld) == ((), 1)


@pytest.mark.permissions
def test_an_absent_and_a_hidden_document_raise_the_same(story: Story):
    story.sync({"a.md": ("One.", allow("user:ann"))})

    with pytest.raises(NotReadable) as hidden:
        story.catalog.documents.document(BOB, story.document("a.md"))
    with pytest.raises(NotReadable) as absent:
        story.catalog.documents.document(BOB, "doc_nothing")

    assert str(hidden.value) == str(absent.value)
    assert story.catalog.documents.document(ANN, story.document("a.md")).text == "One."


def test_a_newer_run_fences_the_older_one_out(story: Story):
    files = {"a.md": ("One.", PUBLIC)}
    older = story.start()
    story.record(older, files)
    story.stage(older, files)
    story.embed()
    newer = story.start()

    with pytest.raises(Fenced):
        list(story.catalog.publishing.publish(older, model=MODEL, batch=10))
    with pytest.raises(Fenced):
        story.record(older, {})

    assert story.visible(ANN) == set()
    story.record(newer, files)
    story.publish(newer)
    assert story.visible(ANN) == {"One."}


def test_publishing_in_small_batches_gives_a_revision_to_each(story: Story):
    files = {f"{n}.md": (f"Text {n}.", PUBLIC) for n in range(5)}
    run = story.start()
    story.record(run, files)
    story.stage(run, files)
    story.embed()

    counts = story.publish(run, batch=2)

    assert [c.published for c in counts if c.published] == [2, 2, 1]
    assert story.feed.revision() == 3


def test_the_outbox_says_what_changed_after_a_revision_and_whether_only_access_did(story: Story):
    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", PUBLIC)})
    seen = story.feed.revision()
    story.sync({"a.md": ("One.", allow("user:ann")), "b.md": ("Three.", PUBLIC)})

    found = {change.document: change.access_only for change in story.feed.changes(seen, limit=10)}

    assert found == {story.document("a.md"): True, story.document("b.md"): False}
    assert story.feed.changes(story.feed.revision(), limit=10) == []


def test_a_document_that_changes_its_readers_later_does_not_lose_its_place_in_the_outbox(story: Story):
    files = {"a.md": ("One.", PUBLIC)}
    story.sync(files)
    story.sync(files | {"b.md": ("Two.", PUBLIC)})
    story.sync({"a.md": ("One.", allow("user:ann")), "b.md": ("Two.", PUBLIC)})

    first = story.feed.changes(0, limit=1)
    later = story.feed.changes(2, limit=10)

    assert [(c.revision, c.document, c.access_only) for c in first] == [(1, story.document("a.md"), False)]
    assert [(c.revision, c.document, c.access_only) for c in later] == [(3, story.document("a.md"), True)]


def test_the_outbox_never_gives_half_a_revision(story: Story):
    story.sync({f"{n}.md": (f"Text {n}.", PUBLIC) for n in range(7)})

    assert len(story.feed.changes(0, limit=3)) == 7


def test_a_withdrawn_document_comes_from_the_feed_without_passages(story: Story):
    story.sync({"a.md": ("One.", PUBLIC)})
    story.sync({})

    [document] = story.feed.indexed_documents([story.document("a.md")])

    assert document.passages == ()


def test_class_counts_are_what_a_recount_gives(story: Story):
    story.sync({"a.md": ("One. Two.", PUBLIC), "b.md": ("Three.", allow("user:ann")), "c.md": ("Four.", PUBLIC)})
    story.sync({"a.md": ("One. Two.", allow("user:ann")), "b.md": ("Five. Six.", PUBLIC)})
    story.sync({"a.md": ("Seven.", allow("user:bob")), "c.md": ("Four.", NOBODY)})

    with story.catalog.database.read() as connection:
        kept = dict(connection.execute(select(access_classes.c.id, access_classes.c.passages).where(access_classes.c.passages != 0)).all())
        counted = dict(
            connection.execute(
                select(documents.c.access_class, func.count())
                .join(document_versions, document_versions.c.id == documents.c.current_version)
                .join(passages, passages.c.version == document_versions.c.id)
                .group_by(documents.c.access_class)
            ).all()
        )

    assert kept == counted


def test_a_scope_knows_how_many_passages_it_may_read(story: Story):
    story.sync({"a.md": ("One. Two.", PUBLIC), "b.md": ("Three.", allow("user:ann"))})

    assert story.catalog.gate.scope(ANN).readable_passages == 3
    assert story.catalog.gate.scope(BOB).readable_passages == 2


def test_retiring_a_source_withdraws_it_and_stops_its_runs(story: Story):
    run = story.sync({"a.md": ("One.", PUBLIC)})

    story.catalog.publishing.retire(story.source, by="user:dana")

    assert story.visible(ANN) == set()
    with pytest.raises(Fenced):
        story.record(run, {})
    with pytest.raises(Conflict, match="retired"):
        story.start()


def test_a_paused_source_stays_readable_and_is_not_run(story: Story):
    story.sync({"a.md": ("One.", PUBLIC)})

    story.catalog.sources.set_state(story.source, SourceState.PAUSED, by="user:dana")

    assert story.visible(ANN) == {"One."}
    with pytest.raises(Conflict, match="paused"):
        story.start()


def test_registering_the_same_source_again_changes_nothing_and_a_change_is_a_version(catalog: Catalog):
    spec = SourceSpec(id="wiki", kind="files", title="Wiki", owner="user:dana")

    versions = [catalog.sources.register(s, by="user:dana") for s in (spec, spec, SourceSpec(**{**vars(spec), "title": "The wiki"}))]

    assert versions == [1, 1, 2]
    with pytest.raises(Conflict, match="files source"):
        catalog.sources.register(SourceSpec(id="wiki", kind="web", title="Wiki", owner="user:dana"), by="user:dana")
    with pytest.raises(InvalidInput, match="no such source"):
        catalog.sources.get("absent")


def test_a_rejected_document_waits_for_its_retry_and_then_for_a_change(story: Story):
    files = {"a.md": ("One.", PUBLIC)}
    rejection = Rejection(QuarantineCode.TIMED_OUT, "It took too long.", retryable=True)
    run = story.start()
    story.record(run, files)
    [item] = story.catalog.staging.pending(run, recipe=story.recipe)

    story.catalog.staging.reject(run, item, rejection, recipe=story.recipe, content_hash="hash")

    assert list(story.catalog.staging.pending(run, recipe=story.recipe)) == []
    [kept] = story.catalog.staging.quarantined(story.source)
    assert (kept.reason, kept.attempts, kept.next_attempt_at is not None) == ("It took too long.", 1, True)
    for _ in range(2):
        story.catalog.staging.reject(run, item, rejection, recipe=story.recipe, content_hash="hash")
    [kept] = story.catalog.staging.quarantined(story.source)
    assert (kept.attempts, kept.next_attempt_at) == (3, None)
    changed = {"a.md": ("Two.", PUBLIC)}
    run = story.start()
    story.record(run, changed)
    assert story.stage(run, changed) == 1
    assert story.catalog.staging.quarantined(story.source) == []


def test_a_rejected_change_leaves_the_last_good_version_readable(story: Story):
    story.sync({"a.md": ("Good.", PUBLIC)})
    files = {"a.md": ("Broken.", PUBLIC)}
    run = story.start()
    story.record(run, files)
    [item] = story.catalog.staging.pending(run, recipe=story.recipe)

    story.catalog.staging.reject(run, item, Rejection(QuarantineCode.CORRUPT, "Broken."), recipe=story.recipe, content_hash="hash")
    story.publish(run)

    assert story.visible(ANN) == {"Good."}


def test_two_openings_of_one_catalog_share_its_secrets(make_catalog: Callable[..., Catalog]):
    first, second = make_catalog(), make_catalog()

    assert first.database.secret("tokens") == second.database.secret("tokens")
    assert first.database.secret("tokens") != first.database.secret("keys")
    assert len(first.database.secret("keys")) == 32


def test_a_schema_from_a_newer_program_is_refused(make_catalog: Callable[..., Catalog]):
    catalog = make_catalog()
    with catalog.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(Conflict, match="newer"):
        make_catalog()


def test_a_read_sees_one_snapshot_whatever_is_written_meanwhile(story: Story):
    story.sync({"a.md": ("One.", PUBLIC)})

    with story.feed.snapshot() as (revision, found):
        story.sync({"a.md": ("Two.", PUBLIC)})
        seen = [p.text for document in found for p in document.passages]

    assert (revision, seen) == (1, ["One."])


def test_sqlite_commits_are_durable_and_foreign_keys_hold(tmp_path):
    from retrieval.adapters.catalog.engine import Database  # noqa: PLC0415 - only this test opens one by hand

    database = Database(f"sqlite:///{tmp_path / 'c.db'}")

    with database.read() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert found == ["wal", 2, 1]
    database.close()


def test_a_revision_is_never_earlier_than_the_one_before_it(make_catalog: Callable[..., Catalog]):
    class Backwards:
        at = datetime(2027, 1, 2, tzinfo=UTC)

        def now(self) -> datetime:
            self.at -= timedelta(hours=1)
            return self.at

    story = Story(make_catalog(clock=Backwards()))

    for text_ in ("One.", "Two."):
        story.sync({"a.md": (text_, PUBLIC)})

    with story.catalog.database.read() as connection:
        times = connection.scalars(select(revisions.c.at).order_by(revisions.c.value)).all()
    assert len(times) == 2
    assert times[0] == times[1]
