import json
from collections.abc import Sequence
from math import exp, log1p
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.domain.runs import Hit, Leg, Run
from retrieval.steps.weights import MOST_SHIFT, SIGNALS, Influence, lexical_weight, read_influences, signals, weight_by

BASE = 0.55
KEPT = read_influences(Path(lexical_weight.__code__.co_filename).with_suffix(".json"))


def run(leg: Leg, scores: Sequence[float], prefix: str = "p") -> Run:
    return Run.ranked(leg, [Hit(f"{prefix}{at:03}", score) for at, score in enumerate(scores)], depth=100)


LEXICAL = run(Leg.LEXICAL, [12.0, 9.0, 8.0, 7.0, 3.0, 2.0])
DENSE = run(Leg.DENSE, [0.8, 0.7, 0.6, 0.5, 0.45, 0.2])
LEVEL = run(Leg.LEXICAL, [12.0] * 6)

positive = st.lists(st.integers(1, 40_000).map(lambda n: n / 1000), min_size=1, max_size=20)
cosines = st.lists(st.integers(-1000, 1000).map(lambda n: n / 1000), min_size=1, max_size=20)


def test_the_signals_are_those_of_the_query_and_of_the_first_hits():
    found = signals('Which retry policy has ERR-1042 in "the retry policy"?', LEXICAL, DENSE)

    words = {"which", "retry", "policy", "has", "err", "1042", "in", "the"}
    assert found == {
        "terms": pytest.approx(log1p(len(words))),
        "rarity": pytest.approx(12.0 / len(words)),
        "identifiers": 1.0,
        "phrases": 1.0,
        "agreement": 6 / 10,
        "lexical_steepness": pytest.approx(1 - 3 / 12),
        "dense_steepness": pytest.approx(0.8 - 0.45),
    }


def test_a_query_of_plain_words_whose_legs_find_different_passages_says_so():
    found = signals("retry policy", LEXICAL, run(Leg.DENSE, [0.8, 0.7], prefix="other"))

    assert (found["identifiers"], found["phrases"], found["agreement"]) == (0.0, 0.0, 0.0)
    assert found["dense_steepness"] == pytest.approx(0.8 - 0.7)


def test_hits_below_those_that_are_looked_at_change_nothing():
    deep = [Run(leg.leg, (*leg.hits, *(Hit(f"below{at}", -1.0) for at in range(90)))) for leg in (LEXICAL, DENSE)]
    long = [Run(leg.leg, leg.hits[:5] + tuple(Hit(f"{leg.leg}{at}", leg.hits[4].score) for at in range(5))) for leg in (LEXICAL, DENSE)]

    tails = [signals("retry policy", *(Run(leg.leg, leg.hits + (Hit("last", -1.0),) * more) for leg in long)) for more in (0, 90)]

    assert tails[0] == tails[1]
    assert lexical_weight(signals("retry", *deep), BASE) == lexical_weight(signals("retry", LEXICAL, DENSE), BASE)


@pytest.mark.parametrize(
    ("lexical", "dense"),
    [
        pytest.param(Run(Leg.LEXICAL, ()), DENSE, id="no indexed term"),
        pytest.param(LEXICAL, Run(Leg.DENSE, ()), id="no dense leg"),
        pytest.param(run(Leg.LEXICAL, [0.0, 0.0]), DENSE, id="terms that weigh nothing"),
    ],
)
def test_where_one_leg_has_found_nothing_the_weight_is_the_settings(lexical: Run, dense: Run):
    assert lexical_weight(signals("retry policy", lexical, dense), BASE) == BASE


def test_the_weight_is_the_logistic_function_of_what_the_signals_add():
    model = {"terms": Influence(centre=2.0, slope=0.5), "agreement": Influence(centre=0.5, slope=-1.0)}

    weight = weight_by(model, {"terms": 2.4, "agreement": 0.4, "rarity": 99.0}, 0.5)

    assert weight == round(1 / (1 + exp(-(0.5 * 0.4 + -1.0 * -0.1))), 2)


@pytest.mark.parametrize(("signal", "expected"), [pytest.param(50.0, 0.7, id="up"), pytest.param(-50.0, 0.4, id="down")])
def test_the_weight_goes_no_further_from_the_settings_than_it_may(signal: float, expected: float):
    weight = weight_by({"terms": Influence(0.0, 1.0)}, {"terms": signal}, BASE)

    assert weight == pytest.approx(expected)


@given(positive, cosines, st.floats(0, 1))
def test_it_is_a_share_near_the_settings_whatever_the_legs_found(lexical: list[float], dense: list[float], base: float):
    weight = lexical_weight(signals("retry ERR-1042", run(Leg.LEXICAL, lexical), run(Leg.DENSE, dense)), base)

    assert 0 <= weight <= 1
    assert abs(weight - base) <= MOST_SHIFT + 1e-9


@pytest.mark.parametrize("base", [0.0, 1.0])
def test_a_leg_that_the_settings_leave_out_stays_out(base: float):
    assert lexical_weight(signals("retry policy", LEXICAL, DENSE), base) == base


def test_a_lexical_leg_that_tells_its_hits_apart_counts_more_than_one_that_does_not():
    told, untold = (lexical_weight(signals("retry policy", lexical, DENSE), BASE) for lexical in (LEXICAL, LEVEL))

    assert told > untold


def test_a_dense_leg_that_tells_its_hits_apart_takes_from_the_lexical():
    level = run(Leg.DENSE, [0.8] * 6)

    told, untold = (lexical_weight(signals("retry policy", LEXICAL, dense), BASE) for dense in (DENSE, level))

    assert told < untold


def test_what_was_learned_looks_at_known_signals_alone():
    assert KEPT
    assert set(KEPT) <= set(SIGNALS)


def test_a_model_that_looks_at_something_else_is_refused_by_its_name(tmp_path: Path):
    path = tmp_path / "weights.json"
    path.write_text(json.dumps({"influences": {"phase_of_the_moon": {"centre": 0.5, "slope": 1.0}}}), encoding="utf-8")

    with pytest.raises(ValueError, match=r"weights\.json looks at phase_of_the_moon; learn it anew"):
        read_influences(path)
