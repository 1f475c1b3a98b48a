"""rank_bm25 as its README shows it: BM25Okapi over words in lower case."""

import re
from collections.abc import Sequence

from rank_bm25 import BM25Okapi

from retrieval.evaluation.peers.shelf import Ask, Shelf
from retrieval.ports.models import Vectors

_WORD = re.compile(r"\w+")


def rank_bm25(shelf: Shelf) -> Ask:
    index = BM25Okapi([_words(text) for text in shelf.texts])

    def ask(text: str, vector: Vectors) -> Sequence[str]:
        del vector
        return shelf.best(index.get_scores(_words(text)))

    return ask


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
