"""Measuring the product, and its peers beside it, on one judged collection."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from retrieval.domain.errors import InvalidInput
from retrieval.evaluation.corpus_index import indexed_text
from retrieval.evaluation.judged import Split
from retrieval.evaluation.metrics import Ranking
from retrieval.evaluation.peers.asking import ask_peers
from retrieval.evaluation.peers.shelf import Shelf
from retrieval.evaluation.peers.table import PEERS
from retrieval.evaluation.ranking import JudgedRuns, Progress, configurations, open_collection
from retrieval.evaluation.results import Measured, scored
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder
from retrieval.settings import Settings


def check_peers(names: Sequence[str]) -> None:
    """Raises InvalidInput when there is no such peer, or its libraries are not installed."""
    for name in names:
        if name not in PEERS:
            raise InvalidInput.of("peer", "is none of those there are", limit=", ".join(PEERS))
        PEERS[name]()


def measure(
    settings: Settings,
    directory: Path,
    split: Split,
    *,
    embedder: Embedder,
    cache: VectorCache,
    peers: Sequence[str],
    pool: Executor,
    progress: Progress,
) -> Measured:
    """Every configuration of the product, then every peer, on the same queries, texts and vectors.

    Args:
        settings: of the product.
        directory: the collection's.
        split: which of its queries.
        embedder: of its texts, where `cache` does not hold their vectors yet.
        cache: vectors from earlier evaluations.
        peers: names of those to be measured.
        pool: where they are asked.
        progress: told what is done, how much of it, and of how much.

    Raises:
        FileNotFoundError: there is no such collection or split.
    """
    rankings: dict[str, Mapping[str, Ranking]] = {}
    told: Progress = lambda name, done, total: progress(f"embedding {name}", done, total)  # noqa: E731 - a name for the type
    with open_collection(directory, embedder, cache, depth=settings.query_depth, progress=told) as search:
        judged = search(split)
        for name, configuration in configurations(settings).items():
            rankings[name] = judged.rankings(configuration)
        rankings |= _peer_rankings(judged, peers, pool, settings.query_depth, progress)
    queries = judged.queries
    scores = {name: scored(ranking, queries.qrels) for name, ranking in rankings.items()}
    return Measured(queries.collection, split.value, queries.texts, scores, rankings)


def _peer_rankings(
    judged: JudgedRuns, peers: Sequence[str], pool: Executor, depth: int, progress: Progress
) -> Mapping[str, Mapping[str, Ranking]]:
    index = judged.asked[0].index
    documents = index.corpus.documents
    shelf = Shelf([document.id for document in documents], [indexed_text(document) for document in documents], index.matrix, depth)
    questions = [(asked.id, asked.text, asked.vector) for asked in judged.asked]
    told = partial(progress, f"{index.corpus.name}: asking peers")
    return ask_peers(peers, shelf, questions, pool=pool, progress=told)
