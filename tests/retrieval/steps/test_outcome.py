"""What becomes of a question: every row of the table, and every combination of what can hold."""

from dataclasses import replace
from itertools import product

import pytest

from retrieval.domain.answer_policy import AnswerPolicy, EscalationMode, OnUnsupported, RiskTier
from retrieval.domain.answers import AnswerOutcome, Confidence, Conflict, Reason
from retrieval.domain.documents import Span
from retrieval.steps.outcome import Findings, decide, outweighed, overlap, weighed
from tests.retrieval.steps.evidence_of import evidence, passage, quote, unsupported

POLICY = passage("Leave is 30 days.", document="doc_policy", source="policies", modified_at="2020-01-01")
WIKI = passage("Leave is 25 days.", document="doc_wiki", source="wiki", modified_at="2026-01-01")
OTHER = passage("Leave is 28 days.", document="doc_other", source="wiki")
ANSWER = quote(POLICY)
CONFLICT = Conflict(ANSWER.citation, quote(WIKI).citation, "30 days / 25 days", ("2020-01-01", "2026-01-01"), (50, 50))
SURE, UNSURE = Confidence(0.9, 0.8, "confidence@1"), Confidence(0.7, 0.8, "confidence@1")

AUTOMATIC, ON_REQUEST, NEVER = EscalationMode
DROP, FLAG, ESCALATE = OnUnsupported
ANSWERED, ABSTAINED, ESCALATED = AnswerOutcome

WHO_LOOKS = {
    # (mode, the asker's wish): (outcome where there is something to review, outcome where there is nothing)
    (AUTOMATIC, True): (ESCALATED, ESCALATED),
    (AUTOMATIC, None): (ESCALATED, ABSTAINED),
    (AUTOMATIC, False): (ABSTAINED, ABSTAINED),
    (ON_REQUEST, True): (ESCALATED, ESCALATED),
    (ON_REQUEST, None): (ABSTAINED, ABSTAINED),
    (ON_REQUEST, False): (ABSTAINED, ABSTAINED),
    (NEVER, True): (ABSTAINED, ABSTAINED),
    (NEVER, None): (ABSTAINED, ABSTAINED),
    (NEVER, False): (ABSTAINED, ABSTAINED),
}


def decided(findings: Findings, *, unsupported: OnUnsupported = DROP, mode: EscalationMode = NEVER, wanted: bool | None = None):
    return decide(findings, unsupported=unsupported, escalation=mode, person_wanted=wanted)


@pytest.mark.parametrize("conflict", [False, True], ids=["agreed", "conflict"])
@pytest.mark.parametrize("stale", [False, True], ids=["fresh", "stale"])
@pytest.mark.parametrize("in_scope", [True, False], ids=["in-scope", "out-of-scope"])
@pytest.mark.parametrize("confidence", [SURE, UNSURE, None], ids=["sure", "unsure", "untold"])
@pytest.mark.parametrize("supported", ["all", "some", "none"])
def test_every_combination_has_its_reasons_in_order_and_goes_where_the_table_says(conflict, stale, in_scope, confidence, supported):
    sentences = {"all": (ANSWER,), "some": (ANSWER, unsupported()), "none": (unsupported(),)}[supported]
    findings = Findings(
        found=True,
        in_scope=in_scope,
        sentences=sentences,
        confidence=confidence,
        conflicts=(CONFLICT,) if conflict else (),
        stale=(ANSWER,) if stale else (),
    )

    for on_unsupported, ((mode, wanted), (reviewable, empty)) in product(OnUnsupported, WHO_LOOKS.items()):
        expected = [
            reason
            for reason, holds in (
                (Reason.OUT_OF_SCOPE, not in_scope),
                (Reason.CONFLICTING_SOURCES, conflict),
                (Reason.STALE, stale),
                (Reason.UNSUPPORTED, supported == "none" or (supported == "some" and on_unsupported is ESCALATE)),
                (Reason.LOW_CONFIDENCE, confidence is UNSURE),
            )
            if holds
        ]
        got = decided(findings, unsupported=on_unsupported, mode=mode, wanted=wanted)

        assert list(got.reasons) == expected
        assert got.reason is (expected[0] if expected else None)
        if expected:
            assert got.outcome is (empty if expected[0] is Reason.OUT_OF_SCOPE else reviewable)
            assert got.sentences == ()
        else:
            assert got.outcome is ANSWERED
            assert got.sentences == (sentences if on_unsupported is FLAG else (ANSWER,))


@pytest.mark.parametrize(("mode", "wanted"), WHO_LOOKS, ids=str)
def test_where_nothing_was_found_nothing_else_is_a_reason(mode: EscalationMode, wanted: bool | None):
    findings = Findings(found=False, in_scope=False, conflicts=(CONFLICT,), confidence=UNSURE)

    got = decided(findings, mode=mode, wanted=wanted)

    assert got.reasons == (Reason.NOTHING_FOUND,)
    assert got.outcome is WHO_LOOKS[mode, wanted][1]


def test_an_answer_is_given_however_much_a_person_is_wanted():
    got = decided(Findings(found=True, sentences=(ANSWER,), confidence=SURE), mode=AUTOMATIC, wanted=True)

    assert (got.outcome, got.reason, got.sentences) == (ANSWERED, None, (ANSWER,))


def test_the_confidence_that_is_asked_for_suffices_exactly():
    at_the_threshold = Confidence(0.8, 0.8, "confidence@1")

    assert decided(Findings(found=True, sentences=(ANSWER,), confidence=at_the_threshold)).outcome is ANSWERED


@pytest.mark.parametrize(
    ("said", "default", "expected"),
    [
        pytest.param([FLAG, ESCALATE], DROP, ESCALATED, id="one-owner-asks-for-a-person"),
        pytest.param([None, FLAG], ESCALATE, ESCALATED, id="one-leaves-it-to-the-service-which-asks-for-one"),
        pytest.param([FLAG, FLAG], ESCALATE, ANSWERED, id="both-say-otherwise"),
        pytest.param([], ESCALATE, ESCALATED, id="nobody-says"),
    ],
)
def test_the_strictest_owner_says_what_becomes_of_an_unsupported_sentence(said, default, expected):
    policies = tuple(AnswerPolicy(source=f"s{number}", on_unsupported=each) for number, each in enumerate(said))
    findings = Findings(found=True, sentences=(ANSWER, unsupported()), policies=policies)

    assert decided(findings, unsupported=default, mode=AUTOMATIC).outcome is expected


def test_dropping_is_stricter_than_flagging():
    policies = (AnswerPolicy(source="a", on_unsupported=FLAG), AnswerPolicy(source="b", on_unsupported=DROP))

    got = decided(Findings(found=True, sentences=(ANSWER, unsupported()), policies=policies))

    assert got.sentences == (ANSWER,)


def with_authority(policies: int, wiki: int) -> tuple[Conflict, ...]:
    by_source = {"policies": AnswerPolicy(source="policies", authority=policies), "wiki": AnswerPolicy(source="wiki", authority=wiki)}
    return weighed([CONFLICT], by_source)


def test_the_side_with_more_authority_is_named_first_however_new_the_other_is():
    [conflict] = with_authority(60, 50)

    assert (conflict.one.source, conflict.authority, conflict.dates) == ("policies", (60, 50), ("2020-01-01", "2026-01-01"))
    assert outweighed([conflict]) == (conflict.other,)


def test_of_equal_authority_the_newer_side_is_named_first_and_neither_is_outweighed():
    [conflict] = with_authority(50, 50)

    assert (conflict.one.source, conflict.authority, conflict.dates) == ("wiki", (50, 50), ("2026-01-01", "2020-01-01"))
    assert outweighed([conflict]) == ()


def test_a_source_whose_owner_says_nothing_has_the_default_authority():
    [conflict] = weighed([CONFLICT], {"wiki": AnswerPolicy(source="wiki", authority=49)})

    assert (conflict.one.source, conflict.authority) == ("policies", (50, 49))


@pytest.mark.parametrize(
    ("authority", "answer", "tier", "expected"),
    [
        pytest.param((60, 50), ANSWER, RiskTier.STANDARD, ANSWERED, id="authority-settles-it"),
        pytest.param((60, 50), quote(WIKI), RiskTier.STANDARD, ABSTAINED, id="the-answer-stands-on-the-weaker-side"),
        pytest.param((60, 50), ANSWER, RiskTier.HIGH, ABSTAINED, id="too-much-is-at-risk"),
        pytest.param((50, 50), ANSWER, RiskTier.STANDARD, ABSTAINED, id="nothing-settles-it"),
        pytest.param((50, 50), quote(OTHER), RiskTier.STANDARD, ANSWERED, id="the-answer-stands-on-neither"),
    ],
)
def test_a_conflict_blocks_what_stands_on_it_until_authority_settles_it(authority, answer, tier, expected):
    findings = Findings(
        found=True,
        sentences=(answer,),
        conflicts=with_authority(*authority),
        policies=(AnswerPolicy(source="policies", risk_tier=tier),),
    )

    assert decided(findings).outcome is expected


def test_an_answer_that_cites_the_weaker_side_only_beside_the_stronger_one_is_not_settled():
    both = replace(quote(POLICY), also=(quote(WIKI).citation,))

    assert decided(Findings(found=True, sentences=(both,), conflicts=with_authority(60, 50))).outcome is ABSTAINED


def test_citations_overlap_where_they_share_a_character_of_one_version():
    whole, first, last = evidence(POLICY), evidence(POLICY, within=Span(0, 5)), evidence(POLICY, within=Span(5, 9))

    assert overlap(whole.citation, first.citation)
    assert not overlap(first.citation, last.citation)
    assert not overlap(evidence(WIKI).citation, whole.citation)
