"""Embeddings of judged collections, kept on disk: embedding a collection takes minutes, everything else seconds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from retrieval.domain.ids import text_hash
from retrieval.ports.models import Embedder, Vectors

SAVED_TEXTS = 256
"""Texts embedded between two savings: an interrupted evaluation goes on where it was."""


class VectorCache:
    """One file per model and name, keyed by text hash."""

    def __init__(self, directory: Path, embedder: Embedder) -> None:
        self._directory = directory / embedder.model
        self._embedder = embedder

    def vectors(self, name: str, texts: Sequence[str], *, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Vectors:
        """Shape (len(texts), dimensions), in the order of `texts`; embeds only what the file `name` does not hold yet."""
        path = self._directory / f"{name}.npz"
        held = _read(path)
        hashes = [text_hash(text) for text in texts]
        missing = {key: text for key, text in zip(hashes, texts, strict=True) if key not in held}
        longest_first = iter(sorted(missing.items(), key=lambda item: (-len(item[1]), item[0])))
        total = len(missing)
        while batch := list(islice(longest_first, SAVED_TEXTS)):
            embedded = self._embedder.embed([text for _, text in batch])
            held.update(zip((key for key, _ in batch), embedded, strict=True))
            _write(path, held)
            missing = {key: text for key, text in missing.items() if key not in held}
            progress(total - len(missing), total)
        return np.stack([held[key] for key in hashes])


class KnownQueries:
    """`Embedder` that knows some queries' vectors and leaves other texts to the model: a query is embedded once, however often asked."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}
        self.model = embedder.model
        self.dimensions = embedder.dimensions
        self.max_tokens = embedder.max_tokens

    def learn(self, texts: Iterable[str], vectors: Vectors) -> None:
        """`vectors` has one row for each text."""
        self._known.update(zip(texts, vectors, strict=True))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._embedder.count_tokens(texts)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.embed(texts)

    def embed_query(self, text: str) -> Vectors:
        known = self._known.get(text)
        return self._embedder.embed_query(text) if known is None else known


def _read(path: Path) -> dict[str, Vectors]:
    if not path.is_file():
        return {}
    with np.load(path) as kept:
        return dict(zip(kept["hashes"].tolist(), kept["vectors"], strict=True))


def _write(path: Path, held: Mapping[str, Vectors]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    hashes = sorted(held)
    beside = path.with_suffix(".new.npz")
    np.savez(beside, hashes=np.array(hashes), vectors=np.stack([held[key] for key in hashes]))
    beside.replace(path)
