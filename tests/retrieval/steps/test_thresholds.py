"""How sure is sure enough: the shipped model, calibrations on top of it, and the strictest of the owners."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.domain.answer_policy import AnswerPolicy, RiskTier
from retrieval.domain.calibration import Calibration
from retrieval.domain.risk import NEVER, RiskCurve
from retrieval.steps.confidence_model import ConfidenceModel, Weighing, shipped
from retrieval.steps.thresholds import Confidences, corrected

CURVE = RiskCurve.of([*[(0.8, True)] * 1_000, *[(0.5, False)] * 1_000])
"""From 0.51 on nothing was ever wrong."""
MODEL = ConfidenceModel("confidence@1+test", Weighing(0.0, {"tokens": 2.0}, CURVE), Weighing(0.0, {"dense": 1.0}, CURVE), {}, {})
HALVED = Calibration(3, MODEL.name, ((0.0, 0.0), (1.0, 0.5)), {}, {}, datetime(2026, 1, 1, tzinfo=UTC), "app:cli")
ERRORS = {"low": 0.4, "standard": 0.1, "high": 0.01}
HANDBOOK, FINANCE = AnswerPolicy(source="handbook"), AnswerPolicy(source="finance", risk_tier=RiskTier.HIGH)


@dataclass(frozen=True)
class InForce:
    calibration: Calibration | None = None

    def active(self) -> Calibration | None:
        return self.calibration


def confidences(calibration: Calibration | None = None) -> Confidences:
    return Confidences(MODEL, InForce(calibration), ERRORS, 0.95, least_verdicts=300)


def test_an_answer_is_told_by_its_tokens_where_they_are_known_and_by_its_legs_where_not():
    by_tokens = confidences().judge({"tokens": 0.0, "dense": 9.0}, [HANDBOOK])
    by_legs = confidences().judge({"dense": 0.0}, [HANDBOOK])

    assert (by_tokens.probability, by_legs.probability) == (0.5, 0.5)
    assert confidences().judge({"dense": 9.0}, [HANDBOOK]).probability > 0.99


def test_the_threshold_is_the_least_that_keeps_the_error_and_says_whose_verdicts_set_it():
    judged = confidences().judge({"tokens": 5.0}, [HANDBOOK])

    assert (judged.threshold, judged.suffices) == (0.51, True)
    assert judged.model == "confidence@1+test shipped"


def test_the_strictest_of_the_owners_decides():
    few = RiskCurve.of([(0.9, True)] * 300)
    calibration = replace(HALVED, knots=((0.0, 0.0), (1.0, 1.0)), curves={"source:finance": few})

    judged = confidences(calibration).judge({"tokens": 5.0}, [HANDBOOK, FINANCE])

    assert judged.threshold == NEVER
    assert not judged.suffices
    assert judged.model == "confidence@1+test calibration 3 source:finance"


def test_an_owners_own_error_goes_before_the_tiers():
    lenient = replace(FINANCE, accepted_error=0.1)

    assert confidences().judge({"tokens": 5.0}, [lenient]).suffices
    assert not confidences().judge({"tokens": 5.0}, [FINANCE]).suffices


def test_a_source_with_enough_verdicts_has_its_own_threshold_else_its_tier_else_the_shipped_one():
    own, tier = RiskCurve.of([(0.3, True)] * 300), RiskCurve.of([(0.4, True)] * 299)
    both = replace(HALVED, curves={"source:handbook": own, "tier:standard": tier})

    told = [
        confidences(calibration).judge({"tokens": 1.0}, [policy])
        for calibration, policy in (
            (both, HANDBOOK),
            (both, replace(HANDBOOK, source="wiki")),
            (replace(both, curves={"tier:standard": own}), HANDBOOK),
        )
    ]

    assert [one.model.rpartition(" ")[2] for one in told] == ["source:handbook", "shipped", "tier:standard"]
    assert [one.threshold for one in told] == [0.0, 0.255, 0.0]


def test_a_calibration_corrects_the_probability_and_the_shipped_threshold_alike():
    plain, halved = (confidences(one).judge({"tokens": 1.0}, [HANDBOOK]) for one in (None, HALVED))

    assert halved.probability == pytest.approx(plain.probability / 2, abs=1e-4)
    assert halved.threshold == pytest.approx(plain.threshold / 2, abs=1e-4)
    assert plain.suffices is halved.suffices is True


def test_a_calibration_of_another_model_is_not_heeded():
    assert confidences(replace(HALVED, model="confidence@1+other")).judge({"tokens": 1.0}, [HANDBOOK]) == confidences().judge(
        {"tokens": 1.0}, [HANDBOOK]
    )


@pytest.mark.parametrize(("told", "policies"), [({}, [HANDBOOK]), ({"tokens": 50.0}, [])], ids=["no evidence", "no source"])
def test_what_stands_on_nothing_is_never_sure_enough(told: dict[str, float], policies: list[AnswerPolicy]):
    assert not confidences().judge(told, policies).suffices


def test_of_answers_that_contradict_each_other_at_most_one_is_right():
    sure = MODEL.probability({"tokens": 50.0})

    assert MODEL.probability({"tokens": 50.0, "conflicts": 1.0}) == sure / 2
    assert MODEL.probability({"tokens": 50.0, "conflicts": 2.0}) == sure / 3


def test_a_worded_answer_is_as_sure_as_its_sentences_are_supported():
    sure = MODEL.probability({"tokens": 50.0})

    assert MODEL.probability({"tokens": 50.0, "claims": 0.9}) == sure
    assert MODEL.probability({"tokens": 50.0, "claims": 0.4}) == sure / 2
    assert MODEL.probability({"tokens": 50.0, "claims": 0.0}) == 0


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2), st.lists(st.floats(0, 1), min_size=4, max_size=4, unique=True))
def test_a_correction_keeps_the_order(told: list[float], places: list[float]):
    knots = tuple(zip(sorted(places), sorted(place**2 for place in places), strict=True))

    low, high = sorted(told)

    assert corrected(knots, low) <= corrected(knots, high)


def test_better_evidence_never_makes_the_shipped_model_less_sure():
    for weighing in (shipped().by_tokens, shipped().by_legs):
        assert min(weighing.weights.values()) >= 0
        assert weighing.curve.answers > 2_000
