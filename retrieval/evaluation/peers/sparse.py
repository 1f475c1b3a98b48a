"""bm25s with the tokenizer it brings, English stop words left out; there is no stemmer unless PyStemmer is installed."""

from collections.abc import Sequence

import bm25s
import numpy as np

from retrieval.evaluation.peers.shelf import Ask, Shelf
from retrieval.ports.models import Vectors


def bm25s_index(texts: Sequence[str]) -> bm25s.BM25:
    index = bm25s.BM25()
    index.index(bm25s.tokenize(list(texts), stopwords="en", show_progress=False), show_progress=False)
    return index


def found(index: bm25s.BM25, text: str, *, depth: int) -> list[tuple[int, float]]:
    """(place in the collection, score above 0) of the best documents, best first."""
    tokens = bm25s.tokenize([text], stopwords="en", show_progress=False, return_ids=False)
    places, scores = index.retrieve(tokens, k=min(depth, index.scores["num_docs"]), show_progress=False)
    return [(int(at), float(score)) for at, score in zip(np.ravel(places), np.ravel(scores), strict=True) if score > 0]


def bm25s_alone(shelf: Shelf) -> Ask:
    index = bm25s_index(shelf.texts)

    def ask(text: str, vector: Vectors) -> Sequence[str]:
        del vector
        return [shelf.ids[at] for at, _ in found(index, text, depth=shelf.depth)]

    return ask
