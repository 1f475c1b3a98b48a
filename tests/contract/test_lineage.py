"""Lineage and recalls, on SQLite and on PostgreSQL: what an answer stood on, whom a run reached, and what taking back does."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import recall_notices, recalls
from retrieval.domain.answers import AnswerOutcome
from retrieval.domain.audit import AuditAction, AuditEntry, AuditFilter, actors, documents_of
from retrieval.domain.curated import CuratedState
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.escalations import EscalationState
from retrieval.domain.feedback import AnswerGiven, GivenCitation
from retrieval.domain.ids import text_hash
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.recalls import RecallCounts, RecallKind, RecallRequest
from retrieval.domain.sources import SourceState
from retrieval.domain.versions import RollbackRefusal, RollbackRequest
from retrieval.ports.delivery import Occasion
from tests.curated import IN_A_WEEK, curate
from tests.desk import EVE, FILES, Desk, DeskClock
from tests.story import ANN, BOB, MODEL, PUBLIC

pytestmark = [pytest.mark.contract, pytest.mark.permissions]

INTRANET = Principal("intranet", PrincipalKind.APP)
ABROAD, MANAGER, PARENTS = "Abroad for 30 days.", "Ask your manager.", "Parents get 60 days."
AUDITOR = "user:audra"


@dataclass
class Told(Desk):
    """A desk whose people were given answers."""

    def shown(self, principal: Principal, request_id: str, *texts: str, quoted: tuple[str, ...] = ()) -> None:
        """Record an answer that was handed these passages and cites the quoted ones."""
        passages = [self.passages(replace(principal, through=None))[text] for text in (*texts, *quoted)]
        cited = [self.passages(replace(principal, through=None))[text] for text in quoted]
        actor, act_for = actors(principal)
        details = {"quoted": sorted(each.id for each in cited), "generator": "fake-writer", "prompt": "answer@1"}
        entry = AuditEntry(
            AuditAction.ANSWER if quoted else AuditAction.RETRIEVE,
            actor,
            act_for,
            outcome="answered",
            documents=documents_of([(each, text_hash(each.text)) for each in passages]),
            index_revision=3,
            request_id=request_id,
            model="fake@1",
            query="how long?",
            details=details if quoted else {"top_k": 5},
        )
        self.catalog.audit.record(entry)
        if quoted:
            citations = tuple(GivenCitation(f"cit_{each.id}", each.document, each.source) for each in cited)
            through = None if principal.through is None else principal.through.subject
            kept = AnswerGiven(
                request_id,
                principal.subject,
                through,
                "how long?",
                AnswerOutcome.ANSWERED,
                None,
                citations,
                ("handbook",),
                {},
                "confidence@test",
                "fake-writer",
                "answer@1",
                None,
                self.clock.now(),
            )
            self.catalog.learning.given.keep(kept)

    def recall(self, kind: RecallKind, about: str, reason: str = "published by mistake") -> RecallRequest:
        return RecallRequest(kind, about, reason)

    @property
    def travel(self) -> str:
        return self.story.document("travel.md")


@pytest.fixture
def told(make_catalog: Callable[..., Catalog]) -> Told:
    clock = DeskClock()
    told = Told(make_catalog(clock=clock), clock)
    told.furnish()
    return told


def test_an_answer_is_traced_to_its_passages_versions_run_model_and_prompt(told: Told):
    told.shown(replace(ANN, through=INTRANET), "r1", MANAGER, quoted=(ABROAD,))

    found = told.catalog.lineage.answer("r1")

    passages = told.passages(ANN)
    [version] = found.versions
    assert (found.action, found.person, found.application, found.outcome) == ("answer", "user:ann", "app:intranet", "answered")
    assert (found.model, found.generator, found.prompt, found.calibration) == ("fake@1", "fake-writer", "answer@1", "confidence@test")
    assert (version.document, version.source, version.number, version.state) == (told.travel, "handbook", 1, "current")
    assert (version.published_run, version.recipe) == ("handbook-run-1", "recipe 1")
    assert set(version.passages) == {passages[ABROAD].id, passages[MANAGER].id}
    assert version.quoted == (passages[ABROAD].id,)


def test_a_run_is_traced_to_what_it_published_and_to_whom_it_was_shown(told: Told):
    told.shown(ANN, "r1", quoted=(ABROAD,))
    run = told.story.sync(FILES | {"travel.md": ("Abroad for 20 days. Ask your manager.", PUBLIC)})
    told.shown(BOB, "r2", "Abroad for 20 days.")

    first, second = (told.catalog.lineage.run(id_, limit=10) for id_ in ("handbook-run-1", run.id))

    assert {version.document for version in first.versions} == {told.story.document(key) for key in FILES}
    assert [(each.person, each.request_id, each.quoted) for each in first.showings] == [("user:ann", "r1", True)]
    assert [(version.document, version.number) for version in second.versions] == [(told.travel, 2)]
    assert [(each.person, each.request_id, each.quoted) for each in second.showings] == [("user:bob", "r2", False)]
    assert told.catalog.lineage.run(run.id, limit=10).outcome == "succeeded"


def test_a_document_is_traced_to_its_versions_and_to_whom_they_were_shown(told: Told):
    for number in range(3):
        told.shown(ANN, f"r{number}", ABROAD)
    told.story.sync(FILES | {"travel.md": ("Abroad for 20 days. Ask your manager.", PUBLIC)})

    found = told.catalog.lineage.document(told.travel, limit=2)

    assert [(version.number, version.state) for version in found.versions] == [(2, "current"), (1, "superseded")]
    assert [each.request_id for each in found.showings] == ["r2", "r1"]
    assert (found.has_more_versions, found.has_more_showings) == (False, True)


def test_what_is_not_there_is_traced_to_nothing(told: Told):
    for asked in (
        lambda: told.catalog.lineage.answer("absent"),
        lambda: told.catalog.lineage.run("absent", limit=5),
        lambda: told.catalog.lineage.document("absent", limit=5),
        lambda: told.catalog.recalls.get("absent"),
        lambda: told.catalog.recalls.showings("absent", before=None, limit=5),
        *(lambda kind=kind: told.catalog.recalls.plan(told.recall(kind, "absent")) for kind in RecallKind),
        *(lambda kind=kind: told.catalog.recalls.make(told.recall(kind, "absent"), by=AUDITOR) for kind in RecallKind),
    ):
        with pytest.raises(NotReadable):
            asked()


def test_a_recall_takes_back_retires_opens_again_and_tells_at_once(told: Told):
    through = replace(ANN, through=INTRANET)
    told.catalog.webhooks.register("app:intranet", "https://intranet.example/hook", secret="env:ARCHIVIST_WEBHOOK_X", by="cli")
    told.shown(through, "r1", quoted=(ABROAD,))
    told.shown(BOB, "r2", ABROAD)
    told.shown(ANN, "r3", quoted=(PARENTS,))
    curated = curate(told.story, "travel.md", reader=ANN, expires_at=IN_A_WEEK)
    kept = curate(told.story, "hr.md", reader=ANN, expires_at=IN_A_WEEK, escalation="esc_2")
    claimed = told.claimed(ABROAD)
    decided = told.reviewing.decide(EVE, claimed.id, told.answering(ABROAD), expected=claimed.version)
    other = told.claimed(PARENTS, question="How many days for parents?")
    told.catalog.directory.set_groups(EVE.subject, ["group:desk", "group:hr"])
    told.reviewing.decide(EVE, other.id, told.answering(PARENTS), expected=other.version)
    request = told.recall(RecallKind.DOCUMENT, told.travel)
    planned = told.catalog.recalls.plan(request)

    made = told.catalog.recalls.make(request, by=AUDITOR, request_id="r9")

    assert planned == made.counts
    assert (made.counts.documents, made.counts.versions, made.counts.answers, made.counts.people) == (1, 1, 1, 1)
    assert (made.counts.curated, made.counts.reviews, made.counts.applications) == (1, 1, 1)
    assert ABROAD not in told.story.visible(ANN)
    assert PARENTS in told.story.visible(ANN)
    states = [told.catalog.learning.curated.get(each.id).state for each in (curated, kept)]
    assert states == [CuratedState.RETIRED, CuratedState.ACTIVE]
    reopened = told.catalog.escalations.get(decided.id)
    assert (reopened.state, reopened.resolution, reopened.closed_at) == (EscalationState.OPEN, None, None)
    assert told.catalog.escalations.get(other.id).state is EscalationState.ANSWERED
    [message] = told.catalog.recall_notices.due(count=10)
    assert (message.application, message.occasion, message.about) == ("app:intranet", Occasion.RECALL_MADE, made.id)
    assert message.details == {"requests": ["r1"]}
    [record] = told.catalog.audit.read(Principal("audra"), AuditFilter(action=AuditAction.RECALL_MADE), limit=5)
    assert record.fields["actor"] == AUDITOR
    assert "mistake" not in record.record


def test_who_was_shown_what_is_recalled_is_told_in_pages(told: Told):
    for number in range(3):
        told.shown(ANN, f"r{number}", ABROAD)
    told.shown(BOB, "r3", quoted=(ABROAD,))
    made = told.catalog.recalls.make(told.recall(RecallKind.DOCUMENT, told.travel), by=AUDITOR)

    first = told.catalog.recalls.showings(made.id, before=None, limit=3)
    rest = told.catalog.recalls.showings(made.id, before=first[-1].seq, limit=3)

    assert [(each.person, each.request_id) for each in first] == [("user:bob", "r3"), ("user:ann", "r2"), ("user:ann", "r1")]
    assert [(each.person, each.request_id) for each in rest] == [("user:ann", "r0")]
    assert told.catalog.recalls.get(made.id) == made


def test_the_next_run_does_not_publish_again_what_was_recalled_and_does_what_its_owner_changed(told: Told):
    told.catalog.recalls.make(told.recall(RecallKind.DOCUMENT, told.travel), by=AUDITOR)

    told.story.sync(FILES)
    assert ABROAD not in told.story.visible(ANN)

    told.story.sync(FILES | {"travel.md": ("Abroad for 20 days. Ask your manager.", PUBLIC)})
    assert "Abroad for 20 days." in {text.strip() for text in told.story.visible(ANN)}


def test_nobody_goes_back_to_what_was_recalled_or_lets_go_of_it(told: Told):
    back = RollbackRequest(source="handbook", revision=told.catalog.revision(), bring_back=True)
    told.catalog.recalls.make(told.recall(RecallKind.DOCUMENT, told.travel), by=AUDITOR)

    plan = told.catalog.rollback.plan(back, model=MODEL)
    released = told.catalog.rollback.release("handbook", by="user:dana")

    assert [(change.document, change.refused) for change in plan.changes] == [(told.travel, RollbackRefusal.RECALLED)]
    assert released == 0
    assert [each.document for each in told.catalog.rollback.held("handbook")] == [told.travel]


def test_a_source_is_recalled_whole_and_paused_and_no_run_at_work_publishes_it(told: Told):
    at_work = told.story.start()

    made = told.catalog.recalls.make(told.recall(RecallKind.SOURCE, "handbook"), by=AUDITOR)

    assert made.counts.documents == len(FILES)
    assert told.story.visible(ANN) == set()
    assert told.catalog.sources.get("handbook").state is SourceState.PAUSED
    with pytest.raises(Exception, match="newer run"):
        told.story.record(at_work, FILES)


def test_a_version_that_is_not_current_is_recalled_without_taking_the_current_one(told: Told):
    told.shown(ANN, "r1", quoted=(ABROAD,))
    old = told.passages(ANN)[ABROAD].version
    told.story.sync(FILES | {"travel.md": ("Abroad for 20 days. Ask your manager.", PUBLIC)})

    made = told.catalog.recalls.make(told.recall(RecallKind.VERSION, old), by=AUDITOR)

    assert made.counts == RecallCounts(versions=1, answers=1, people=1, shown=1)
    assert "Abroad for 20 days." in told.passages(ANN)


def test_recalling_again_is_the_recall_before_until_there_is_something_new(told: Told):
    request = told.recall(RecallKind.DOCUMENT, told.travel)
    made = told.catalog.recalls.make(request, by=AUDITOR)
    told.clock.forward(minutes=1)

    assert told.catalog.recalls.make(replace(request, reason="again"), by="user:other") == made

    told.story.sync(FILES | {"travel.md": ("Abroad for 20 days. Ask your manager.", PUBLIC)})
    assert told.catalog.recalls.make(request, by=AUDITOR).id != made.id
    with told.catalog.database.read() as connection:
        assert len(connection.execute(select(recalls)).all()) == 2


def test_a_plan_changes_nothing(told: Told):
    told.shown(ANN, "r1", quoted=(ABROAD,))
    before = told.catalog.revision()

    told.catalog.recalls.plan(told.recall(RecallKind.SOURCE, "handbook"))

    assert told.catalog.revision() == before
    assert ABROAD in told.passages(ANN)


def test_a_notice_is_sent_once_and_given_up_for_good(told: Told):
    for application in ("intranet", "portal"):
        told.catalog.webhooks.register(f"app:{application}", "https://app.example/hook", secret="env:ARCHIVIST_WEBHOOK_X", by="cli")
        told.shown(replace(ANN, through=Principal(application, PrincipalKind.APP)), f"r-{application}", quoted=(ABROAD,))
    told.catalog.recalls.make(told.recall(RecallKind.DOCUMENT, told.travel), by=AUDITOR)
    intranet, portal = sorted(told.catalog.recall_notices.due(count=10), key=lambda message: message.recipient)

    told.catalog.recall_notices.sent(intranet)
    told.catalog.recall_notices.failed(portal, "the application answered 410", next_attempt_at=None)
    told.catalog.recall_notices.sent(portal)

    assert told.catalog.recall_notices.due(count=10) == []
    with told.catalog.database.read() as connection:
        rows = connection.execute(select(recall_notices.c.application, recall_notices.c.state).order_by(recall_notices.c.application))
        assert [tuple(row) for row in rows] == [("app:intranet", "sent"), ("app:portal", "dead")]


def test_a_reason_is_wanted_and_kept_for_auditors(told: Told):
    with pytest.raises(InvalidInput, match="reason"):
        told.recall(RecallKind.DOCUMENT, told.travel, " ")
    made = told.catalog.recalls.make(told.recall(RecallKind.DOCUMENT, told.travel, "names a patient"), by=AUDITOR)

    with told.catalog.database.read() as connection:
        [kept] = connection.scalars(select(recalls.c.reason))
    assert "patient" not in kept
    assert told.catalog.recalls.get(made.id).reason == "names a patient"
