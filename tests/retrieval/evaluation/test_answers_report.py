"""Figures of confidence, and the page that shows them, from answers of which all is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval.domain.risk import RiskCurve
from retrieval.evaluation.answers.asked_answers import COLLECTIONS, AskedAnswer
from retrieval.evaluation.answers.confidence import ALL, conformal_threshold, reported
from retrieval.evaluation.answers.learn import fit
from retrieval.evaluation.answers.run import write
from retrieval.steps.confidence_model import shipped


def answer(number: int, value: float, *, right: bool, withheld: bool = False) -> AskedAnswer:
    signals = {**dict.fromkeys(shipped().by_tokens.weights, value), "conflicts": 0.0}
    return AskedAnswer(COLLECTIONS[0], f"q{number}", withheld, right, right, signals)


ASKED = [
    *(answer(number, 0.9, right=True) for number in range(30)),
    *(answer(number, 0.1, right=False) for number in range(30, 60)),
    *(answer(number, 0.95, right=False, withheld=True) for number in range(30)),
]


def test_answers_are_told_apart_with_and_without_those_asked_a_second_time():
    figures = reported(ASKED, shipped())[ALL].figures

    assert figures["asked"] == 90
    assert figures["answerable_auroc_as_collected"] == 1.0
    assert figures["answerable_auroc"] == 0.5
    assert figures["aurc_best_signal"] == pytest.approx(figures["aurc"])


def test_each_collection_is_reported_and_one_that_was_not_asked_is_not():
    assert reported(ASKED, shipped()).keys() == {ALL, COLLECTIONS[0]}


def test_the_conformal_threshold_allows_one_wrong_answer_less_than_the_share():
    points = [*[(0.9, True)] * 50, *[(0.5, False)] * 4, *[(0.3, False)] * 45]

    assert conformal_threshold(RiskCurve.of(points), 0.05) == 0.31
    assert conformal_threshold(RiskCurve.of(points), 0.04) == 0.51
    assert conformal_threshold(RiskCurve.of([(1.0, False)] * 9), 0.05) > 1


def test_no_weight_that_was_learned_is_below_zero():
    random = np.random.default_rng(1)
    x = random.random((400, 2))
    right = random.random(400) < x[:, 0]

    found = fit(np.column_stack([x[:, 0], -x[:, 0] + 0.1 * x[:, 1]]), right, ("for", "against"))

    assert found.weights["for"] > 1
    assert found.weights["against"] == 0


def test_the_report_is_written_as_json_and_as_a_page(tmp_path: Path):
    found = reported(ASKED, shipped())

    write(tmp_path, {name: one.figures for name, one in found.items()}, found, {"<b>": "1"})

    assert json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))[ALL]["asked"] == 90
    page = (tmp_path / "answers.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2 * len(found)
    assert "<script" not in page
    assert "&lt;b&gt;" in page
