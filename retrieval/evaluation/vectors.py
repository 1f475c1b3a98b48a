"""Embeddings of judged collections, kept on disk: embedding a collection takes minutes, everything else seconds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.domain.ids import text_hash
from retrieval.ports.models import Embedder, TokenEmbedder, TokenVectors, Vectors, token_embedder

SAVED_TEXTS = 256
"""Texts embedded between two savings: an interrupted evaluation goes on where it was."""
SAVED_WITH_TOKENS = 2048
"""The same with tokens, which make larger files."""


class VectorCache:
    """One file per model and name, keyed by text hash."""

    def __init__(self, directory: Path, embedder: Embedder) -> None:
        self._directory = directory / embedder.model
        self._embedder = embedder
        telling = token_embedder(embedder)
        self.tokens = TokenCache(directory, telling) if telling is not None else None

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


class TokenCache:
    """Vectors and tokens of a collection's passages, of one pass. One file per model and name, keyed by text hash."""

    def __init__(self, directory: Path, embedder: TokenEmbedder) -> None:
        self._directory = directory / embedder.model
        self._embedder = embedder

    def passages(
        self, name: str, texts: Sequence[str], prefixes: Sequence[str], *, progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> tuple[Vectors, list[TokenVectors]]:
        """One of each for every text, in order; embeds only what the file `name` does not hold yet."""
        path = self._directory / f"{name}.tokens.npz"
        held = _read_tokens(path)
        hashes = [text_hash(text) for text in texts]
        missing = {key: (text, prefix) for key, text, prefix in zip(hashes, texts, prefixes, strict=True) if key not in held}
        work = iter(sorted(missing.items(), key=lambda item: (-len(item[1][0]), item[0])))
        done = 0
        while batch := list(islice(work, SAVED_WITH_TOKENS)):
            found = self._embedder.embed_with_tokens([text for _, (text, _) in batch], [prefix for _, (_, prefix) in batch])
            held.update((key, one) for (key, _), *one in zip(batch, *found, strict=True))
            _write_tokens(path, held)
            done += len(batch)
            progress(done, len(missing))
        vectors, tokens = zip(*(held[key] for key in hashes), strict=True)
        return np.stack(vectors), list(tokens)


class KnownQueries:
    """`Embedder` that knows some queries' vectors and leaves other texts to the model: a query is embedded once, however often asked."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}
        self.model = embedder.model
        self.dimensions = embedder.dimensions
        self.max_tokens = embedder.max_tokens
        self._telling = token_embedder(embedder)
        self.gives_tokens = self._telling is not None

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

    def embed_with_tokens(self, texts: Sequence[str], prefixes: Sequence[str]) -> tuple[Vectors, Sequence[TokenVectors]]:
        assert self._telling is not None
        return self._telling.embed_with_tokens(texts, prefixes)

    def query_tokens(self, text: str) -> TokenVectors:
        assert self._telling is not None
        return self._telling.query_tokens(text)


def _read_tokens(path: Path) -> dict[str, list[Any]]:
    if not path.is_file():
        return {}
    with np.load(path) as kept:
        ends = np.cumsum(kept["counts"])
        tokens = zip(*(np.split(kept[part], ends[:-1]) for part in ("ids", "segments", "token_vectors")), strict=True)
        found = zip(kept["hashes"].tolist(), kept["vectors"], tokens, strict=True)
        return {key: [vector, TokenVectors(*parts)] for key, vector, parts in found}


def _write_tokens(path: Path, held: Mapping[str, Sequence[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    hashes = sorted(held)
    tokens = [held[key][1] for key in hashes]
    beside = path.with_suffix(".new.npz")
    np.savez(
        beside,
        hashes=np.array(hashes),
        vectors=np.stack([held[key][0] for key in hashes]),
        counts=np.array([len(found.ids) for found in tokens]),
        ids=np.concatenate([found.ids for found in tokens]),
        segments=np.concatenate([found.segments for found in tokens]),
        token_vectors=np.concatenate([found.vectors for found in tokens]),
    )
    beside.replace(path)


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
