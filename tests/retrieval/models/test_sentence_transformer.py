import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from retrieval.adapters.models import known, library
from retrieval.adapters.models.fast import FastModel
from retrieval.adapters.models.library import LibraryModel, load_by_library, open_library
from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder, computes_in_bfloat16
from retrieval.adapters.models.weights import BUNDLED_SHA256, bundled_weights, find_weights
from retrieval.domain.errors import ModelMismatch
from retrieval.settings import Settings

pytestmark = pytest.mark.models

TEXTS = [
    "Who approves travel?",
    "",
    "Übergröße in 北京 costs 3.5 % more. " * 9,
    "Trips are booked by the office. " * 90,
    "\ud800 lone",
    "x",
]


def test_vectors_are_unit_rows_in_the_order_of_the_texts(embedder):
    vectors = embedder.embed(TEXTS)

    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert np.vstack([embedder.embed([text]) for text in TEXTS]) == pytest.approx(vectors, abs=1e-5)


def test_the_fast_encoder_gives_what_sentence_transformers_gives(embedder):
    texts = [text.encode("utf-8", "replace").decode() for text in TEXTS]

    expected = open_library(find_weights(""), torch.float32).encode(texts, normalize_embeddings=True, show_progress_bar=False)

    assert isinstance(embedder._loaded, FastModel)
    assert embedder.embed(texts) == pytest.approx(expected, abs=1e-5)


def test_a_text_means_the_same_whatever_it_is_embedded_with(embedder):
    many = embedder.embed([f"Sentence number {number} " * (number % 17) for number in range(100)] + ["The kitchen closes."])

    assert many[-1] == pytest.approx(embedder.embed(["The kitchen closes."])[0], abs=1e-5)


def test_nothing_to_embed_gives_no_rows(embedder):
    assert embedder.embed([]).shape == (0, 384)


def test_a_question_is_nearer_to_its_answer_than_to_something_else(embedder):
    query = embedder.embed_query("How long is parental leave?")

    answer, other = embedder.embed(["Parents may stay at home for six months.", "The kitchen is cleaned on Fridays."]) @ query

    assert answer > other + 0.2


def test_a_query_asked_again_is_not_computed_again(embedder, monkeypatch):
    first = embedder.embed_query("asked twice")
    monkeypatch.setattr(embedder._loaded, "embed_query", lambda _text: pytest.fail("computed again"))

    again = embedder.embed_query("asked twice")

    assert again is first
    assert not again.flags.writeable


def test_many_threads_get_the_vectors_that_one_gets(embedder):
    queries = [f"question {number} about travel" for number in range(24)]
    expected = embedder.embed(queries)
    barrier = threading.Barrier(6)

    def ask(number: int) -> np.ndarray:
        if number < 6:
            barrier.wait()
        embedder.embed([queries[number], "something longer beside it " * 20])
        return embedder.embed_query(queries[number])

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, range(24)))

    assert np.vstack(found) == pytest.approx(expected, abs=1e-5)


def test_the_model_is_named_with_the_hash_of_its_weights(embedder):
    assert embedder.model == f"all-MiniLM-L6-v2@{BUNDLED_SHA256[:12]}"
    assert (embedder.dimensions, embedder.max_tokens) == (384, 256)


def test_tokens_are_counted_beyond_what_the_model_reads(embedder):
    assert embedder.count_tokens(["two words", "word " * 1000]) == [2, 1000]


def test_bundled_weights_other_than_the_expected_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other weights")

    with pytest.raises(ModelMismatch, match=BUNDLED_SHA256):
        bundled_weights(tmp_path)


@pytest.mark.parametrize("name", ["nobody/has-this-model", "./absent", "not a name"])
def test_a_model_that_is_not_on_this_machine_is_refused_without_asking_the_network(name, no_network):
    with pytest.raises(ModelMismatch, match="ARCHIVIST_EMBEDDER_MODEL"):
        find_weights(name)


def test_a_directory_without_weights_is_refused(tmp_path):
    with pytest.raises(ModelMismatch, match="no weights"):
        find_weights(str(tmp_path))


def test_weights_that_are_no_model_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not a model")

    with pytest.raises(ModelMismatch, match="no model that sentence-transformers can load"):
        SentenceTransformerEmbedder(find_weights(str(tmp_path)))


def test_loading_and_embedding_never_reach_for_the_network(no_network):
    loaded = SentenceTransformerEmbedder.from_settings(Settings(embedder_dtype="float32", embedder_threads=1))

    assert loaded.embed_query("anything").shape == (384,)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param("1_Pooling/config.json", {"embedding_dimension": 384, "pooling_mode": "cls"}, id="another pooling"),
        pytest.param("config_sentence_transformers.json", {"prompts": {"query": "query: ", "document": ""}}, id="a prompt for queries"),
    ],
)
def test_a_model_by_path_that_the_fast_encoder_does_not_know_is_run_by_its_library(file, content, other_model, embedder):
    (other_model / file).write_text(json.dumps(content), encoding="utf-8")

    loaded = SentenceTransformerEmbedder(find_weights(str(other_model)), threads=1)

    assert loaded.model == f"other@{BUNDLED_SHA256[:12]}"
    assert isinstance(loaded._loaded, LibraryModel)
    assert np.linalg.norm(loaded.embed(["travel", "leave"]), axis=1) == pytest.approx(1)
    assert loaded.embed_query("travel") @ embedder.embed_query("travel") < 0.99


def test_a_fast_encoder_that_gives_what_its_library_gives_is_used_for_models_that_are_not_known():
    loaded = load_by_library(find_weights(""), torch.float32, batch_passages=32)

    assert isinstance(loaded, FastModel)


def test_a_fast_encoder_that_differs_from_its_library_is_not_used(monkeypatch):
    def blind_to_position(model: object) -> object:
        encoder = fast_encoder(model)
        return type(encoder)(**{**vars(encoder), "positions": torch.zeros_like(encoder.positions)})

    fast_encoder = library._fast_encoder
    monkeypatch.setattr(library, "_fast_encoder", blind_to_position)

    loaded = load_by_library(find_weights(""), torch.float32, batch_passages=32)

    assert isinstance(loaded, LibraryModel)


def test_bfloat16_stays_close_to_float32(embedder, monkeypatch):
    expected = known.expected_vectors()[:1]
    monkeypatch.setattr(known, "CHECKED_TEXTS", known.CHECKED_TEXTS[:1])  # processors without it take minutes
    monkeypatch.setattr(known, "expected_vectors", lambda: expected)

    loaded = SentenceTransformerEmbedder(find_weights(""), dtype="bfloat16", threads=1)

    vector = loaded.embed_query("Who approves travel?")
    assert isinstance(loaded._loaded, FastModel)
    assert loaded._loaded._encoder.words.dtype == torch.bfloat16
    assert vector.dtype == np.float32
    assert vector @ embedder.embed_query("Who approves travel?") > 0.99


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param("fpu avx2 fma", False, id="AVX2"),
        pytest.param("fpu avx512f avx512_vnni", False, id="AVX512 without bfloat16"),
        pytest.param("fpu avx512f avx512_bf16", True, id="AVX512-BF16"),
        pytest.param("fpu amx_bf16 amx_tile", True, id="AMX"),
    ],
)
def test_bfloat16_is_chosen_only_where_the_processor_computes_in_it(flags, expected, tmp_path):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\n", encoding="utf-8")

    assert computes_in_bfloat16(tmp_path / "cpuinfo") is expected
    assert computes_in_bfloat16(tmp_path / "absent") is False


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """The bundled model under another name, its configuration free to change."""
    directory = tmp_path / "other"
    shutil.copytree(find_weights("").directory, directory, ignore=shutil.ignore_patterns("*.safetensors"))
    (directory / "model.safetensors").symlink_to(find_weights("").directory / "model.safetensors")
    return directory
