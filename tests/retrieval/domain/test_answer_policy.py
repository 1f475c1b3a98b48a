"""What a source's registration may say of answers, and what is refused."""

from typing import Any

import pytest

from retrieval.domain.answer_policy import UNSAID, AnswerPolicy, AnswerTerms, OnUnsupported, RiskTier
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import SourceSpec, spec_as_json, spec_from_json

SPEC: dict[str, Any] = {"id": "wiki", "kind": "files", "title": "Wiki", "owner": "user:dana"}
EVERYTHING: dict[str, Any] = {
    "risk_tier": "high",
    "accepted_error": 0.01,
    "reviewers": ["group:tax", "user:ann"],
    "skill": "tax",
    "review_hours": 8,
    "max_age_days": 365,
    "access_requests": True,
    "on_unsupported": "escalate",
    "authority": 80,
}


def terms_of(answers: object) -> AnswerTerms:
    return spec_from_json({**SPEC, "answers": answers}).answers


@pytest.mark.parametrize(
    "spec", [SPEC, {**SPEC, "answers": None}, {**SPEC, "answers": {}}], ids=["an-older-registration", "nothing", "empty"]
)
def test_a_source_that_says_nothing_leaves_everything_to_the_service(spec: dict[str, Any]):
    assert spec_from_json(spec).answers == UNSAID == AnswerTerms()


def test_everything_that_is_said_is_read():
    assert terms_of(EVERYTHING) == AnswerTerms(
        risk_tier=RiskTier.HIGH,
        accepted_error=0.01,
        reviewers=("group:tax", "user:ann"),
        skill="tax",
        review_hours=8,
        max_age_days=365,
        access_requests=True,
        on_unsupported=OnUnsupported.ESCALATE,
        authority=80,
    )


@pytest.mark.parametrize("answers", [{}, {"skill": "tax"}, EVERYTHING], ids=["nothing", "one-thing", "everything"])
def test_what_is_kept_is_read_as_it_was_written(answers: dict[str, Any]):
    spec = spec_from_json({**SPEC, "answers": answers})

    assert spec_from_json(spec_as_json(spec)) == spec


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        pytest.param({"risk": "high"}, "answers.risk", id="unknown"),
        pytest.param({"risk_tier": "extreme"}, "answers.risk_tier", id="no-tier"),
        pytest.param({"accepted_error": 0}, "answers.accepted_error", id="never-wrong"),
        pytest.param({"accepted_error": 0.51}, "answers.accepted_error", id="mostly-wrong"),
        pytest.param({"accepted_error": float("nan")}, "answers.accepted_error", id="no-number"),
        pytest.param({"accepted_error": True}, "answers.accepted_error", id="truth-for-a-share"),
        pytest.param({"accepted_error": "5 %"}, "answers.accepted_error", id="text-for-a-share"),
        pytest.param({"reviewers": "user:ann"}, "answers.reviewers", id="no-list"),
        pytest.param({"reviewers": ["ann"]}, "answers.reviewers", id="no-subject"),
        pytest.param({"reviewers": ["user:ann"] * 101}, "answers.reviewers", id="too-many"),
        pytest.param({"skill": "x" * 65}, "answers.skill", id="too-long"),
        pytest.param({"skill": 3}, "answers.skill", id="no-text"),
        pytest.param({"review_hours": -1}, "answers.review_hours", id="negative"),
        pytest.param({"max_age_days": 1.5}, "answers.max_age_days", id="half-a-day"),
        pytest.param({"max_age_days": True}, "answers.max_age_days", id="truth-for-days"),
        pytest.param({"access_requests": "yes"}, "answers.access_requests", id="text-for-truth"),
        pytest.param({"on_unsupported": "hide"}, "answers.on_unsupported", id="unknown-way"),
        pytest.param({"authority": 101}, "answers.authority", id="more-than-all"),
        pytest.param(["high"], "answers", id="no-mapping"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(answers: object, field: str):
    with pytest.raises(InvalidInput) as refused:
        terms_of(answers)

    assert [problem.field for problem in refused.value.problems] == [field]


def test_every_problem_is_named_at_once_and_no_value_is_repeated():
    with pytest.raises(InvalidInput) as refused:
        spec_from_json({**SPEC, "classification": "s3cret", "answers": {"risk_tier": "s3cret", "skill": 7, "reviewers": ["s3cret"]}})

    assert {problem.field for problem in refused.value.problems} == {
        "classification",
        "answers.risk_tier",
        "answers.skill",
        "answers.reviewers",
    }
    assert "s3cret" not in str(refused.value)


def test_a_policy_is_the_terms_of_one_source():
    terms = AnswerTerms(risk_tier=RiskTier.LOW, authority=7)

    policy = AnswerPolicy.of("wiki", terms)

    assert (policy.source, policy.risk_tier, policy.authority) == ("wiki", RiskTier.LOW, 7)
    assert SourceSpec(**SPEC, answers=terms).answers == terms
