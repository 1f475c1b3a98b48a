import threading
from pathlib import Path

import pytest

from retrieval.bootstrap import open_rerankers
from retrieval.domain.errors import InvalidInput, ModelMismatch, ModelUnavailable
from retrieval.domain.sources import Classification
from retrieval.settings import Settings
from tests.cohere_server import KEY, serving_cohere
from tests.cross_encoders import save_cross_encoder


def test_by_default_there_are_none():
    with open_rerankers(Settings()) as rerankers:
        assert rerankers == ()


def test_the_provider_comes_before_the_model_on_this_machine(tmp_path):
    settings = Settings(cohere_api_key=KEY, cohere_rerank_model="rerank-x", reranker_model=str(save_cross_encoder(tmp_path / "tiny")))

    with open_rerankers(settings) as rerankers:
        names = [reranker.name.partition("@")[0] for reranker in rerankers]
        shown = [reranker.most_sensitive for reranker in rerankers]

    assert names == ["cohere/rerank-x", "cross-encoder/tiny"]
    assert shown == [Classification.INTERNAL, Classification.RESTRICTED]


@pytest.mark.permissions
@pytest.mark.parametrize("classification", list(Classification))
def test_what_the_provider_may_be_shown_is_set(classification):
    with open_rerankers(Settings(cohere_api_key=KEY, cohere_max_classification=classification.value)) as (reranker,):
        assert reranker.most_sensitive is classification


def test_nothing_is_left_running_afterwards(tmp_path):
    before = set(threading.enumerate())
    with serving_cohere() as cohere:
        settings = Settings(cohere_api_key=KEY, cohere_base_url=cohere.url, reranker_model=str(save_cross_encoder(tmp_path / "tiny")))
        with open_rerankers(settings) as rerankers:
            for reranker in rerankers:
                reranker.scores("red", ["red"], timeout_seconds=10)

    assert [thread.name for thread in set(threading.enumerate()) - before if "cohere" in thread.name or "cross" in thread.name] == []


def test_a_key_or_path_that_cannot_be_is_refused_at_the_start(tmp_path: Path):
    with (
        pytest.raises(InvalidInput, match="ARCHIVIST_COHERE_BASE_URL"),
        open_rerankers(Settings(cohere_api_key=KEY, cohere_base_url="http://example.org")),
    ):
        pass
    with pytest.raises(ModelMismatch, match="ARCHIVIST_RERANKER_MODEL"), open_rerankers(Settings(reranker_model=str(tmp_path / "absent"))):
        pass


def test_the_key_is_not_shown_with_the_settings():
    assert KEY not in repr(Settings(cohere_api_key=KEY))


def test_a_failing_provider_is_tried_again_and_then_left_alone():
    with serving_cohere() as cohere:
        cohere.fault = "500"
        settings = Settings(cohere_api_key=KEY, cohere_base_url=cohere.url, model_retry_share=1.0, model_retry_pause_seconds=0.001)
        with open_rerankers(settings) as (reranker,):
            for _ in range(20):
                with pytest.raises(ModelUnavailable):
                    reranker.scores("red", ["red"], timeout_seconds=1)

    assert len(cohere.requests) == settings.model_breaker_failures
