import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from retrieval.steps.feedback import feedback_vector

EAST, NORTH = np.array([1, 0], dtype=np.float32), np.array([0, 1], dtype=np.float32)


def test_the_query_moves_towards_the_mean_of_what_was_found():
    assert feedback_vector(EAST, [NORTH, NORTH], weight=0.75) == pytest.approx(np.array([1, 0.75]) / 1.25)
    assert feedback_vector(EAST, [NORTH, EAST], weight=1.0) == pytest.approx(np.array([1.5, 0.5]) / np.hypot(1.5, 0.5))


def test_where_nothing_was_found_or_it_weighs_nothing_the_query_stays():
    assert feedback_vector(EAST, [], weight=0.6) is EAST
    assert feedback_vector(EAST, [NORTH], weight=0.0) == pytest.approx(EAST)


def test_what_would_leave_nothing_of_the_query_leaves_it_as_it_is():
    assert feedback_vector(EAST, [-EAST], weight=1.0) == pytest.approx(EAST)


@trials(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), found=st.integers(1, 5), weight=st.floats(0.05, 2))
def test_the_moved_query_is_of_unit_length_and_nearer_to_what_was_found(seed: int, found: int, weight: float):
    drawn = np.random.default_rng(seed).normal(size=(found + 1, 8)).astype(np.float32)
    query, *vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    before = query.copy()

    moved = feedback_vector(query, vectors, weight=weight)

    towards = np.mean(vectors, axis=0)
    assert moved.dtype == np.float32
    assert np.linalg.norm(moved) == pytest.approx(1, abs=1e-5)
    assert moved @ towards >= query @ towards - 1e-6
    assert (query == before).all()
