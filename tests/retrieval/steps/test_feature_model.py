import json
import math
from pathlib import Path

import numpy as np
import pytest

from retrieval.domain.runs import FusedHit, Leg
from retrieval.ports.models import TokenVectors
from retrieval.steps import feature_model
from retrieval.steps.feature_model import FeatureModel, FeatureScores, read_models, score
from retrieval.steps.features import FEATURES, LEG_FEATURES, Compared, features

SHIPPED = Path(feature_model.__file__).with_name("feature_model.json")

MODEL = FeatureModel(
    names=("wide", "deep"),
    hidden=np.array([[1.0, -1.0], [2.0, 0.0]], dtype=np.float32),
    hidden_bias=np.array([0.5, -1.0], dtype=np.float32),
    output=np.array([3.0, 0.25], dtype=np.float32),
    direct=np.array([0.0, 10.0], dtype=np.float32),
)
HITS = np.array([[1.0, 0.5], [0.0, 2.0]], dtype=np.float32)
"""The first drives both units; the second neither."""


def hits(count: int) -> list[FusedHit]:
    shares = [{Leg.LEXICAL: 1 - number / count, Leg.DENSE: number / count} for number in range(count)]
    return [FusedHit(f"p{number}", 0.5, number + 1, 1.0, count - number, 0.5, shares=of_hit) for number, of_hit in enumerate(shares)]


def tokens(*ids: int) -> TokenVectors:
    vectors = np.random.default_rng(sum(ids)).integers(-127, 127, (len(ids), 4))
    return TokenVectors(np.array(ids, dtype=np.uint16), np.ones(len(ids), dtype=np.uint8), vectors.astype(np.int8))


def test_a_score_is_the_rectified_units_and_the_direct_part():
    assert MODEL.scores(HITS) == pytest.approx([3 * (1 - 0.5 + 0.5) + 0.25 * (2 - 1) + 10 * 0.5, 10 * 2])


def test_contributions_are_each_features_part_of_the_score_where_the_model_is_linear():
    first, second = MODEL.contributions(HITS)

    assert first == {"wide": pytest.approx(3 * 1 + 0.25 * 2), "deep": pytest.approx((3 * -1 + 10) * 0.5)}
    assert second == {"wide": 0.0, "deep": pytest.approx(10 * 2)}
    bias = 3 * 0.5 + 0.25 * -1
    assert [sum(first.values()) + bias, sum(second.values())] == pytest.approx(list(MODEL.scores(HITS)))


def test_a_contribution_says_what_a_small_change_of_the_feature_would_do():
    step = np.array([[0.001, 0.0]], dtype=np.float32)
    slope = (MODEL.scores(HITS[:1] + step) - MODEL.scores(HITS[:1]))[0] / 0.001

    [told] = MODEL.contributions(HITS[:1])

    assert told["wide"] == pytest.approx(slope * HITS[0, 0], rel=1e-2)


@pytest.mark.parametrize(
    ("compared", "names"),
    [
        pytest.param(Compared(hits(3), tokens(1, 2), [tokens(1, 2), tokens(3), tokens(2, 1)]), FEATURES, id="with tokens"),
        pytest.param(Compared(hits(3), tokens(1, 2), [tokens(1, 2), None, tokens(2, 1)]), LEG_FEATURES, id="one without"),
        pytest.param(Compared(hits(3), None, ()), LEG_FEATURES, id="no tokens at all"),
    ],
)
def test_the_model_that_was_learned_from_what_is_known_of_the_hits_scores_them(compared: Compared, names: tuple[str, ...]):
    scored = score(compared)

    assert scored.model.names == names
    assert scored.scores == tuple(map(float, scored.model.scores(features(compared))))
    assert all(map(math.isfinite, scored.scores))
    assert [tuple(told) for told in scored.contributions()] == [names] * 3


def test_hits_that_do_not_differ_have_one_score():
    alike = [FusedHit(name, 0.5, None, None, None, None, shares={Leg.DENSE: 0.5}) for name in "ab"]

    first, second = score(Compared(alike, tokens(1, 2), [tokens(2, 1), tokens(2, 1)])).scores

    assert first == second


def test_more_of_what_every_leg_finds_is_never_worth_less():
    better = FusedHit("b", 1.0, 1, 9.0, 1, 0.9, shares={Leg.LEXICAL: 1.0, Leg.DENSE: 1.0, Leg.FEEDBACK: 1.0})
    worse = FusedHit("a", 0.1, 40, 1.0, 40, 0.1, shares={Leg.LEXICAL: 0.1, Leg.DENSE: 0.4, Leg.FEEDBACK: 0.4})

    for of_hits in ([tokens(1, 2), tokens(1, 2)], [None, None]):
        first, second = score(Compared([better, worse], tokens(1, 2), of_hits)).scores
        assert first > second


def test_the_shipped_file_holds_a_model_for_either_case():
    models = read_models(SHIPPED)

    for name, columns in (("tokens", FEATURES), ("legs", LEG_FEATURES)):
        model = models[name]
        units = len(model.hidden_bias)
        assert (model.hidden.shape, model.output.shape, model.direct.shape) == ((units, len(columns)), (units,), (len(columns),))
        assert all(np.isfinite(part).all() for part in (model.hidden, model.hidden_bias, model.output, model.direct))


def test_a_model_learned_from_other_features_is_refused_before_it_scores_anything(tmp_path: Path):
    kept = json.loads(SHIPPED.read_text(encoding="utf-8"))
    names = kept["models"]["tokens"]["features"]
    names[0], names[1] = names[1], names[0]
    other = tmp_path / "other.json"
    other.write_text(json.dumps(kept), encoding="utf-8")

    with pytest.raises(ValueError, match=r"other\.json was learned from other features"):
        read_models(other)


def test_contributions_are_made_of_the_scored_hits():
    scored = FeatureScores((1.0, 2.0), MODEL, HITS)

    assert scored.contributions() == MODEL.contributions(HITS)
