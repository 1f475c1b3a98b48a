"""Answers given, what is said of them, gaps and forgetting, on both databases."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.answers import AnswerOutcome, Reason
from retrieval.domain.audit import OPERATOR
from retrieval.domain.calibration import JudgedAnswer, VerdictOrigin
from retrieval.domain.errors import NotReadable
from retrieval.domain.feedback import AnswerGiven, Feedback, FeedbackKind, GivenCitation
from retrieval.domain.gaps import Gap, GapKind
from retrieval.domain.permissions import Principal
from retrieval.ports.learning import Lesson
from tests.curated import IN_A_WEEK, NOON, quoting
from tests.story import ANN, PUBLIC, Story

pytestmark = pytest.mark.contract

GIVEN = AnswerGiven(
    request_id="r1",
    asker="user:ann",
    through="app:intranet",
    question="How long is leave? Ω",
    outcome=AnswerOutcome.ANSWERED,
    reason=None,
    citations=(GivenCitation("cit_1", "doc_1", "handbook"), GivenCitation("cit_2", "doc_2", "wiki")),
    sources=("handbook", "wiki"),
    signals={"score": 0.5},
    confidence_model="confidence@1",
    generator="extractive",
    prompt=None,
    curated=None,
    at=NOON,
)
ABSTAINED = replace(GIVEN, request_id="r2", outcome=AnswerOutcome.ABSTAINED, reason=Reason.NOTHING_FOUND, citations=(), signals={})
VERDICT = JudgedAnswer(
    "r1", "user:ann", VerdictOrigin.FEEDBACK, is_right=True, signals={"score": 0.5}, sources=("handbook",), risk_tier="standard", at=NOON
)
GAP = Gap("handbook", GapKind.UNANSWERED, "r2", NOON, "user:ann", "What of parental leave?")


@dataclass
class FixedClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def catalog(make_catalog: Callable[..., Catalog]) -> Catalog:
    return make_catalog(clock=FixedClock())


def said(kind: FeedbackKind, *, note: str = "", citation: str | None = None) -> Feedback:
    return Feedback("r1", "user:ann", kind, citation, note, NOON)


def test_an_answer_is_read_as_it_was_kept_by_whom_it_was_given_to(catalog: Catalog):
    catalog.learning.given.keep(GIVEN)

    assert catalog.learning.given.of("user:ann", "r1") == GIVEN
    for asker, request_id in (("user:bob", "r1"), ("app:intranet", "r1"), ("user:ann", "r9")):
        with pytest.raises(NotReadable) as absent:
            catalog.learning.given.of(asker, request_id)
        assert str(absent.value) == "there is no such answer, or it was not given to you"


def test_no_question_and_no_note_is_kept_in_clear_and_forgetting_queries_forgets_them(catalog: Catalog):
    catalog.learning.given.keep(GIVEN, [GAP])
    catalog.learning.given.give(said(FeedbackKind.WRONG, note="secretive note"), [], verdict=None)

    with catalog.database.read() as connection:
        rows = [str(row) for table in ("answers_given", "feedback", "gaps") for row in connection.execute(text(f"SELECT * FROM {table}"))]
    assert len(rows) == 3
    assert not [row for row in rows for words in ("leave", "secretive") if words in row]
    catalog.audit.forget_queries(OPERATOR)

    assert catalog.learning.given.of("user:ann", "r1").question is None
    assert catalog.learning.given.said("user:ann", "r1")[0].note == ""
    assert catalog.learning.gaps.of(["handbook"], month="2026-03", most=9)[0].question is None


def test_the_same_said_again_replaces_it_and_its_gaps(catalog: Catalog):
    given, outdated = catalog.learning.given, GapKind.OUTDATED
    given.keep(GIVEN)
    for note, source in (("old", "handbook"), ("new", "wiki")):
        given.give(said(FeedbackKind.OUTDATED, note=note), [Gap(source, outdated, "r1", NOON, "user:ann", note=note)], verdict=None)

    assert [(each.kind, each.note) for each in given.said("user:ann", "r1")] == [(FeedbackKind.OUTDATED, "new")]
    assert [(gap.source, gap.note) for gap in catalog.learning.gaps.of(["handbook", "wiki"], month="2026-03", most=9)] == [("wiki", "new")]

    assert given.withdraw("user:ann", "r1", FeedbackKind.OUTDATED, verdict=None) == []
    assert given.withdraw("user:ann", "r1", FeedbackKind.OUTDATED, verdict=None) == []
    assert catalog.learning.gaps.of(["handbook", "wiki"], month="2026-03", most=9) == []


def test_helpful_and_wrong_take_each_other_back_and_the_verdict_follows(catalog: Catalog):
    given = catalog.learning.given
    given.keep(GIVEN)

    def verdicts() -> list[bool]:
        return [verdict.is_right for verdict in catalog.verdicts.all()]

    given.give(said(FeedbackKind.HELPFUL), [], verdict=VERDICT)
    assert verdicts() == [True]
    given.give(said(FeedbackKind.WRONG), [], verdict=VERDICT)
    assert verdicts() == [False]
    assert [each.kind for each in given.said("user:ann", "r1")] == [FeedbackKind.WRONG]
    given.give(said(FeedbackKind.OUTDATED), [], verdict=VERDICT)
    assert verdicts() == [False]
    given.withdraw("user:ann", "r1", FeedbackKind.WRONG, verdict=VERDICT)
    assert verdicts() == []


def test_people_who_judge_a_curated_answer_are_counted_once(catalog: Catalog):
    given = catalog.learning.given
    for number, (asker, kind) in enumerate(
        [
            ("user:ann", FeedbackKind.WRONG),
            ("user:ann", FeedbackKind.CITATION_WRONG),
            ("user:bob", FeedbackKind.WRONG),
            ("user:cyd", FeedbackKind.HELPFUL),
            ("user:dan", FeedbackKind.OUTDATED),
        ]
    ):
        given.keep(replace(GIVEN, request_id=f"c{number}", asker=asker, curated="cur_1"))
        given.give(replace(said(kind), request_id=f"c{number}", asker=asker), [], verdict=None)
    given.keep(replace(GIVEN, curated="cur_2"))
    given.give(said(FeedbackKind.WRONG), [], verdict=None)

    assert given.judged("cur_1") == (1, 2)
    assert given.judged("cur_none") == (0, 0)


def test_forgetting_a_person_leaves_everybody_elses(catalog: Catalog):
    Story(catalog).sync({"a.md": ("Alpha. Beta.", PUBLIC)})
    learning = catalog.learning
    story = Story(catalog, runs=1)
    curated = learning.curated.add(quoting(story, "a.md", reader=ANN, asked_by="user:ann"), expires_at=IN_A_WEEK)
    learning.given.keep(GIVEN, [GAP])
    learning.given.keep(replace(GIVEN, request_id="b1", asker="user:bob"), [replace(GAP, about="b1", asker="user:bob")])
    learning.given.give(said(FeedbackKind.WRONG), [], verdict=None)

    assert learning.forgetting.forget("user:ann", by="app:cli") == 1

    with pytest.raises(NotReadable):
        learning.given.of("user:ann", "r1")
    assert learning.given.of("user:bob", "b1").question == GIVEN.question
    assert [gap.asker for gap in learning.gaps.of(["handbook"], month="2026-03", most=9)] == ["user:bob"]
    assert learning.curated.get(curated.id) == curated
    with catalog.database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM curated_answers WHERE asked_by IS NOT NULL")) == 0


def test_what_is_old_is_forgotten_answers_before_gaps(catalog: Catalog):
    learning = catalog.learning
    learning.given.keep(GIVEN, [GAP])
    learning.given.give(said(FeedbackKind.WRONG), [], verdict=None)
    learning.given.keep(replace(GIVEN, request_id="new", at=NOON + timedelta(days=9)))

    forgotten = learning.forgetting.forget_before(answers_before=NOON + timedelta(days=1), gaps_before=NOON)

    assert forgotten == 1
    assert learning.given.of("user:ann", "new")
    assert len(learning.gaps.of(["handbook"], month="2026-03", most=9)) == 1
    learning.forgetting.forget_before(answers_before=NOON, gaps_before=NOON + timedelta(seconds=1))
    assert learning.gaps.of(["handbook"], month="2026-03", most=9) == []


def test_a_lesson_is_learned_once_however_often_it_is_taught(catalog: Catalog):
    story = Story(catalog)
    story.sync({"a.md": ("Alpha. Beta.", PUBLIC)})
    lesson = Lesson(quoting(story, "a.md", reader=ANN, escalation="esc_7"), (replace(GAP, kind=GapKind.MARKED, about="esc_7"),))

    assert catalog.learning.lessons.progress() == ""
    first = catalog.learning.lessons.learn([lesson], expires_at=IN_A_WEEK, progress="2026|esc_7")
    again = catalog.learning.lessons.learn([lesson, Lesson(None, ())], expires_at=IN_A_WEEK + timedelta(days=1), progress="2026|esc_8")

    assert first == again
    assert catalog.learning.lessons.progress() == "2026|esc_8"
    assert len(catalog.learning.gaps.of(["handbook"], month="2026-03", most=9)) == 1


def test_a_lesson_that_cannot_be_kept_leaves_nothing(catalog: Catalog):
    story = Story(catalog)
    story.sync({"a.md": ("Alpha. Beta.", PUBLIC)})
    draft = quoting(story, "a.md", reader=ANN, escalation="esc_7")
    astray = replace(draft, sentences=tuple(replace(s, cites=tuple(replace(c, passage="none") for c in s.cites)) for s in draft.sentences))

    with pytest.raises(Exception, match="constraint"):
        catalog.learning.lessons.learn([Lesson(astray, (GAP,))], expires_at=IN_A_WEEK, progress="2026|esc_7")

    assert catalog.learning.lessons.progress() == ""
    assert catalog.learning.gaps.of(["handbook"], month="2026-03", most=9) == []


def test_an_owner_is_a_person_or_a_group_and_a_credentials_reach_holds(catalog: Catalog):
    Story(catalog)  # owned by user:dana
    catalog.directory.set_groups("user:eve", ["group:owners"])

    assert catalog.learning.gaps.owned(Principal("dana")) == ("handbook",)
    assert catalog.learning.gaps.owned(Principal("dana", sources=frozenset({"wiki"}))) == ()
    assert catalog.learning.gaps.owned(Principal("eve")) == ()
