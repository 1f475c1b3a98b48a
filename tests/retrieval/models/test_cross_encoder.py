import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from retrieval.adapters.models.cross_encoder import CrossEncoderReranker
from retrieval.adapters.models.weights import find_weights
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.errors import ModelMismatch
from tests.cross_encoders import POSITIONS, save_cross_encoder, save_encoder
from tests.slack import within

QUERY = "red fox"
TEXTS = ["the red fox", "blue whale of six months " * 30, "", "rope", "leave\nsix months of leave", "fox", "secret question", "more", "the"]
SLOW_SECONDS = 0.15
"""For a batch of the slow model."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


def opened(path: Path, **options: object) -> CrossEncoderReranker:
    return CrossEncoderReranker(find_weights(str(path)), **{"dtype": "float32", "threads": 1, **options})


@pytest.fixture
def reranker(path: Path) -> Iterator[CrossEncoderReranker]:
    reranker = opened(path)
    yield reranker
    reranker.close()


@pytest.fixture
def slow(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[CrossEncoderReranker, list[int]]]:
    """One that computes two texts at once, as if on a slow machine, and the sizes of the batches that it has begun."""
    reranker = opened(path, batch_passages=2)
    predict, begun = reranker._model.predict, []

    def slowly(pairs: list[tuple[str, str]], **options: object) -> np.ndarray:
        begun.append(len(pairs))
        time.sleep(SLOW_SECONDS)
        return predict(pairs, **options)

    monkeypatch.setattr(reranker._model, "predict", slowly)
    yield reranker, begun
    reranker.close()


def test_scores_are_the_models_own_for_each_pair_in_the_order_of_the_texts(path, reranker):
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(path).eval(), AutoTokenizer.from_pretrained(path)
    with torch.inference_mode():
        expected = [
            float(model(**tokenizer([QUERY], [text], truncation=True, max_length=POSITIONS, return_tensors="pt")).logits) for text in TEXTS
        ]

    assert reranker.scores(QUERY, TEXTS, timeout_seconds=10) == pytest.approx(expected, abs=1e-5)
    assert len(set(expected)) == len(TEXTS)


def test_a_text_means_the_same_whatever_is_scored_beside_it(reranker):
    together = reranker.scores(QUERY, TEXTS, timeout_seconds=10)

    assert [reranker.scores(QUERY, [text], timeout_seconds=10)[0] for text in TEXTS] == pytest.approx(together, abs=1e-5)


def test_nothing_gives_no_scores_and_no_text_breaks_it(reranker):
    assert reranker.scores(QUERY, [], timeout_seconds=1) == ()
    assert len(reranker.scores("\ud800", ["\udfff", "x" * 100_000, "\0"], timeout_seconds=10)) == 3


def test_no_more_is_read_than_is_set(path):
    reranker = opened(path, max_tokens=16)

    short, long, other = reranker.scores("fox", ["a" + 30 * "b", "a" + 50 * "b", "b" + 50 * "b"], timeout_seconds=10)

    assert short == pytest.approx(long, abs=1e-6)
    assert short != pytest.approx(other, abs=1e-3)
    reranker.close()


def test_it_is_named_with_the_hash_of_its_weights(path, reranker):
    assert reranker.name == f"cross-encoder/tiny@{find_weights(str(path)).sha256[:12]}"


def test_it_is_called_off_at_its_deadline_and_computes_no_further_batch(slow):
    reranker, begun = slow

    with within(0.2), pytest.raises(CallFailed, match="not computed in time"):
        reranker.scores(QUERY, TEXTS, timeout_seconds=0.2)

    time.sleep(2 * SLOW_SECONDS)
    assert begun == [2, 2]


def test_who_waits_for_its_turn_waits_within_its_own_time(slow):
    reranker, begun = slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reranker.scores, QUERY, TEXTS[:4], timeout_seconds=10)
        while not begun:
            time.sleep(0.005)

        with within(0.05), pytest.raises(CallFailed, match="not computed in time"):
            reranker.scores(QUERY, TEXTS, timeout_seconds=0.05)

        assert len(first.result()) == 4
    assert len(reranker.scores(QUERY, ["fox"], timeout_seconds=10)) == 1
    assert begun == [2, 2, 1]


def test_many_threads_get_the_scores_that_one_gets(reranker):
    expected = reranker.scores(QUERY, TEXTS, timeout_seconds=10)
    together = threading.Barrier(6)

    def ask(_number: int) -> tuple[float, ...]:
        together.wait()
        return tuple(reranker.scores(QUERY, TEXTS, timeout_seconds=10))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [expected] * 6


def test_a_model_that_gives_no_number_gives_no_scores(path):
    reranker = opened(path)
    with torch.inference_mode():
        reranker._model.get_submodule("0.model.classifier").bias.fill_(float("nan"))

    with pytest.raises(CallFailed, match="no number"):
        reranker.scores(QUERY, TEXTS, timeout_seconds=10)
    reranker.close()


def test_a_model_that_breaks_on_a_text_fails_and_goes_on(path):
    reranker = opened(path)
    reranker._model.max_seq_length = 2 * POSITIONS  # more than the model has weights for

    with pytest.raises(CallFailed, match="Error"):
        reranker.scores(QUERY, TEXTS, timeout_seconds=10)

    assert len(reranker.scores(QUERY, ["fox"], timeout_seconds=10)) == 1
    reranker.close()


def test_after_it_is_closed_it_fails(path):
    reranker = opened(path)
    reranker.close()

    with pytest.raises(CallFailed):
        reranker.scores(QUERY, TEXTS, timeout_seconds=10)


def test_bfloat16_stays_close_to_float32(path, reranker):
    other = opened(path, dtype="bfloat16")

    assert other.scores(QUERY, TEXTS, timeout_seconds=10) == pytest.approx(reranker.scores(QUERY, TEXTS, timeout_seconds=10), abs=0.2)
    other.close()


def test_a_model_without_what_scores_is_refused_before_it_is_given_random_weights(tmp_path):
    with pytest.raises(ModelMismatch, match="ARCHIVIST_RERANKER_MODEL"):
        opened(save_encoder(tmp_path / "encoder"))


def test_a_model_that_gives_several_scores_is_refused(tmp_path):
    with pytest.raises(ModelMismatch, match="one score"):
        opened(save_cross_encoder(tmp_path / "three", labels=3))


def test_weights_that_are_no_model_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not a model")

    with pytest.raises(ModelMismatch, match="ARCHIVIST_RERANKER_MODEL"):
        opened(tmp_path)


def test_loading_and_scoring_never_reach_for_the_network(path, no_network):
    reranker = opened(path)

    assert len(reranker.scores(QUERY, TEXTS, timeout_seconds=10)) == len(TEXTS)
    reranker.close()
