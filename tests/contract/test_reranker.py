"""What every `Reranker` promises, whichever model it is."""

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retrieval.bootstrap import open_rerankers
from retrieval.domain.errors import ModelUnavailable
from retrieval.ports.models import Reranker
from retrieval.settings import Settings
from tests.cohere_server import KEY, serving_cohere
from tests.cross_encoders import save_cross_encoder

pytestmark = pytest.mark.contract

TEXTS = ["Hoists\nA red rope", "", "Leave\nSix months of leave.", "red " * 5_000, "\ud800", "Hoists\nA red rope"]


@pytest.fixture(params=["cohere", "cross-encoder"])
def reranker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reranker]:
    if request.param == "cohere":
        with (
            serving_cohere() as cohere,
            open_rerankers(Settings(cohere_api_key=KEY, cohere_base_url=cohere.url)) as (reranker,),
        ):
            yield reranker
    else:
        path = save_cross_encoder(tmp_path / "tiny")
        with open_rerankers(Settings(reranker_model=str(path), reranker_threads=1, reranker_dtype="float32")) as (reranker,):
            yield reranker


def test_there_is_one_finite_score_for_each_text(reranker):
    scores = reranker.scores("red rope", TEXTS, timeout_seconds=10)

    assert len(scores) == len(TEXTS)
    assert all(isinstance(score, float) and math.isfinite(score) for score in scores)


def test_scores_follow_their_texts(reranker):
    forth = reranker.scores("red rope", TEXTS, timeout_seconds=10)
    back = reranker.scores("red rope", TEXTS[::-1], timeout_seconds=10)

    assert back[::-1] == pytest.approx(forth, abs=1e-5)
    assert forth[0] == pytest.approx(forth[-1], abs=1e-5)
    assert len({round(score, 4) for score in forth}) > 2


def test_no_texts_have_no_scores(reranker):
    assert list(reranker.scores("red rope", [], timeout_seconds=10)) == []


def test_without_time_it_is_unavailable(reranker):
    with pytest.raises(ModelUnavailable):
        reranker.scores("red rope", TEXTS, timeout_seconds=0)


def test_it_has_a_name_and_says_what_it_may_be_shown(reranker):
    assert "/" in reranker.name
    assert reranker.most_sensitive.sensitivity in range(4)


def test_many_threads_get_what_one_gets(reranker):
    expected = list(reranker.scores("red rope", TEXTS, timeout_seconds=10))
    together = threading.Barrier(6)

    def ask(_number: int) -> list[float]:
        together.wait()
        return list(reranker.scores("red rope", TEXTS, timeout_seconds=10))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [pytest.approx(expected, abs=1e-5)] * 6
