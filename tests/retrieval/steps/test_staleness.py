"""What is too old to be relied on, by its owner's word and the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retrieval.domain.answer_policy import AnswerPolicy
from retrieval.steps.staleness import stale_sentences, too_old
from tests.retrieval.steps.evidence_of import evidence, passage, quote, unsupported

NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEARLY = {"handbook": AnswerPolicy(source="handbook", max_age_days=365)}
OLD = passage("Leave is 30 days a year for all employees.", document="doc_old", modified_at="2024-01-01T00:00:00Z")
FRESH = passage("Leave is 30 days a year for all employees!", document="doc_fresh", modified_at="2026-05-01")
CHANGED = passage("Leave is 25 days a year for all employees.", document="doc_changed", modified_at="2026-05-01")


@pytest.mark.parametrize(
    ("modified_at", "expected"),
    [
        pytest.param((NOW - timedelta(days=365)).isoformat(), False, id="as-old-as-it-may-be"),
        pytest.param((NOW - timedelta(days=365, seconds=1)).isoformat(), True, id="a-second-older"),
        pytest.param("2020-01-01", True, id="a-date-alone"),
        pytest.param("2020-01-01T00:00:00+05:00", True, id="another-time-zone"),
        pytest.param(None, False, id="no-date"),
        pytest.param("last spring", False, id="no-readable-date"),
    ],
)
def test_a_document_is_too_old_when_it_was_modified_longer_ago_than_its_source_says(modified_at: str | None, expected: bool):
    found = passage("Leave is 30 days.", modified_at=modified_at)

    assert too_old([found], YEARLY, NOW) == (frozenset({found.id}) if expected else frozenset())


@pytest.mark.parametrize(
    "policies", [pytest.param({}, id="no-policy"), pytest.param({"handbook": AnswerPolicy(source="handbook")}, id="no-age-named")]
)
def test_where_the_owner_names_no_age_nothing_is_too_old(policies: dict[str, AnswerPolicy]):
    assert stale_sentences([quote(OLD)], [evidence(OLD)], policies, now=NOW) == ()


def test_a_sentence_is_stale_when_all_that_it_stands_on_is_too_old():
    on_both = replace(quote(OLD), also=(quote(CHANGED).citation,))
    found = [evidence(OLD), evidence(CHANGED)]

    assert stale_sentences([quote(OLD), quote(CHANGED), on_both, unsupported()], found, YEARLY, now=NOW) == (quote(OLD),)


def test_a_sentence_that_stands_on_something_fresh_as_well_is_not_stale():
    on_both = replace(quote(OLD), also=(quote(CHANGED).citation,))

    assert stale_sentences([on_both], [evidence(OLD)], YEARLY, now=NOW) == ()


def test_fresher_evidence_that_says_the_same_keeps_a_sentence_from_being_stale():
    assert stale_sentences([quote(OLD)], [evidence(OLD), evidence(FRESH)], YEARLY, now=NOW) == ()


def test_fresher_evidence_with_another_number_does_not():
    assert stale_sentences([quote(OLD)], [evidence(OLD), evidence(CHANGED)], YEARLY, now=NOW) == (quote(OLD),)
