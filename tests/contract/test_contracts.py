"""How sources stand by their contracts, in the catalog, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import contract_notices, memberships
from retrieval.domain.contract_rules import Verdict
from retrieval.domain.contracts import ContractTerms, PersonalData, Rule
from retrieval.domain.ids import document_id
from retrieval.domain.ingestion import SourceRun
from retrieval.domain.inspected import InspectedText
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.sources import SourceState
from tests.story import ANN, PUBLIC, Story, allow

pytestmark = pytest.mark.contract

TERMS = ContractTerms(freshness_hours=24, min_documents=2, max_centroid_drift=0.5, max_size_drift=0.5)
BROKEN = Verdict(Rule.DOCUMENT_COUNT, passed=False, blocks=True, found="1 documents listed", counts={"documents": 1})
HOLDS = Verdict(Rule.DOCUMENT_COUNT, passed=True, blocks=True, found="2 documents listed", counts={"documents": 2})
HOOK = "app:watch"
A, B = {"a": ("Alpha. One.", PUBLIC)}, {"b": ("Beta. Two.", PUBLIC)}


@pytest.fixture
def story(catalog: Catalog) -> Story:
    catalog.webhooks.register(HOOK, "https://watch.example/hook", secret="whsec_" + "AAAA" * 11, by="cli")
    return Story(catalog)


def promise(story: Story, terms: ContractTerms) -> None:
    spec = story.catalog.sources.get(story.source).spec
    story.catalog.sources.register(replace(spec, contract=terms), by="user:dana")


def told(story: Story) -> list[tuple[str, str]]:
    with story.catalog.database.read() as connection:
        return [(row.told, row.recipient) for row in connection.execute(select(contract_notices).order_by(contract_notices.c.created_at))]


def judge(story: Story, *verdicts: Verdict, run: SourceRun | None = None, terms: ContractTerms = TERMS) -> None:
    named = replace(terms, notify=(HOOK,))
    story.catalog.contract_verdicts.record(story.source, named, verdicts, run=None if run is None else run.id, owner="user:dana")


def test_a_change_is_told_once_and_since_says_when_it_began(story: Story):
    judge(story, BROKEN)
    [before] = story.catalog.health.of([story.source])
    judge(story, BROKEN)
    [after] = story.catalog.health.of([story.source])
    judge(story, HOLDS)
    judge(story, HOLDS)

    assert told(story) == [("broken", HOOK), ("holds", HOOK)]
    assert before.broken[0].since == after.broken[0].since
    assert (after.broken[0].found, after.freshness.state) == ("1 documents listed", "failing")
    assert story.catalog.health.of()[0].broken == ()


def test_a_warning_breaks_nothing(story: Story):
    judge(story, replace(BROKEN, blocks=False))

    assert told(story) == []
    assert [rule.blocks for rule in story.catalog.health.of()[0].broken] == [False]
    assert story.catalog.health.of()[0].freshness.state != "failing"


def test_a_rule_that_is_not_promised_any_more_is_forgotten(story: Story):
    judge(story, BROKEN)

    judge(story, terms=ContractTerms())

    assert story.catalog.health.of()[0].broken == ()
    assert [what for what, _ in told(story)] == ["broken", "holds"]


def test_a_run_may_publish_what_was_judged_in_it_and_holds(story: Story):
    terms = ContractTerms(min_documents=1)
    lost = Verdict(Rule.LOST_DOCUMENTS, passed=True, blocks=True, found="")
    first = story.start()
    judge(story, HOLDS, lost, run=first, terms=terms)
    second = story.start()

    assert story.catalog.contract_verdicts.kept_back(first, terms) == ()
    assert len(story.catalog.contract_verdicts.kept_back(second, terms)) == 2
    judge(story, BROKEN, lost, run=second, terms=terms)
    assert story.catalog.contract_verdicts.kept_back(second, terms) == ("document_count: 1 documents listed",)
    judge(story, replace(BROKEN, blocks=False), lost, run=second, terms=terms)
    assert story.catalog.contract_verdicts.kept_back(second, replace(terms, warn_only=(Rule.DOCUMENT_COUNT,))) == ()


def test_people_of_a_group_are_told_by_mail_where_there_is_mail(catalog: Catalog, story: Story):
    by_mail = type(catalog.contract_verdicts)(catalog.database, by_mail=True)
    with catalog.database.write() as connection:
        connection.execute(insert(memberships), [{"member": f"user:{name}", "group": "group:desk", "managed_by": "cli"} for name in "yx"])

    by_mail.record(story.source, replace(TERMS, notify=("group:desk",)), [BROKEN], run=None, owner="user:dana")

    assert sorted(told(story)) == [("broken", "user:x"), ("broken", "user:y")]


def test_a_listing_is_measured_by_what_it_has_lacks_and_shows_to_nobody(story: Story):
    story.sync({**A, **B, "c": ("Gamma. Three.", PUBLIC)})
    run = story.start()
    story.record(run, {**A, "d": ("Delta.", AccessPolicy()), "e": ("Eta.", allow("user:ann", deny=("user:ann",)))})

    found = story.catalog.contract_measures.listing(run)

    assert (found.listed, found.nobody_reads, found.readable, found.missing) == (3, 2, 3, 2)


def test_documents_are_measured_as_they_would_be_after_publication(story: Story):
    terms = ContractTerms(formats=(".md",), required_metadata={"author": 0}, personal_data=PersonalData.REPORT, personal_kinds=("US_SSN",))
    story.sync({**A, **B})
    run = story.start()
    story.record(run, {"a": ("Alpha, longer. One.", PUBLIC)})
    story.stage(run, {"a": ("Alpha, longer. One.", PUBLIC)})
    staged = next(iter(story.catalog.staging.pending(run, recipe=story.recipe)), None)
    with story.catalog.database.read() as connection:
        hash_ = connection.exec_driver_sql("SELECT text FROM document_versions WHERE state = 'staged'").scalar_one()
    story.catalog.inspections.remember(hash_, "1", InspectedText(personal={"US_SSN": 2, "EMAIL_ADDRESS": 1}, hidden=1))

    found = story.catalog.contract_measures.documents(run, terms, "1")

    assert staged is None
    assert (found.taken, found.quarantined, dict(found.foreign_formats), dict(found.without)) == (1, 0, {"text/plain": 1}, {"author": 1})
    assert (dict(found.personal), found.hidden, found.instructions) == ({"US_SSN": 1}, 1, 0)
    assert story.catalog.inspections.inspected(hash_, "1") == InspectedText(personal={"US_SSN": 2, "EMAIL_ADDRESS": 1}, hidden=1)
    assert story.catalog.inspections.inspected(hash_, "2") is None


def test_drift_is_measured_from_the_last_run_that_was_published(story: Story):
    measures = story.catalog.contract_measures
    first = story.sync(A)
    measures.keep(first, TERMS, story.model)
    run = story.start()
    story.record(run, A)

    assert measures.centroid(run, TERMS, story.model).drift == pytest.approx(0, abs=1e-6)
    assert measures.centroid(run, TERMS, "another@1").drift is None
    assert measures.documents(run, TERMS, "").before == measures.documents(run, TERMS, "").mean_characters == len("Alpha. One.")
    story.record(run, B)
    story.stage(run, B)
    story.embed()
    moved = measures.centroid(run, TERMS, story.model).drift
    assert moved is not None
    assert moved > 0.01


def test_personal_data_takes_a_document_from_all_but_those_whom_both_sides_name(story: Story):
    promise(story, ContractTerms(personal_data=PersonalData.RESTRICT, restricted_to=("group:hr", "group:strangers")))
    files = {"a": ("Alpha. One.", allow("group:all", "group:hr", "user:ann", deny=("user:bob",))), **B}
    run = story.sync(files)
    assert story.catalog.documents.document(ANN, document_id(story.source, "a")).text == "Alpha. One."
    with story.catalog.database.read() as connection:
        hash_ = connection.exec_driver_sql("SELECT text FROM document_versions WHERE title = 'a'").scalar_one()
    story.catalog.inspections.remember(hash_, "1", InspectedText(personal={"US_SSN": 1}))
    before = story.catalog.revision()

    terms = story.catalog.sources.get(story.source).spec.contract
    assert story.catalog.inspections.restrict(run, terms) == 1

    assert story.catalog.revision() > before
    held = {key: grants_of(story, key) for key in "ab"}
    assert held == {"a": {"allow group:hr", "deny user:bob"}, "b": {"allow everyone"}}
    again = story.catalog.revision()
    story.sync(files)
    assert (grants_of(story, "a"), story.catalog.revision()) == ({"allow group:hr", "deny user:bob"}, again)


def grants_of(story: Story, key: str) -> set[str]:
    query = "SELECT g.effect, g.subject FROM grants g JOIN documents d ON d.access_class = g.access_class WHERE d.key = "
    with story.catalog.database.read() as connection:
        return {f"{row[0]} {row[1]}" for row in connection.exec_driver_sql(f"{query}'{key}'")}


def test_freshness_is_told_of_the_sources_that_were_asked_for(story: Story):
    promise(story, replace(TERMS, freshness_hours=1))
    other = Story(story.catalog, source="wiki")
    story.sync(A)
    health = story.catalog.health

    assert set(health.freshness([story.source])) == {story.source}
    assert health.freshness([]) == {}
    assert health.freshness([story.source])[story.source].state == "fresh"
    assert health.freshness([other.source])[other.source].objective_hours == 0


def test_the_rollup_leaves_retired_sources_out_and_counts_what_is_current(story: Story):
    story.sync({**A, **B})
    Story(story.catalog, source="wiki")
    story.catalog.publishing.retire("wiki", by="user:dana")

    [health] = story.catalog.health.of()

    assert (health.source, health.documents, health.quarantined, health.state) == ("handbook", 2, 0, SourceState.ACTIVE)
    assert health.age_hours is not None
    assert timedelta(hours=health.age_hours) < timedelta(hours=1)
