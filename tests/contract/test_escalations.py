"""Escalations on both databases: opened once, claimed by one, decided once, told of what the asker may read."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import audit, escalation_events, escalations, verdicts
from retrieval.domain.answer_policy import RiskTier
from retrieval.domain.answers import Reason
from retrieval.domain.clock import stamp
from retrieval.domain.documents import Span
from retrieval.domain.errors import Conflict, InvalidInput, NotReadable, TooManyRequests
from retrieval.domain.escalations import Delivery, EscalationState, Priority, ResolutionKind
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.reviews import Amendment, Approval, Decision, QueueFilter, Rejection, SubmittedCitation, SubmittedSentence
from tests.desk import EVE, FILES, QUESTION, RAY, Desk, DeskClock
from tests.story import ANN, BOB

pytestmark = pytest.mark.contract

ABROAD, MANAGER, PARENTS, MERGER = "Abroad for 30 days.", "Ask your manager.", "Parents get 60 days.", "The merger comes in May."
INTRANET = Principal("intranet", PrincipalKind.APP)
DANA = Principal("dana")
EVERY = QueueFilter()


@pytest.fixture
def desk(make_catalog: Callable[..., Catalog]) -> Desk:
    clock = DeskClock()
    desk = Desk(make_catalog(clock=clock), clock)
    desk.furnish()
    return desk


def queue(desk: Desk, principal: Principal, wanted: QueueFilter = EVERY) -> list[str]:
    return [entry.id for entry in desk.reviewing.queue(principal, wanted, after="", count=10)]


def recorded(desk: Desk, action: str) -> list[dict]:
    with desk.catalog.database.read() as connection:
        kept = connection.scalars(select(audit.c.record).where(audit.c.action == action).order_by(audit.c.seq))
        return [json.loads(record) for record in kept]


class TestOpening:
    def test_an_escalation_is_read_as_it_was_opened(self, desk: Desk):
        asker = Principal("ann", groups=frozenset({"group:abc"}), sources=frozenset({"handbook"}), through=INTRANET)

        opened = desk.asking.open(asker, replace(desk.draft(ABROAD, PARENTS), sources=("handbook",)))

        assert desk.catalog.escalations.get(opened.id) == opened
        assert opened.asker == asker
        assert opened.draft.sources == ("handbook",)
        assert (opened.state, opened.version) == (EscalationState.OPEN, 1)
        assert opened.due_at == stamp(desk.clock.at.replace(day=3))
        assert opened.expires_at == stamp(desk.clock.at.replace(day=16))

    def test_no_text_of_it_is_kept_in_clear(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.reviewing.decide(EVE, claimed.id, Decision(Rejection("outdated advice")), expected=2)

        with desk.catalog.database.read() as connection:
            kept = str([connection.execute(select(table)).all() for table in (escalations, escalation_events)])

        assert all(secret not in kept for secret in ("abroad", "Abroad", "outdated"))

    def test_the_same_question_is_handed_over_once_while_it_waits(self, desk: Desk):
        first = desk.opened(ABROAD)

        again = desk.asking.open(ANN, replace(desk.draft(MANAGER), question=f"  {QUESTION.upper()}? "))
        other_asker = desk.asking.open(BOB, desk.draft(ABROAD))
        other_sources = desk.asking.open(ANN, replace(desk.draft(ABROAD), sources=("handbook",)))

        assert again == first
        assert len({first.id, other_asker.id, other_sources.id}) == 3
        desk.asking.withdraw(ANN, first.id)
        assert desk.opened(ABROAD).id != first.id

    def test_nobody_has_more_than_so_many_questions_waiting(self, desk: Desk):
        desk.settings = desk.settings.model_copy(update={"escalation_max_pending": 2})
        first = desk.opened(ABROAD, question="one")
        desk.opened(ABROAD, question="two")

        with pytest.raises(TooManyRequests):
            desk.opened(ABROAD, question="three")
        desk.asking.withdraw(ANN, first.id)
        assert desk.opened(ABROAD, question="three")

    @pytest.mark.parametrize(
        ("change", "field"), [({"question": " "}, "query"), ({"question": "x" * 4097}, "query"), ({"reasons": ()}, "reasons")]
    )
    def test_what_breaks_a_limit_is_named(self, desk: Desk, change: dict, field: str):
        with pytest.raises(InvalidInput, match=field):
            desk.asking.open(ANN, replace(desk.draft(ABROAD), **change))

    def test_no_more_evidence_is_named_than_the_settings_allow(self, desk: Desk):
        desk.settings = desk.settings.model_copy(update={"escalation_max_evidence": 1})

        assert [place.rank for place in desk.opened(ABROAD, PARENTS).draft.evidence] == [1]


class TestRouting:
    def test_the_owner_says_who_reviews_and_how_soon(self, desk: Desk):
        desk.terms(reviewers=("group:desk",), risk_tier=RiskTier.HIGH, review_hours=2, skill="law")

        opened = desk.opened(ABROAD)

        assert (opened.priority, opened.source, opened.reviewers, opened.skill) == (Priority.HIGH, "handbook", ("group:desk",), "law")
        assert opened.due_at == stamp(desk.clock.at.replace(hour=11))
        assert (queue(desk, EVE), queue(desk, BOB), queue(desk, DANA)) == ([opened.id], [], [])

    def test_without_reviewers_the_owner_is_asked(self, desk: Desk):
        desk.terms()

        assert desk.opened(ABROAD).reviewers == ("user:dana",)

    def test_of_the_people_named_those_come_first_who_see_all_of_the_evidence(self, desk: Desk):
        desk.catalog.directory.set_groups("user:ray", ["group:hr"])
        desk.terms(reviewers=("user:eve", "user:ray"))

        assert desk.opened(ABROAD, PARENTS).reviewers == ("user:ray",)
        assert desk.opened(ABROAD, question="another").reviewers == ("user:eve", "user:ray")

    def test_where_none_of_them_does_the_owner_is_asked_too(self, desk: Desk):
        desk.terms(reviewers=("user:eve",))

        assert desk.opened(PARENTS).reviewers == ("user:dana", "user:eve")

    def test_who_asks_is_never_asked_and_then_everybody_may_be(self, desk: Desk):
        desk.terms(reviewers=("user:ann",))
        opened = desk.opened(ABROAD)

        assert (opened.reviewers, opened.source) == (("user:dana",), "handbook")
        desk.terms(reviewers=("user:dana",))
        pool = desk.opened(ABROAD, asker=DANA)
        assert (pool.reviewers, pool.source) == ((), "")
        assert pool.id in queue(desk, BOB)

    def test_a_question_without_evidence_is_everybodys(self, desk: Desk):
        opened = desk.asking.open(ANN, desk.draft(reason=Reason.NOTHING_FOUND))

        assert (opened.reviewers, opened.source, opened.priority) == ((), "", Priority.STANDARD)


class TestWhoMayReview:
    def test_nobody_reviews_their_own_question_in_any_guise(self, desk: Desk):
        both = frozenset({"group:desk"})
        asked = [
            (ANN, Principal("ann", groups=both)),
            (ANN, Principal("ann", groups=both, through=INTRANET)),
            (replace(ANN, through=INTRANET), Principal("ann", groups=both)),
            (replace(ANN, through=INTRANET), replace(INTRANET, groups=both)),
            (INTRANET, replace(INTRANET, groups=both)),
            (INTRANET, Principal("bob", groups=both, through=INTRANET)),
        ]
        for number, (asker, reviewer) in enumerate(asked):
            opened = desk.opened(ABROAD, asker=asker, question=f"question {number}")
            assert opened.id not in queue(desk, reviewer)
            for attempt in (
                lambda of=reviewer, id_=opened.id: desk.reviewing.item(of, id_),
                lambda of=reviewer, id_=opened.id: desk.reviewing.history(of, id_),
                lambda of=reviewer, id_=opened.id: desk.reviewing.claim(of, id_, expected=1),
                lambda of=reviewer, id_=opened.id: desk.reviewing.decide(of, id_, Decision(Approval()), expected=1),
            ):
                with pytest.raises(NotReadable):
                    attempt()
            assert queue(desk, EVE)
            assert opened.id in [entry.id for entry in desk.reviewing.queue(EVE, EVERY, after="", count=50)]

    def test_another_persons_question_through_the_same_application_may_be_reviewed(self, desk: Desk):
        opened = desk.opened(ABROAD, asker=replace(ANN, through=INTRANET))

        assert desk.reviewing.item(replace(EVE, through=INTRANET), opened.id).entry.id == opened.id

    def test_who_is_deactivated_or_leaves_the_group_sees_nothing_more(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.catalog.directory.set_groups(EVE.subject, [])

        assert queue(desk, EVE) == []
        with pytest.raises(NotReadable):
            desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)

    def test_absent_and_hidden_are_one(self, desk: Desk):
        opened = desk.opened(ABROAD)

        for id_ in (opened.id, "esc_absent"):
            with pytest.raises(NotReadable, match="no such escalation"):
                desk.reviewing.item(BOB, id_)
            with pytest.raises(NotReadable, match="no such escalation"):
                desk.reviewing.claim(BOB, id_, expected=7)


class TestEvidence:
    def test_the_reviewer_sees_what_both_may_read_and_one_bit_of_the_rest(self, desk: Desk):
        opened = desk.opened(ABROAD, PARENTS)

        item = desk.reviewing.item(EVE, opened.id)

        assert [each.passage.text.strip() for each in item.evidence] == [ABROAD]
        assert [sentence.text.strip() for sentence in item.draft] == [ABROAD]
        assert item.evidence[0].cited == (Span(0, len(ABROAD)),)
        assert (item.is_withheld, item.confidence) == (True, None)
        assert PARENTS not in str(item)

    def test_who_may_read_all_of_it_sees_all_of_it(self, desk: Desk):
        desk.catalog.directory.set_groups(EVE.subject, ["group:desk", "group:hr"])
        opened = desk.opened(ABROAD, PARENTS)

        item = desk.reviewing.item(EVE, opened.id)

        assert [each.passage.text.strip() for each in item.evidence] == [ABROAD, PARENTS]
        assert not item.is_withheld
        assert item.confidence == opened.draft.confidence
        assert [each.scores for each in item.evidence] == [{"lexical": 2.0, "fused": 0.5}] * 2

    def test_what_the_asker_may_read_no_more_is_gone_for_the_reviewer(self, desk: Desk):
        desk.catalog.directory.set_groups(EVE.subject, ["group:desk", "group:hr", "group:board"])
        opened = desk.opened(PARENTS)
        desk.story.sync({**FILES, "hr.md": (FILES["hr.md"][0], FILES["board.md"][1])})

        item = desk.reviewing.item(EVE, opened.id)

        assert (item.evidence, item.draft, item.is_withheld) == ((), (), True)

    def test_documents_and_askers_that_vanish_break_nothing(self, desk: Desk):
        claimed = desk.claimed(ABROAD, PARENTS)
        desk.story.sync({"board.md": FILES["board.md"]})
        desk.catalog.directory.set_groups("user:ann", [])

        item = desk.reviewing.item(EVE, claimed.id)
        decided = desk.reviewing.decide(EVE, claimed.id, Decision(Rejection("gone")), expected=claimed.version)

        assert (item.evidence, item.is_withheld) == ((), True)
        assert decided.state is EscalationState.REJECTED
        assert desk.asking.poll(ANN, claimed.id).state is EscalationState.REJECTED


class TestClaims:
    def test_a_claim_is_one_persons_until_its_lease_ends(self, desk: Desk):
        claimed = desk.claimed(ABROAD)

        with pytest.raises(Conflict, match="claimed now, in version 2"):
            desk.reviewing.claim(RAY, claimed.id, expected=2)
        desk.clock.forward(minutes=30)
        taken = desk.reviewing.claim(RAY, claimed.id, expected=2)

        assert (taken.claimed_by, taken.version) == ("user:ray", 3)
        with pytest.raises(Conflict):
            desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=3)

    def test_a_lease_is_renewed_and_given_back(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.clock.forward(minutes=20)
        renewed = desk.reviewing.renew(EVE, claimed.id, expected=2)
        desk.clock.forward(minutes=20)

        released = desk.reviewing.release(EVE, claimed.id, expected=renewed.version)

        assert (released.state, released.claimed_by) == (EscalationState.OPEN, None)
        with pytest.raises(Conflict, match="open now"):
            desk.reviewing.renew(EVE, claimed.id, expected=released.version)

    def test_what_has_lapsed_decides_nothing(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.clock.forward(minutes=30)

        with pytest.raises(Conflict):
            desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)

    def test_an_outdated_view_changes_nothing(self, desk: Desk):
        claimed = desk.claimed(ABROAD)

        for attempt in (desk.reviewing.renew, desk.reviewing.release):
            with pytest.raises(Conflict, match="version 2"):
                attempt(EVE, claimed.id, expected=1)


class TestDecisions:
    def test_an_approved_draft_is_the_answer(self, desk: Desk):
        claimed = desk.claimed(ABROAD, MANAGER)

        decided = desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)
        view = desk.asking.poll(ANN, claimed.id)

        assert (decided.state, decided.delivery) == (EscalationState.ANSWERED, Delivery.WAITING)
        assert [sentence.text.strip() for sentence in view.sentences] == [ABROAD, MANAGER]
        assert [citation.quote.strip() for citation in view.citations] == [ABROAD, MANAGER]
        assert desk.catalog.escalations.get(claimed.id).delivery is Delivery.DELIVERED

    def test_it_is_decided_once(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=2)

        for expected in (2, 3):
            with pytest.raises(Conflict, match="answered now"):
                desk.reviewing.decide(EVE, claimed.id, Decision(Rejection("no")), expected=expected)
        assert len(recorded(desk, "escalation.decided")) == 1

    def test_a_draft_that_is_not_all_seen_is_not_approved(self, desk: Desk):
        claimed = desk.claimed(ABROAD, PARENTS)

        with pytest.raises(InvalidInput, match="as a whole"):
            desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)

    def test_a_quote_must_be_what_stands_there_for_the_reviewer(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        passage, hidden = desk.passages(ANN)[ABROAD], desk.passages(ANN)[PARENTS]
        wrong = {
            "another text": SubmittedCitation(passage.id, passage.span, "Abroad for 90 days."),
            "another place": SubmittedCitation(passage.id, Span(passage.span.start + 1, passage.span.end), passage.text),
            "beyond the passage": SubmittedCitation(passage.id, Span(0, passage.span.end + 5), passage.text),
            "nothing": SubmittedCitation(passage.id, Span(0, 0), ""),
            "not readable": SubmittedCitation(hidden.id, hidden.span, hidden.text),
            "absent": SubmittedCitation("none", passage.span, passage.text),
        }

        for name, citation in wrong.items():
            decision = Decision(Amendment((SubmittedSentence("Yes.", (citation,)),)))
            with pytest.raises(InvalidInput) as refused:
                desk.reviewing.decide(EVE, claimed.id, decision, expected=claimed.version)
            assert [problem.field.removesuffix(".quote") for problem in refused.value.problems] == ["sentences[1].citations[1]"], name

    def test_absent_and_hidden_quotes_are_refused_in_the_same_words(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        hidden = desk.passages(ANN)[PARENTS]
        told = []
        for passage in (hidden.id, "none"):
            decision = Decision(Amendment((SubmittedSentence("x", (SubmittedCitation(passage, hidden.span, hidden.text),)),)))
            with pytest.raises(InvalidInput) as refused:
                desk.reviewing.decide(EVE, claimed.id, decision, expected=claimed.version)
            told.append(str(refused.value))

        assert told[0] == told[1]

    def test_what_no_document_says_has_to_be_confirmed(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        said = (SubmittedSentence("Thirty days, I am sure."),)

        with pytest.raises(InvalidInput, match="own_knowledge"):
            desk.reviewing.decide(EVE, claimed.id, Decision(Amendment(said)), expected=claimed.version)
        desk.reviewing.decide(EVE, claimed.id, Decision(Amendment(said, own_knowledge=True)), expected=claimed.version)

        assert desk.catalog.escalations.get(claimed.id).resolution.kind is ResolutionKind.OWN_KNOWLEDGE
        assert desk.asking.poll(ANN, claimed.id).sentences[0].text == "Thirty days, I am sure."

    def test_a_rejection_says_why_to_reviewers_alone(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        with pytest.raises(InvalidInput, match="reason"):
            desk.reviewing.decide(EVE, claimed.id, Decision(Rejection(" ")), expected=claimed.version)

        desk.reviewing.decide(EVE, claimed.id, Decision(Rejection("no such rule")), expected=claimed.version)

        assert desk.reviewing.item(RAY, claimed.id).resolution.reason == "no such rule"
        assert "no such rule" not in str(desk.asking.poll(ANN, claimed.id))

    @pytest.mark.parametrize(
        ("decision", "is_right"),
        [
            pytest.param("approve", True, id="approved"),
            pytest.param("same", True, id="amended, on the same quotes"),
            pytest.param("other", False, id="amended, on another quote"),
            pytest.param("reject", False, id="rejected"),
        ],
    )
    def test_a_decision_is_a_verdict_on_the_draft(self, desk: Desk, decision: str, is_right: bool):
        claimed = desk.claimed(ABROAD, MANAGER)
        decisions = {
            "approve": Decision(Approval()),
            "same": desk.answering(MANAGER),
            "other": Decision(Amendment((SubmittedSentence("Ask.", (_part_of(desk, MANAGER, 3),)),))),
            "reject": Decision(Rejection("no")),
        }

        desk.reviewing.decide(EVE, claimed.id, decisions[decision], expected=claimed.version)

        (verdict,) = desk.catalog.verdicts.all()
        assert (verdict.about, verdict.by, verdict.is_right, verdict.sources) == (claimed.id, "user:eve", is_right, ("handbook",))
        with desk.catalog.database.read() as connection:
            assert connection.scalar(select(func.count()).select_from(verdicts)) == 1

    def test_the_owner_is_asked_by_giving_it_to_them(self, desk: Desk):
        claimed = desk.claimed(ABROAD)

        given = desk.reviewing.reassign(EVE, claimed.id, expected=claimed.version, note="your rule?")

        assert (given.state, given.reviewers) == (EscalationState.OPEN, ("user:dana",))
        assert (queue(desk, EVE), queue(desk, DANA)) == ([], [claimed.id])
        assert [(line.what, line.by, line.note) for line in desk.reviewing.history(DANA, claimed.id)] == [
            ("opened", "user:ann", ""),
            ("claimed", "user:eve", ""),
            ("reassigned", "user:eve", "your rule?"),
        ]

    @pytest.mark.parametrize("to", ["everyone", "app:intranet", "user:ann", "nobody"])
    def test_it_is_given_to_nobody_who_could_not_review_it(self, desk: Desk, to: str):
        claimed = desk.claimed(ABROAD)

        with pytest.raises(InvalidInput, match="to"):
            desk.reviewing.reassign(EVE, claimed.id, expected=claimed.version, to=[to])


class TestTelling:
    def test_an_answer_that_stands_on_what_the_asker_may_not_read_does_not_exist(self, desk: Desk):
        desk.catalog.directory.set_groups(EVE.subject, ["group:desk", "group:board"])
        told = []
        for decision in (desk.answering(ABROAD, MERGER), Decision(Rejection("no"))):
            claimed = desk.claimed(ABROAD)
            decided = desk.reviewing.decide(EVE, claimed.id, decision, expected=claimed.version)
            view = desk.asking.poll(ANN, claimed.id)
            told.append(replace(view, id=""))
            told.append(replace(desk.asking.mine(ANN, after="", count=1)[0], id=""))

        assert decided.state is EscalationState.REJECTED
        assert told[0] == told[2]
        assert told[1] == told[3]
        assert told[0].state is EscalationState.REJECTED

    def test_the_reviewer_learns_that_it_was_not_delivered(self, desk: Desk):
        desk.catalog.directory.set_groups(EVE.subject, ["group:desk", "group:board"])
        claimed = desk.claimed(ABROAD)

        decided = desk.reviewing.decide(EVE, claimed.id, desk.answering(MERGER), expected=claimed.version)

        assert decided.delivery is Delivery.WITHHELD

    def test_a_revoked_source_takes_the_answer_back_and_a_restored_one_returns_it(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)
        desk.story.sync({**FILES, "travel.md": (FILES["travel.md"][0], FILES["board.md"][1])})

        assert desk.asking.poll(ANN, claimed.id).state is EscalationState.REJECTED
        assert desk.catalog.escalations.get(claimed.id).delivery is Delivery.WITHHELD
        desk.story.sync(FILES)
        assert desk.asking.poll(ANN, claimed.id).state is EscalationState.ANSWERED
        assert desk.catalog.escalations.get(claimed.id).delivery is Delivery.DELIVERED

    def test_sentences_are_dropped_where_the_settings_say_so(self, desk: Desk):
        desk.settings = desk.settings.model_copy(update={"escalation_undeliverable": "drop"})
        desk.catalog.directory.set_groups(EVE.subject, ["group:desk", "group:board"])
        claimed = desk.claimed(ABROAD)
        desk.reviewing.decide(EVE, claimed.id, desk.answering(ABROAD, MERGER), expected=claimed.version)

        view = desk.asking.poll(ANN, claimed.id)

        assert [sentence.text.strip() for sentence in view.sentences] == [ABROAD]
        assert desk.catalog.escalations.get(claimed.id).delivery is Delivery.WITHHELD

    def test_who_asked_is_told_and_nobody_else(self, desk: Desk):
        opened = desk.opened(ABROAD, asker=replace(ANN, through=INTRANET))
        other = Principal("other", PrincipalKind.APP)

        assert desk.asking.poll(ANN, opened.id).id == opened.id
        assert desk.asking.poll(replace(ANN, through=INTRANET), opened.id).id == opened.id
        for stranger in (BOB, EVE, INTRANET, replace(ANN, through=other), replace(BOB, through=INTRANET)):
            for attempt in (desk.asking.poll, desk.asking.withdraw):
                with pytest.raises(NotReadable, match="no such escalation"):
                    attempt(stranger, opened.id)
            assert desk.asking.mine(stranger, after="", count=9) == []

    def test_the_first_delivery_and_every_reading_are_recorded(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)
        for _ in range(3):
            desk.asking.poll(ANN, claimed.id)

        read = recorded(desk, "escalation.read")
        assert [[document["document"] for document in record["documents"]] for record in read] == [[desk.story.document("travel.md")]] * 3
        assert len(recorded(desk, "escalation.delivered")) == 1
        assert [line.what for line in desk.reviewing.history(EVE, claimed.id)] == ["opened", "claimed", "decided", "delivered"]

    def test_ones_own_are_listed_newest_first_page_by_page(self, desk: Desk):
        ids = []
        for number in range(5):
            ids.insert(0, desk.opened(ABROAD, question=f"question {number}").id)
            desk.clock.forward(minutes=number % 2)
        listed, after = [], ""
        while page := desk.asking.mine(ANN, after=after, count=2):
            listed += [view.id for view in page]
            after = page[-1].position

        assert sorted(listed) == sorted(ids)
        assert listed[0] in ids[:2]

    def test_a_question_is_taken_back_once(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.asking.withdraw(ANN, claimed.id)

        with pytest.raises(Conflict, match="withdrawn"):
            desk.asking.withdraw(ANN, claimed.id)
        with pytest.raises(Conflict, match="withdrawn"):
            desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)


class TestQueue:
    def test_filters_leave_what_is_meant(self, desk: Desk):
        first = desk.claimed(ABROAD, question="first")
        desk.clock.forward(hours=23)
        second = desk.asking.open(ANN, desk.draft(ABROAD, question="second", reason=Reason.STALE))
        desk.clock.forward(hours=1)

        wanted = {
            "state": QueueFilter(state=EscalationState.CLAIMED),
            "overdue": QueueFilter(overdue=True),
            "mine": QueueFilter(mine=True),
            "reason": QueueFilter(reason=Reason.LOW_CONFIDENCE),
        }

        assert {name: queue(desk, EVE, wanted[name]) for name in wanted} == {name: [first.id] for name in wanted}
        assert queue(desk, EVE, QueueFilter(reason=Reason.STALE)) == [second.id]
        assert queue(desk, EVE, QueueFilter(source="handbook")) == [first.id, second.id]
        assert queue(desk, EVE, QueueFilter(source="elsewhere")) == []

    def test_pages_follow_each_other_without_gaps(self, desk: Desk):
        ids = [desk.opened(ABROAD, question=f"question {number}").id for number in range(5)]
        listed, after = [], ""
        while page := desk.reviewing.queue(EVE, EVERY, after=after, count=2):
            listed += [entry.id for entry in page]
            after = page[-1].position

        assert listed == sorted(ids)


def test_figures_are_of_what_the_reviewer_may_see(desk: Desk):
    for minutes, decision in ((10, Decision(Approval())), (20, Decision(Rejection("no")))):
        opened = desk.opened(ABROAD)
        desk.clock.forward(minutes=minutes)
        claimed = desk.reviewing.claim(EVE, opened.id, expected=1)
        desk.reviewing.decide(EVE, claimed.id, decision, expected=2)
    desk.opened(ABROAD)
    desk.clock.forward(days=2)

    figures = desk.reviewing.statistics(EVE, days=7)

    assert figures.to_claim.count == 2
    assert (figures.to_decide.median, figures.to_decide.p90) == (600, 1200)
    assert figures.overdue_share == 1 / 3
    assert figures.outcomes == {ResolutionKind.APPROVED: 1, ResolutionKind.REJECTED: 1}
    assert [(day.day, dict(day.by_state)) for day in figures.volume] == [
        ("2026-03-02", {EscalationState.ANSWERED: 1, EscalationState.REJECTED: 1, EscalationState.OPEN: 1})
    ]
    assert [(draft.confidence, draft.is_right) for draft in figures.drafts] == [(0.6, False), (0.6, True)]
    assert desk.reviewing.statistics(BOB, days=7).volume == ()
    with pytest.raises(InvalidInput):
        desk.reviewing.statistics(EVE, days=0)


def _part_of(desk: Desk, text: str, end: int) -> SubmittedCitation:
    passage = desk.passages(EVE)[text]
    span = Span(passage.span.start, passage.span.start + end)
    return SubmittedCitation(passage.id, span, passage.text[:end])
