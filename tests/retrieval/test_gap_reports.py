"""Gap reports: whose words are shown to owners, what counts as one question, and what feedback tells to whom."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.answers import Answer, AnswerOutcome, Reason, Retrieved
from retrieval.domain.audit import AuditAction, AuditFilter
from retrieval.domain.errors import InvalidInput
from retrieval.domain.feedback import AnswerGiven, FeedbackKind, GivenCitation
from retrieval.domain.gaps import NO_SOURCE, Gap, GapGroup, GapKind
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.learning_service.gap_reports import GapReports
from retrieval.learning_service.hearing import Hearing
from retrieval.learning_service.promises import has_promise
from retrieval.ports.learning import Lesson
from retrieval.services import Services
from retrieval.settings import Settings
from tests.api.conftest import FakeClock, FakeEmbedder
from tests.curated import IN_A_WEEK, NOON
from tests.story import Story

DANA, INTRANET = Principal("dana"), Principal("intranet", PrincipalKind.APP)
QUESTION = "How long is parental leave?"


@pytest.fixture
def catalog(settings: Settings) -> Iterator[Catalog]:
    catalog = open_catalog(settings)
    Story(catalog)
    Story(catalog, source="wiki")
    yield catalog
    catalog.close()


def told(catalog: Catalog, gaps: Sequence[Gap], settings: Settings | None = None) -> list[GapGroup]:
    """What Dana, who owns both sources, is told of them."""
    catalog.learning.lessons.learn([Lesson(None, tuple(gaps))], expires_at=IN_A_WEEK, progress="")
    reports = GapReports(settings or Settings(), FakeClock(), catalog.learning.gaps, FakeEmbedder(), catalog.audit)
    return list(reports.owned(DANA, month="2026-03"))


def asked(number: int, question: str, asker: str, **options: object) -> Gap:
    return Gap("handbook", GapKind.UNANSWERED, f"r{number}", NOON, asker, question, **options)  # type: ignore[arg-type]


def test_words_are_shown_from_the_third_person_on_however_often_two_have_asked(catalog: Catalog):
    by_two = [asked(number, QUESTION, f"user:{number % 2}") for number in range(6)]
    [hidden] = told(catalog, by_two)
    [shown] = told(catalog, [asked(9, "how long is  parental leave", "user:third")])

    assert (hidden.question, hidden.topics, hidden.occasions) == (None, (), 6)
    assert (shown.question, shown.occasions) == (QUESTION, 7)


def test_near_duplicates_are_one_question_and_the_wording_shown_is_nobodys_own(catalog: Catalog):
    common = "How many weeks of parental leave may fathers take"
    gaps = [asked(number, f"{common}?", f"user:{number}") for number in range(2)]
    gaps += [asked(number, f"{common} twins?", f"user:{number}") for number in (5, 6)]
    gaps += [asked(number, "How many days of parental leave may fathers take?", f"user:{number}") for number in (7, 8)]

    shown, others = told(catalog, gaps, Settings(curated_min_overlap=0.8))

    assert (shown.question, shown.occasions) == (f"{common}?", 4)
    assert (others.question, others.occasions) == (None, 2)


def test_terms_that_enough_people_used_are_topics_where_the_words_are_not_shown(catalog: Catalog):
    gaps = [asked(n, f"parental leave {word}", f"user:{n}") for n, word in enumerate(("secret", "twins", "abroad"))]

    [group] = told(catalog, gaps)

    assert (group.question, group.topics) == (None, ("leav", "parental"))


def test_the_words_of_an_applications_users_are_never_shown_if_that_was_promised(catalog: Catalog):
    gaps = [asked(number, QUESTION, f"user:{number}", topics_only=True) for number in range(5)]
    gaps += [Gap("wiki", GapKind.MARKED, "e1", NOON, "user:1", QUESTION, topics_only=True, note="a page")]

    handbook, wiki = told(catalog, gaps)

    assert (handbook.question, handbook.topics) == (None, ("leav", "long", "parental"))
    assert (wiki.question, wiki.notes, wiki.topics) == (None, (), ())


def test_who_is_promised_that(catalog: Catalog):
    ann, through = Principal("ann"), Principal("ann", through=INTRANET)
    some = Settings(gap_topics_only_applications="app:hr, app:intranet")

    assert [has_promise(each, some) for each in (ann, through, INTRANET)] == [False, True, True]
    assert [has_promise(each, Settings()) for each in (ann, through, INTRANET)] == [False, False, False]
    assert has_promise(ann, Settings(gap_topics_only_applications="*"))


def test_what_is_nobodys_is_told_to_no_owner_and_to_the_operator(catalog: Catalog):
    nobodys = replace(asked(1, QUESTION, "user:1"), source=NO_SOURCE)

    assert told(catalog, [nobodys]) == []
    reports = GapReports(Settings(), FakeClock(), catalog.learning.gaps, FakeEmbedder(), catalog.audit)
    assert [group.source for group in reports.told([NO_SOURCE, "handbook"], month="2026-03")] == [NO_SOURCE]


def test_a_month_is_a_month_and_reading_is_recorded(catalog: Catalog):
    reports = GapReports(Settings(), FakeClock(), catalog.learning.gaps, FakeEmbedder(), catalog.audit)

    with pytest.raises(InvalidInput, match="month"):
        reports.owned(DANA, month="2026-3")
    reports.owned(DANA, source="handbook")

    [record] = catalog.audit.read(DANA, AuditFilter(action=AuditAction.GAPS_READ), limit=9)
    assert record.fields["details"] == {"sources": ["handbook"], "month": "2026-03"}


@pytest.fixture
def hearing(catalog: Catalog, settings: Settings) -> Hearing:
    services = Services(settings=settings, catalog=catalog, knowledge=None, clock=FakeClock(NOON))  # type: ignore[arg-type]
    learning = catalog.learning
    return Hearing(
        settings, FakeClock(NOON), learning.given, catalog.answer_policies, learning.curated, learning.shown, services.escalations
    )


def given(**changes: object) -> AnswerGiven:
    cited = (GivenCitation("cit_1", "doc_1", "handbook"), GivenCitation("cit_2", "doc_2", "wiki"))
    answer = AnswerGiven(
        "r1", "user:ann", None, QUESTION, AnswerOutcome.ANSWERED, None, cited, (), {"s": 0.5}, "c@1", "x", None, None, NOON
    )
    return replace(answer, **changes)  # type: ignore[arg-type]


def test_a_note_goes_to_the_one_owner_whose_document_it_is_about(catalog: Catalog, hearing: Hearing):
    catalog.learning.given.keep(given())

    hearing.give(Principal("ann"), "r1", FeedbackKind.OUTDATED, note="the wiki says more")
    hearing.give(Principal("ann"), "r1", FeedbackKind.CITATION_WRONG, citation="cit_2", note="it does not")

    found = catalog.learning.gaps.of(["handbook", "wiki"], month="2026-03", most=9)
    assert sorted((gap.kind.value, gap.source, gap.document, gap.note) for gap in found) == [
        ("citation_wrong", "wiki", "doc_2", "it does not"),
        ("outdated", "handbook", "doc_1", ""),
        ("outdated", "wiki", "doc_2", ""),
    ]


def test_only_an_answer_of_its_own_confidence_makes_a_verdict(catalog: Catalog, hearing: Hearing):
    catalog.learning.given.keep(given(request_id="abstained", outcome=AnswerOutcome.ABSTAINED))
    catalog.learning.given.keep(given(request_id="unsure", signals={}))
    for request_id in ("abstained", "unsure"):
        hearing.give(Principal("ann"), request_id, FeedbackKind.WRONG)
    catalog.learning.given.keep(given())

    hearing.give(Principal("ann"), "r1", FeedbackKind.WRONG)

    [verdict] = catalog.verdicts.all()
    assert (verdict.about, verdict.is_right, verdict.sources, verdict.risk_tier) == ("r1", False, ("handbook", "wiki"), "standard")


def abstained(reason: Reason) -> Answer:
    return Answer(AnswerOutcome.ABSTAINED, (), reason, Retrieved((), revision=1))


def test_what_found_nothing_is_a_gap_of_the_sources_that_were_asked(catalog: Catalog, hearing: Hearing):
    hearing.keep(Principal("ann"), QUESTION, abstained(Reason.NOTHING_FOUND), sources=("handbook", "wiki"), request_id="r1")
    hearing.keep(Principal("ann"), QUESTION, abstained(Reason.NOTHING_FOUND), request_id="r2")
    hearing.keep(Principal("ann"), QUESTION, abstained(Reason.LOW_CONFIDENCE), sources=("handbook",), request_id="r3")

    found = catalog.learning.gaps.of(["handbook", "wiki", NO_SOURCE], month="2026-03", most=9)
    assert sorted((gap.source, gap.about) for gap in found) == [("", "r2"), ("handbook", "r1"), ("wiki", "r1")]
