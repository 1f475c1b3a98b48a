"""Learning the legs' weights, on lessons whose best weights are known."""

import numpy as np
import pytest

from retrieval.evaluation.judged import Split
from retrieval.evaluation.learn_weights import WEIGHTS, Lesson, Told, learn
from retrieval.steps.weights import SIGNALS, Influence, weight_by

BASE = 0.55
TOLD, UNTOLD = 0.9, 0.1
"""Steepness of a lexical leg that tells its hits apart, and of one that does not."""


def lesson_of(**heavier_when_steep: bool) -> Lesson:
    """Collections of 40 queries. Half have a steep lexical leg: either those are best at a high weight and the others at a low one, or
    the other way round."""
    lesson = {}
    for name, heavier in heavier_when_steep.items():
        steep = np.arange(40) % 2 == 0
        best = np.where(steep == heavier, 0.75, 0.35)
        figures = 1 - np.abs(np.array(WEIGHTS)[None, :] - best[:, None])
        signals = [{**dict.fromkeys(SIGNALS, 0.5), "lexical_steepness": TOLD if one else UNTOLD} for one in steep]
        lesson[name, Split.DEV] = Told(signals, figures, {})
    return lesson


def test_the_weight_rises_with_a_signal_where_the_lexical_leg_is_right():
    lesson = lesson_of(a=True)

    learned = learn(lesson, BASE)

    told, untold = (weight_by(learned, {**dict.fromkeys(SIGNALS, 0.5), "lexical_steepness": at}, BASE) for at in (TOLD, UNTOLD))
    assert untold < BASE < told
    assert learned["dense_steepness"].slope == pytest.approx(0, abs=1e-3)


def test_a_collection_that_is_left_out_teaches_nothing():
    lesson = lesson_of(a=True, b=False)

    assert learn(lesson, BASE, without="b") == learn(lesson_of(a=True), BASE)
    assert learn(lesson, BASE, without="b")["lexical_steepness"].slope > 0 > learn(lesson, BASE, without="a")["lexical_steepness"].slope


def test_queries_of_which_a_leg_found_nothing_teach_nothing():
    one = lesson_of(a=True)["a", Split.DEV]
    nothing = Told([*one.signals, {}], np.vstack([one.figures, np.array(WEIGHTS)]), {})

    assert learn({("a", Split.DEV): nothing}, BASE) == learn({("a", Split.DEV): one}, BASE)


def test_what_is_gained_is_the_mean_difference_to_the_fixed_weight():
    told = lesson_of(a=True)["a", Split.DEV]
    raised = {"lexical_steepness": Influence(centre=0.0, slope=1000.0)}

    assert told.fixed(BASE).mean() == pytest.approx(1 - 0.20)
    assert told.gained(raised, BASE) == pytest.approx(((1 - 0.05) + (1 - 0.35)) / 2 - (1 - 0.20))
