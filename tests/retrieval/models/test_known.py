"""The bundled model, loaded without the libraries that can load any model."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from retrieval.adapters.models import known
from retrieval.adapters.models.fast import FastModel, load_known
from retrieval.adapters.models.library import LibraryModel, load_by_library, open_library
from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.adapters.models.weights import find_weights
from retrieval.bootstrap import open_deferred_embedder
from retrieval.settings import Settings

pytestmark = pytest.mark.models

ODD_TEXTS = [
    "",
    " \t\n",
    "[MASK] and [SEP], [UNK][PAD]",
    "naïve ÀÉÎ ﬁ ß İstanbul e\u0301",
    "東京とソウル 한국어 ไทย हिन्दी عربى",
    "tabs\tand\u00a0spaces\u2003and\u200bnone",
    "🙂👩‍👩‍👧 ∑≈π \ufffd\x00\x07",
    "x" * 300,
    "don't stop-believing/and.or_not",
]


@pytest.fixture(scope="module")
def library() -> LibraryModel:
    return LibraryModel(open_library(find_weights(""), torch.float32), batch_passages=32)


def test_the_expected_vectors_are_those_of_sentence_transformers(library):
    expected = library.embed(known.CHECKED_TEXTS)

    assert known.expected_vectors() == pytest.approx(expected, abs=1e-6)


def test_the_known_limit_is_that_of_sentence_transformers(library):
    assert library.max_tokens == known.MAX_TOKENS


def test_the_known_tokenizer_is_that_of_sentence_transformers(library):
    tokens = known.known_tokens(find_weights(""))

    assert tokens.ids(ODD_TEXTS) == library.tokens.ids(ODD_TEXTS)
    assert tokens.counts(ODD_TEXTS) == library.tokens.counts(ODD_TEXTS)


def test_a_known_model_gives_what_sentence_transformers_gives(library):
    model = load_known(find_weights(""), torch.float32, batch_passages=32)

    assert model is not None
    assert model.embed(ODD_TEXTS) == pytest.approx(library.embed(ODD_TEXTS), abs=1e-5)


@pytest.mark.parametrize("file", ["tokenizer.json", "1_Pooling/config.json", "added_tokens.json"])
def test_known_weights_beside_another_configuration_are_not_a_known_model(file, tmp_path: Path):
    bundled = find_weights("")
    shutil.copytree(bundled.directory, tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "model" / "model.safetensors").symlink_to(bundled.directory / "model.safetensors")
    unchanged = known.is_known(find_weights(str(tmp_path / "model")))
    (tmp_path / "model" / file).write_text("{}\n", encoding="utf-8")

    changed = known.is_known(find_weights(str(tmp_path / "model")))

    assert (unchanged, changed) == (True, False)


def test_other_weights_beside_the_known_configuration_are_not_a_known_model(tmp_path: Path):
    shutil.copytree(find_weights("").directory, tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "model" / "model.safetensors").write_bytes(b"other weights")

    assert not known.is_known(find_weights(str(tmp_path / "model")))


def test_a_model_that_differs_from_what_is_expected_is_loaded_by_its_library(library, monkeypatch):
    off = np.zeros((3, 384), dtype=np.float32)
    off[2, 7] = 2e-5
    monkeypatch.setattr(known, "expected_vectors", lambda: library.embed(known.CHECKED_TEXTS) + off)
    asked = []
    monkeypatch.setattr(
        "retrieval.adapters.models.library.load_by_library",
        lambda weights, dtype, *, batch_passages: asked.append(weights) or load_by_library(weights, dtype, batch_passages=batch_passages),
    )

    loaded = SentenceTransformerEmbedder(find_weights(""), dtype="float32", threads=1)

    assert asked == [find_weights("")]
    assert isinstance(loaded._loaded, FastModel)


def test_loading_the_default_model_imports_no_library_that_loads_any_model():
    program = """
        from retrieval.bootstrap import open_embedder
        from retrieval.settings import Settings

        embedder = open_embedder(Settings(embedder_dtype="float32"))
        assert embedder.embed_query("travel").shape == (384,)
    """

    assert imported_by(program) == {"torch"}


def test_counting_tokens_and_naming_the_model_import_no_torch():
    program = """
        from retrieval.bootstrap import open_deferred_embedder
        from retrieval.settings import Settings

        embedder = open_deferred_embedder(Settings())
        assert embedder.model.startswith("all-MiniLM-L6-v2@")
        assert embedder.count_tokens(["two words", "word " * 1000]) == [2, 1000]
    """

    assert imported_by(program) == set()


def test_a_deferred_model_counts_and_embeds_like_the_model_itself(embedder):
    deferred = open_deferred_embedder(Settings(embedder_dtype="float32", embedder_threads=1))

    counts, vector = deferred.count_tokens(ODD_TEXTS), deferred.embed_query("travel")

    assert counts == embedder.count_tokens(ODD_TEXTS)
    assert vector == pytest.approx(embedder.embed_query("travel"), abs=1e-6)


def imported_by(program: str) -> set[str]:
    """Which of the heavy libraries a fresh process holds after `program`."""
    lines = [line.removeprefix("        ") for line in program.splitlines()]
    heavy = "import sys\nprint(*{'sentence_transformers', 'torch', 'transformers'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", "\n".join([*lines, heavy])], capture_output=True, text=True, timeout=120, check=True)
    return set(done.stdout.split())
