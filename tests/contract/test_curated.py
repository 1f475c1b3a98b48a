"""Curated answers on both databases: kept once, changed with a record, shown to those who read all that they cite, true to their quotes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.audit import AuditFilter
from retrieval.domain.curated import CuratedDraft, CuratedState
from retrieval.domain.errors import Conflict, InvalidInput, NotReadable
from retrieval.domain.escalations import HeldSentence
from retrieval.domain.gaps import GapKind
from retrieval.ports.learning import CuratedChange
from tests.curated import IN_A_WEEK, NOON, curate, quoting
from tests.story import ANN, BOB, PUBLIC, Story, allow

pytestmark = pytest.mark.contract

FILES = {
    "leave.md": ("Leave is 30 days. Ask early.", PUBLIC),
    "board.md": ("The board meets in May. It is secret.", allow("user:ann")),
}


@dataclass
class FixedClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def catalog(make_catalog: Callable[..., Catalog], clock: FixedClock) -> Catalog:
    return make_catalog(clock=clock)


@pytest.fixture
def story(catalog: Catalog) -> Story:
    story = Story(catalog)
    story.sync(FILES)
    return story


def test_one_is_read_as_it_was_written(catalog: Catalog, story: Story):
    draft = quoting(story, "leave.md", "board.md", reader=ANN)

    added = catalog.learning.curated.add(draft, expires_at=IN_A_WEEK)

    kept = catalog.learning.curated.get(draft.id)
    assert kept == added
    assert (kept.sentences, kept.question, kept.by, kept.at) == (draft.sentences, "How long?", "user:rita", NOON)
    assert (kept.state, kept.number, kept.expires_at) == (CuratedState.ACTIVE, 1, IN_A_WEEK)


def test_an_escalation_makes_one_whatever_has_become_of_it(catalog: Catalog, story: Story):
    added = curate(story, "leave.md", reader=ANN)
    catalog.learning.curated.retire(CuratedChange("user:rita", added.id))

    again = curate(story, "leave.md", reader=ANN)

    assert again.id == added.id
    assert again.state is CuratedState.RETIRED


def test_what_no_document_says_is_curated_for_nobody():
    with pytest.raises(InvalidInput, match="cite"):
        CuratedDraft("esc_1", "How long?", "user:ann", "user:rita", (HeldSentence("As long as you like."),))


def test_who_reads_all_that_it_cites_is_shown_it_with_its_quotes(catalog: Catalog, story: Story):
    added = curate(story, "leave.md", "board.md", reader=ANN)

    shown = catalog.learning.shown.open(ANN, added.id)

    assert [sentence.text for sentence in shown.sentences] == ["Leave is 30 days.", "The board meets in May."]
    assert [citation.quote for sentence in shown.sentences for citation in sentence.citations] == [s.text for s in shown.sentences]
    assert {passage.document for passage in shown.passages} == {story.document("leave.md"), story.document("board.md")}


def test_who_may_not_read_one_of_them_finds_none(catalog: Catalog, story: Story):
    added = curate(story, "leave.md", "board.md", reader=ANN)

    for curated in (added.id, "cur_none"):
        with pytest.raises(NotReadable) as absent:
            catalog.learning.shown.open(BOB, curated)
        assert str(absent.value) == "there is no such curated answer, or you may not read it"
    assert catalog.learning.shown.readable(BOB, state=None, after="", count=10) == ()


def test_lists_page_over_what_is_readable(catalog: Catalog, story: Story):
    public = [curate(story, "leave.md", reader=ANN, escalation=f"esc_{n}").id for n in range(5)]
    hidden = [curate(story, "board.md", reader=ANN, escalation=f"esc_hidden_{n}").id for n in range(5)]

    first = catalog.learning.shown.readable(BOB, state=None, after="", count=3)
    rest = catalog.learning.shown.readable(BOB, state=None, after=first[-1].answer.id, count=3)

    assert [each.answer.id for each in (*first, *rest)] == sorted(public)
    everything = catalog.learning.shown.readable(ANN, state=None, after="", count=20)
    assert {each.answer.id for each in everything} == {*public, *hidden}


def test_a_list_is_of_one_state_by_the_clock(catalog: Catalog, story: Story, clock: FixedClock):
    short = curate(story, "leave.md", reader=ANN, escalation="esc_short", expires_at=NOON + timedelta(days=1))
    long = curate(story, "leave.md", reader=ANN, escalation="esc_long")
    clock.at = NOON + timedelta(days=1)

    def listed(state: CuratedState) -> list[str]:
        return [each.answer.id for each in catalog.learning.shown.readable(BOB, state=state, after="", count=10)]

    assert listed(CuratedState.ACTIVE) == [long.id]
    assert listed(CuratedState.EXPIRED) == [short.id]
    assert listed(CuratedState.RETIRED) == []


def test_a_change_names_the_number_that_was_seen_and_is_recorded(catalog: Catalog, story: Story):
    added = curate(story, "leave.md", reader=ANN)

    renewed = catalog.learning.curated.renew(CuratedChange("user:rita", added.id, 1), expires_at=IN_A_WEEK + timedelta(days=1))
    with pytest.raises(Conflict, match="number 2"):
        catalog.learning.curated.retire(CuratedChange("user:rita", added.id, 1))
    retired = catalog.learning.curated.retire(CuratedChange("user:rita", added.id, renewed.number))
    with pytest.raises(Conflict, match="retired"):
        catalog.learning.curated.renew(CuratedChange("user:rita", added.id), expires_at=IN_A_WEEK)

    records = catalog.audit.read(ANN, AuditFilter(document=story.document("leave.md")), limit=10)
    said = [(r.fields["action"], r.fields["outcome"]) for r in records if str(r.fields["action"]).startswith("curated")]
    assert said == [("curated.changed", "retired"), ("curated.changed", "renewed"), ("curated.added", "added")]
    assert (renewed.number, retired.number) == (2, 3)


def test_paraphrases_are_replaced_and_each_is_kept_once(catalog: Catalog, story: Story):
    added = curate(story, "leave.md", reader=ANN)

    changed = catalog.learning.curated.ask_as(CuratedChange("user:rita", added.id), ["How much leave?", "How much leave?", "Leave?"])

    assert changed.paraphrases == ("How much leave?", "Leave?")
    assert catalog.learning.curated.get(added.id) == changed


def test_enough_who_say_it_is_wrong_suspend_it_until_somebody_renews_it(catalog: Catalog, story: Story):
    added = curate(story, "leave.md", reader=ANN)

    doubted = catalog.learning.curated.judge(added.id, right=1, wrong=2, suspend=False)
    suspended = catalog.learning.curated.judge(added.id, right=1, wrong=3, suspend=True)
    renewed = catalog.learning.curated.renew(CuratedChange("user:rita", added.id), expires_at=IN_A_WEEK)

    assert (doubted.state, doubted.probability) == (CuratedState.ACTIVE, (19 + 1) / (20 + 3))
    assert suspended.state is CuratedState.SUSPENDED
    assert renewed.state is CuratedState.ACTIVE


def test_a_quote_is_followed_to_where_it_stands_in_the_new_version(catalog: Catalog, story: Story):
    added = curate(story, "leave.md", reader=ANN)
    story.sync({**FILES, "leave.md": ("Ask early, please. Leave is 30 days. And enjoy it.", PUBLIC)})
    assert not catalog.learning.shown.open(BOB, added.id).is_intact

    assert catalog.learning.anchoring.anchor(most=10) == []

    shown = catalog.learning.shown.open(BOB, added.id)
    citation = shown.sentences[0].citations[0]
    assert (citation.quote, citation.version_number, citation.span.start) == ("Leave is 30 days.", 2, len("Ask early, please. "))
    assert catalog.learning.curated.get(added.id).number == 2
    assert catalog.learning.anchoring.anchor(most=10) == []
    assert catalog.learning.curated.get(added.id).number == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Leave is 28 days. Ask early.", id="the quote is gone"),
        pytest.param("Leave is 30 days. Leave is 30 days. Ask early.", id="the quote stands there twice"),
        pytest.param("Leave is 30  days. Ask early.", id="a space more"),
    ],
)
def test_a_quote_that_does_not_stand_there_once_makes_it_stale_and_tells_the_owner(catalog: Catalog, story: Story, text: str):
    added = curate(story, "leave.md", reader=ANN)
    story.sync({**FILES, "leave.md": (text, PUBLIC)})

    stale = catalog.learning.anchoring.anchor(most=10)

    assert [(each.id, each.state) for each in stale] == [(added.id, CuratedState.STALE)]
    assert catalog.learning.shown.open(BOB, added.id).sentences == ()
    gaps = catalog.learning.gaps.of(["handbook"], month="2026-03", most=10)
    assert [(gap.kind, gap.document, gap.asker) for gap in gaps] == [(GapKind.STALE, story.document("leave.md"), None)]
    assert catalog.learning.anchoring.anchor(most=10) == []


def test_a_withdrawn_document_hides_it_until_it_is_back(catalog: Catalog, story: Story):
    added = curate(story, "leave.md", reader=ANN)
    story.sync({"board.md": FILES["board.md"]})

    assert catalog.learning.anchoring.anchor(most=10) == []
    with pytest.raises(NotReadable):
        catalog.learning.shown.open(ANN, added.id)
    story.sync(FILES)
    catalog.learning.anchoring.anchor(most=10)

    assert catalog.learning.shown.open(ANN, added.id).is_intact


def test_the_feed_tells_what_is_new_and_nothing_twice(catalog: Catalog, story: Story):
    feed = catalog.learning.feed
    before = feed.news(change=-1, revision=-1)
    added = curate(story, "leave.md", reader=ANN)

    first = feed.news(change=before.change, revision=before.revision)
    nothing = feed.news(change=first.change, revision=first.revision)
    story.sync({**FILES, "leave.md": ("Leave is 31 days. Ask early.", PUBLIC)})
    moved = feed.news(change=first.change, revision=first.revision)

    assert first.answers == (added,)
    assert list(first.documents) == [story.document("leave.md")]
    assert (nothing.answers, dict(nothing.documents)) == ((), {})
    assert moved.answers == ()
    assert moved.documents[story.document("leave.md")].version != first.documents[story.document("leave.md")].version
