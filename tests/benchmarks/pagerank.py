"""The graph leg beside networkx: `.venv/bin/python -m tests.benchmarks.pagerank`. Nothing is written.

- The walk over 6,000 passages and entities of 2WikiMultihopQA, from 100 different starts of five passages each: time of the product's
  power iteration and of `networkx.pagerank`, and whether the first ten are the same.
- Extraction: passages a second, one after the other, in processor time.
- The graph in memory: bytes for each passage.
"""

import sys
import time
from collections.abc import Mapping, Sequence

import networkx
import numpy as np
from scipy.sparse import csr_array

from retrieval.adapters.graph.segment import Segment
from retrieval.domain.entities import facts_of
from retrieval.domain.graph import PassageFacts
from retrieval.domain.ids import passage_id
from retrieval.evaluation.judged import read_corpus
from retrieval.ports.graph import GraphDocument
from retrieval.steps.graph import DAMPING, Transitions, pagerank
from tests.benchmarks.processes import REPOSITORY

DATA = REPOSITORY.parent / "shared" / "data" / "2wikimultihopqa"
NODES = 6_000
STARTS = 100
FIRST = 10
TOLERANCE = 1e-5
"""Of the sum of absolute differences: enough for the order of the first ten, as the comparison shows."""


def main() -> int:
    if not DATA.is_dir():
        print(f"needs {DATA}")
        return 1
    started = time.process_time()
    facts = [
        facts_of(passage_id(document.id, 0), title=document.title, heading_path=(), text=document.text)
        for document in read_corpus(DATA).documents
    ]
    print(f"extraction: {len(facts) / (time.process_time() - started):,.0f} passages a second of processor time")
    documents = [GraphDocument(f"doc_{number}", "wiki", 1, (passage,)) for number, passage in enumerate(facts)]
    print(f"in memory: {Segment.of(documents).size_bytes / len(facts):.0f} bytes a passage")
    weights, passages = bipartite(facts, nodes=NODES)
    print(f"walk over {weights.shape[0]:,} nodes with {weights.nnz:,} directed edges")
    for name, figure in compare(weights, passages).items():
        print(f"  {name}: {figure:.3f}")
    return 0


def bipartite(facts: Sequence[PassageFacts], *, nodes: int) -> tuple[csr_array, int]:
    """Passages and entities that several passages mention, as many as make so many nodes; and how many are passages, which come first."""
    mentioning: dict[str, list[int]] = {}
    for number, passage in enumerate(facts):
        for mention in passage.mentions:
            mentioning.setdefault(mention.entity, []).append(number)
    passages = nodes // 2
    shared = [sorted(set(rows)) for _, rows in sorted(mentioning.items()) if len({row for row in rows if row < passages}) > 1]
    edges = [(row, passages + at) for at, rows in enumerate(shared[: nodes - passages]) for row in rows if row < passages]
    rows, columns = np.array(edges).T
    ones = np.ones(2 * len(edges))
    return csr_array((ones, (np.r_[rows, columns], np.r_[columns, rows])), shape=(nodes, nodes)), passages


def compare(weights: csr_array, passages: int, *, starts: int = STARTS, seed: int = 1) -> Mapping[str, float]:
    """Milliseconds at the median, and the share of starts whose first ten, by score rounded to nine places and number, are the same."""
    graph = networkx.from_scipy_sparse_array(weights, create_using=networkx.DiGraph)
    random = np.random.default_rng(seed)
    own, prepared, reference, same = [], [], [], []
    for _ in range(starts):
        restart = np.zeros(weights.shape[0])
        restart[random.choice(passages, size=5, replace=False)] = random.uniform(0.1, 1.0, size=5)
        began = time.perf_counter()
        transitions = Transitions.of(weights)
        ready = time.perf_counter()
        rank = pagerank(transitions, restart, tolerance=TOLERANCE)
        ended = time.perf_counter()
        theirs = networkx.pagerank(graph, alpha=DAMPING, personalization=dict(enumerate(restart)), tol=1e-12, max_iter=500)
        own.append(ended - ready)
        prepared.append(ready - began)
        reference.append(time.perf_counter() - ended)
        same.append(_first(rank) == _first(np.array([theirs[node] for node in range(len(restart))])))
    return {
        "walk, ms": 1000 * float(np.median(own)),
        "transitions prepared, ms": 1000 * float(np.median(prepared)),
        "networkx.pagerank, ms": 1000 * float(np.median(reference)),
        "same first ten, share": float(np.mean(same)),
    }


def _first(rank: np.ndarray) -> list[int]:
    return np.lexsort((np.arange(len(rank)), -rank.round(9)))[:FIRST].tolist()


if __name__ == "__main__":
    sys.exit(main())
