"""What is known beforehand about the bundled model, so that it is loaded without the libraries that can load any model."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from retrieval.adapters.models.tokens import Tokens
from retrieval.adapters.models.weights import BUNDLED_SHA256, Weights
from retrieval.ports.models import Vectors

LAYERS = 6
HEADS = 12
EPSILON = 1e-12
MAX_TOKENS = 256

CHECKED_TEXTS = (
    "Who approves travel?",
    "Café №7: Übergröße, “quoted”, 3.5 % of 北京 (see §4). " * 3,
    "The quick brown fox jumps. " * 200,
)
"""Short, with more than letters, and longer than the model reads."""

_CONFIGURATION_SHA256 = "23c9f7f35965db9b9bdaa135ae07c8200767186d282c109e39397b8d33b93b32"
_EXPECTED = Path(__file__).with_name("known.npy")


def is_known(weights: Weights) -> bool:
    """Whether these are the bundled weights with every file beside them that decides what the model does: tokenizer, pooling, prompts."""
    return weights.sha256 == BUNDLED_SHA256 and configuration_sha256(weights.directory) == _CONFIGURATION_SHA256


def configuration_sha256(directory: Path) -> str:
    """Of the names and contents of all JSON and text files of a model."""
    configuration = hashlib.sha256()
    for file in sorted(_configuration(directory), key=lambda file: file.relative_to(directory).as_posix()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        configuration.update(f"{file.relative_to(directory).as_posix()} {content}\n".encode())
    return configuration.hexdigest()


def known_tokens(weights: Weights) -> Tokens:
    """The tokenizer of a known model."""
    return Tokens.of(Tokenizer.from_file(str(weights.directory / "tokenizer.json")), max_tokens=MAX_TOKENS)


def expected_vectors() -> Vectors:
    """What sentence-transformers makes of `CHECKED_TEXTS` with the bundled model in float32. A test computes them anew."""
    vectors: Vectors = np.load(_EXPECTED, allow_pickle=False)
    return vectors


def _configuration(directory: Path) -> Iterable[Path]:
    return (file for pattern in ("*.json", "*.txt") for file in directory.rglob(pattern))
