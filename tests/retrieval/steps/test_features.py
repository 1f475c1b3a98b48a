import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from retrieval.domain.runs import FusedHit, Leg
from retrieval.ports.models import TokenVectors
from retrieval.steps.features import FEATURES, LEG_FEATURES, Compared, features

EAST, NORTH, WEST = (7, 0), (0, 3), (-5, 0)
"""Only their direction means something."""
RED, FOX, HEN = 1, 2, 9
RARITY_OF_RED, RARITY_OF_FOX = math.log1p((3 - 2 + 0.5) / (2 + 0.5)), math.log1p((3 - 3 + 0.5) / (3 + 0.5))
WEIGHT_OF_RED = RARITY_OF_RED / (RARITY_OF_RED + RARITY_OF_FOX)
WEIGHT_OF_FOX = 1 - WEIGHT_OF_RED


def tokens(*parts: tuple[int, int, tuple[int, ...]]) -> TokenVectors:
    """Each token's id, segment and vector."""
    ids, segments, vectors = zip(*parts, strict=True)
    return TokenVectors(np.array(ids, dtype=np.uint16), np.array(segments, dtype=np.uint8), np.array(vectors, dtype=np.int8))


def hit(passage: str, *, ranks: tuple[int | None, int | None] = (None, None), **shares: float) -> FusedHit:
    """`ranks`: in the lexical and in the dense leg."""
    (lexical, dense), of_legs = ranks, {Leg(name): share for name, share in shares.items()}
    return FusedHit(passage, 0.5, lexical, lexical and 1.0, dense, dense and 0.5, shares=of_legs)


RED_FOX = tokens((RED, 1, EAST), (FOX, 1, NORTH))
IN_ORDER = RED_FOX
APART = tokens((FOX, 0, NORTH), (HEN, 1, WEST), (RED, 1, EAST))
"""A title `fox` and a sentence `hen red`."""
FOX_ALONE = tokens((FOX, 1, NORTH))
THREE = Compared([hit("a"), hit("b"), hit("c")], RED_FOX, [IN_ORDER, APART, FOX_ALONE])


def column(compared: Compared, name: str) -> list[float]:
    return [float(value) for value in features(compared)[:, FEATURES.index(name)]]


def test_each_token_of_the_query_counts_its_nearest_of_the_passage_by_how_rare_it_is_among_the_hits():
    assert column(THREE, "tokens_raw") == pytest.approx([1.0, 1.0, WEIGHT_OF_FOX], abs=1e-6)
    assert WEIGHT_OF_RED > 0.7


def test_a_sentence_is_compared_by_its_own_tokens_and_the_best_one_counts():
    assert column(THREE, "sentence_raw") == pytest.approx([1.0, WEIGHT_OF_RED, WEIGHT_OF_FOX], abs=1e-6)
    assert column(THREE, "sentence_coverage") == pytest.approx([1.0, WEIGHT_OF_RED, WEIGHT_OF_FOX], abs=1e-6)


def test_words_of_the_query_are_counted_in_the_passage_and_in_its_title():
    assert column(THREE, "coverage") == pytest.approx([1.0, 1.0, WEIGHT_OF_FOX], abs=1e-6)
    assert column(THREE, "title_coverage") == pytest.approx([0.0, WEIGHT_OF_FOX, 0.0], abs=1e-6)


def test_neighbours_in_the_query_are_looked_for_side_by_side_and_not_across_two_passages():
    assert column(THREE, "adjacency") == [1.0, 0.0, 0.0]


def test_a_query_of_one_token_has_no_neighbours():
    assert column(Compared([hit("a"), hit("b")], tokens((RED, 1, EAST)), [IN_ORDER, FOX_ALONE]), "adjacency") == [0.0, 0.0]


@pytest.mark.parametrize("name", ["tokens", "sentence", "title_tokens", "length"])
def test_what_is_standardised_has_no_mean_and_a_deviation_of_one(name: str):
    found = np.array(column(THREE, name))

    assert found.mean() == pytest.approx(0, abs=1e-6)
    assert found.std() == pytest.approx(1, abs=1e-5)


def test_hits_that_do_not_differ_are_not_told_apart_by_noise():
    alike = Compared([hit("a"), hit("b")], RED_FOX, [IN_ORDER, IN_ORDER])

    assert [column(alike, name) for name in ("tokens", "sentence", "length")] == [[0.0, 0.0]] * 3


def test_hits_that_hardly_differ_are_hardly_told_apart():
    nearly = tokens((RED, 1, (127, 1)), (FOX, 1, NORTH))

    first, second = column(Compared([hit("a"), hit("b")], RED_FOX, [IN_ORDER, nearly]), "tokens")

    assert 0 < first - second < 0.01


def test_legs_tell_their_shares_and_ranks_and_how_far_they_agree():
    hits = [
        hit("a", ranks=(1, 2), lexical=1.0, dense=0.8, feedback=0.6),
        hit("b", ranks=(4, 11)),
        hit("c", ranks=(None, 1), dense=1.0),
    ]

    found = features(Compared(hits, RED_FOX, [None, None, None]))

    told = {name: [float(value) for value in found[:, at]] for at, name in enumerate(LEG_FEATURES)}
    assert told == {
        "lexical": [1.0, 0.0, 0.0],
        "dense": pytest.approx([0.8, 0.0, 1.0]),
        "feedback": pytest.approx([0.6, 0.0, 0.0]),
        "lexical_rank": [1.0, 1 / 4, 0.0],
        "dense_rank": pytest.approx([1 / 2, 1 / 11, 1.0]),
        "both": [1.0, 1.0, 0.0],
        "query_length": pytest.approx([math.log1p(2)] * 3),
        "agreement": pytest.approx([1 / 10] * 3),
    }


@pytest.mark.parametrize(
    ("query", "of_hits"),
    [
        pytest.param(None, [IN_ORDER, APART], id="the model tells of none"),
        pytest.param(RED_FOX, [IN_ORDER, None], id="one hit has none yet"),
        pytest.param(TokenVectors(*(part[:0] for part in (RED_FOX.ids, RED_FOX.segments, RED_FOX.vectors))), [IN_ORDER] * 2, id="empty"),
    ],
)
def test_where_tokens_are_missing_all_hits_are_compared_by_their_legs_alone(query: TokenVectors | None, of_hits: list[TokenVectors | None]):
    assert features(Compared([hit("a"), hit("b")], query, of_hits)).shape == (2, len(LEG_FEATURES))


@st.composite
def token_vectors(draw: st.DrawFn) -> TokenVectors:
    """Up to eight tokens in up to four segments, the first of which may be a title."""
    count = draw(st.integers(1, 8))
    segments = sorted(draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)))
    part = st.tuples(st.integers(1, 5), st.tuples(*[st.integers(-7, 7)] * 3))
    return tokens(*((id_, segment, vector) for segment, (id_, vector) in ((s, draw(part)) for s in segments)))


@trials(max_examples=60, deadline=None)
@given(query=token_vectors(), found=st.lists(token_vectors(), min_size=1, max_size=6), dice=st.randoms(use_true_random=False))
def test_a_hits_features_do_not_depend_on_where_it_stands_among_the_others(query: TokenVectors, found: list[TokenVectors], dice):
    hits = [hit(f"p{number}", ranks=(None, number + 1)) for number in range(len(found))]
    order = list(range(len(found)))
    dice.shuffle(order)

    straight = features(Compared(hits, query, found))
    shuffled = features(Compared([hits[at] for at in order], query, [found[at] for at in order]))

    assert np.isfinite(straight).all()
    assert shuffled == pytest.approx(straight[order], abs=1e-4)


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    lengths = math.hypot(*map(float, first)) * math.hypot(*map(float, second))
    return float(first.astype(int) @ second.astype(int)) / lengths if lengths else 0.0


@trials(max_examples=60, deadline=None)
@given(query=token_vectors(), found=st.lists(token_vectors(), min_size=1, max_size=4))
def test_late_interaction_is_what_two_loops_would_compute(query: TokenVectors, found: list[TokenVectors]):
    likeness = [[max(cosine(q, t) for t in of_hit.vectors) for q in query.vectors] for of_hit in found]
    holding = [sum(int(id_) in set(of_hit.ids.tolist()) for of_hit in found) for id_ in query.ids]
    rarity = [math.log1p((len(found) - count + 0.5) / (count + 0.5)) for count in holding]
    expected = [sum(w * best for w, best in zip(rarity, of_hit, strict=True)) / sum(rarity) for of_hit in likeness]

    compared = Compared([hit(str(number)) for number in range(len(found))], query, found)

    assert column(compared, "tokens_raw") == pytest.approx(expected, abs=1e-4)
