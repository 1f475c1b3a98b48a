"""Many passages of real text with real vectors, without embedding each: windows over the evaluation texts, kept between runs.

Every 20 words of a document are a block, and blocks are embedded as they are. A passage is up to five blocks in a row, about 100 words,
and begins at every block; its vector is the mean of its blocks' vectors. So neighbouring passages overlap, and 129,000 short texts give as
many passages. Where more vectors are wanted, those of blocks and of pairs of blocks are taken.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.ports.models import Embedder, Vectors
from tests.benchmarks import corpus
from tests.benchmarks.report import console
from tests.benchmarks.world import World

BLOCK_WORDS, BLOCKS_PER_PASSAGE = 20, 5
COLLECTIONS = ("scifact", "nfcorpus", "2wikimultihopqa", "clapnq_dev", "xquad_en")
ASKED = ("scifact", "nfcorpus", "clapnq_dev", "2wikimultihopqa")
FORM = 1
"""Of the windows; another number embeds everything anew."""
SEED = 11


@dataclass(frozen=True)
class WindowedDocument:
    """A document's words in blocks; `first` is the number of its first block among all."""

    id: str
    title: str
    blocks: tuple[str, ...]
    first: int

    def passage(self, at: int) -> str:
        """The text of the passage that begins at block `at`; blocks end with a space but for the last."""
        return "".join(self.blocks[at : at + BLOCKS_PER_PASSAGE])


@dataclass(frozen=True)
class Windows:
    """Documents of all collections in a random order that is the same every time, and their blocks' unit vectors.

    Attributes:
        vectors: shape (blocks, dimensions), float32.
        query_vectors: shape (queries, dimensions).
    """

    documents: Sequence[WindowedDocument]
    vectors: Vectors
    queries: Sequence[str]
    query_vectors: Vectors

    def passage_vectors(self, blocks_per_passage: int = BLOCKS_PER_PASSAGE) -> Vectors:
        """Shape (blocks, dimensions): row n is of the passage that begins at block n."""
        found = np.empty_like(self.vectors)
        for document in self.documents:
            end = document.first + len(document.blocks)
            for at in range(document.first, end):
                mean = self.vectors[at : min(at + blocks_per_passage, end)].mean(axis=0)
                found[at] = mean / np.linalg.norm(mean)
        return found


def read(world: World, embedder: Embedder) -> Windows:
    """Windows of everything, or of few documents in a small world. The first call embeds them, which takes some minutes."""
    documents = _documents(world)
    queries = _queries(world)
    blocks = [block for document in documents for block in document.blocks]
    file = world.directory / f"windows-{_digest(embedder.model, blocks, queries)}.npz"
    if not file.exists():
        console().print(f"embedding {len(blocks):,} blocks of {BLOCK_WORDS} words, once")
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npz")
        np.savez(part, blocks=embedder.embed(blocks).astype(np.float16), queries=embedder.embed(queries))
        part.rename(file)
    stored = np.load(file)
    return Windows(documents, _unit(stored["blocks"]), queries, _unit(stored["queries"]))


def _documents(world: World) -> list[WindowedDocument]:
    found = []
    for name in COLLECTIONS:
        every = corpus.documents(world.evaluation_data, corpus.Collection(name, name, "", 0, 0))
        for number, document in enumerate(every):
            if not world.small or number < 40:
                found.append((f"{name}/{number}-{document.id}", document.title, _blocks(document.text)))
    random.Random(SEED).shuffle(found)
    documents, first = [], 0
    for id_, title, blocks in found:
        if blocks:
            documents.append(WindowedDocument(id_, title, blocks, first))
            first += len(blocks)
    return documents


def _blocks(text: str) -> tuple[str, ...]:
    words = text.split()
    starts = range(0, len(words), BLOCK_WORDS)
    return tuple(" ".join(words[at : at + BLOCK_WORDS]) + (" " if at + BLOCK_WORDS < len(words) else "") for at in starts)


def _queries(world: World) -> list[str]:
    """Test queries of four collections in a random order: how they are ranked is not measured with them."""
    found = [query for folder in ASKED for query in corpus.queries(world.evaluation_data, folder)]
    different = list(dict.fromkeys(found))
    random.Random(SEED).shuffle(different)
    return different[: world.count(1_000, 60)]


def _digest(model: str, blocks: Sequence[str], queries: Sequence[str]) -> str:
    hashed = hashlib.blake2b(repr((FORM, model, len(blocks))).encode(), digest_size=8)
    for text in (*blocks, *queries):
        hashed.update(text.encode("utf-8", "replace") + b"\0")
    return hashed.hexdigest()


def _unit(rows: Vectors) -> Vectors:
    wide = rows.astype(np.float32)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)
