"""Learning from verdicts corrects what is told, shows what that is worth on others, and refuses what says too little."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from retrieval.domain.calibration import JudgedAnswer, VerdictOrigin
from retrieval.domain.errors import InvalidInput
from retrieval.domain.risk import RiskCurve
from retrieval.evaluation.calibrating import apply, correction
from retrieval.evaluation.recalibrating import AFTER, BEFORE, learn
from retrieval.evaluation.reliability import area_under_risks, bins, calibration_error, calibration_error_by_chance, risks, separation
from retrieval.steps.confidence_model import ConfidenceModel, Weighing

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MODEL = ConfidenceModel(
    "confidence@1+test", Weighing(0.0, {"tokens": 1.0}, RiskCurve.of(())), Weighing(0.0, {"dense": 1.0}, RiskCurve.of(())), {}, {}
)


def verdict(number: int, world: random.Random, *, source: str = "handbook") -> JudgedAnswer:
    """Right half as often as the model tells."""
    logit = world.uniform(-3, 3)
    is_right = world.random() < 0.5 / (1 + np.exp(-logit))
    return JudgedAnswer(
        f"esc_{number}",
        "user:ann",
        VerdictOrigin.REVIEW,
        is_right,
        {"tokens": logit},
        (source,),
        "standard",
        NOON + timedelta(hours=number),
    )


def verdicts(count: int) -> list[JudgedAnswer]:
    world = random.Random(7)
    return [verdict(number, world, source=("handbook", "finance")[number % 3 == 0]) for number in range(count)]


def learned(given: list[JudgedAnswer], *, least: int = 100):
    return learn(given, MODEL, least=least, at=NOON, by="app:cli")


def test_what_was_told_too_high_is_corrected_and_the_order_stays():
    found = learned(verdicts(600))

    assert found.figures[AFTER]["ece"] < 0.07 < found.figures[BEFORE]["ece"]
    assert found.figures[AFTER]["auroc"] == pytest.approx(found.figures[BEFORE]["auroc"], abs=0.02)
    knots = found.calibration.knots
    assert list(knots) == sorted(knots)
    assert apply(knots, np.array([0.5])) == pytest.approx([0.25], abs=0.06)


def test_curves_are_of_each_tier_and_of_each_source_that_stands_alone():
    given = verdicts(300)
    given[1] = replace(given[1], sources=("handbook", "finance"))

    curves = learned(given).calibration.curves

    assert {group: curve.answers for group, curve in curves.items()} == {
        "source:finance": 100,
        "source:handbook": 199,
        "tier:standard": 300,
    }


def test_the_card_says_what_it_was_learned_from_and_what_it_is_worth():
    card = learned(verdicts(200)).calibration.card

    assert (card["answers"], card["reviewed"], card["since"], card["until"]) == (200, 200, "2026-01-01", "2026-01-09")
    assert {BEFORE, AFTER, "limits"} <= card.keys()


def test_too_few_answers_are_refused_and_two_verdicts_on_one_answer_are_one():
    given = verdicts(99)

    with pytest.raises(InvalidInput, match="99 answers"):
        learned([*given, replace(given[0], by="user:bob")])


def test_verdicts_that_nearly_all_agree_are_refused():
    with pytest.raises(InvalidInput, match="nearly all"):
        learned([replace(one, is_right=True) for one in verdicts(200)])


def test_a_reviewer_goes_before_the_asker_and_later_before_earlier():
    said = verdicts(200)
    opposite = [
        replace(one, by="user:bob", origin=VerdictOrigin.FEEDBACK, is_right=not one.is_right, at=one.at + timedelta(days=1)) for one in said
    ]
    changed = [replace(one, by="user:cat", is_right=not one.is_right, at=one.at + timedelta(days=2)) for one in said]

    assert learned([*opposite, *said]).calibration == learned(said).calibration
    assert learned([*said, *changed]).calibration.card["right"] == 200 - learned(said).calibration.card["right"]


def test_the_page_shows_both_and_no_verdicts_answer():
    page = learned(verdicts(200)).page()

    assert page.count("<svg") == 2
    assert BEFORE in page
    assert AFTER in page
    assert "esc_1" not in page


def test_few_verdicts_change_little():
    right = np.array([True, False] * 5)

    assert apply(correction(np.full(10, 0.5), right), np.array([0.2, 0.8])) == pytest.approx([0.2, 0.8], abs=0.02)


def test_calibration_error_is_the_mean_distance_in_bins_of_equal_mass():
    told, right = np.array([0.1, 0.3, 0.6, 1.0]), np.array([False, True, True, True])

    assert [(one.told, one.right, one.answers) for one in bins(told, right, 2)] == [(0.2, 0.5, 2), (0.8, 1.0, 2)]
    assert calibration_error(told, right, 2) == pytest.approx((0.3 + 0.2) / 2)
    assert calibration_error_by_chance(np.array([0.0, 1.0] * 50)) == 0


def test_risks_take_answers_that_were_told_the_same_in_no_order():
    told, right = np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, False, True, False])

    assert risks(told, right).tolist() == pytest.approx([0, 0.5 / 2, 1 / 3, 2 / 4])
    assert area_under_risks(told, right) == pytest.approx((0 + 1 / 4 + 1 / 3 + 1 / 2) / 4)
    assert separation(told, right) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert separation(told, np.ones(4, dtype=bool)) == 0.5
