"""Measuring the product, and its peers beside it, on one judged collection."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from retrieval.evaluation.corpus_index import indexed_text
from retrieval.evaluation.judged import Split
from retrieval.evaluation.metrics import Ranking
from retrieval.evaluation.peers.shelf import Peer, Shelf
from retrieval.evaluation.peers.table import PEERS
from retrieval.evaluation.ranking import JudgedRuns, Progress, configurations, open_collection
from retrieval.evaluation.results import Measured, scored
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder
from retrieval.settings import Settings


def load_peers(names: Sequence[str]) -> Mapping[str, Peer]:
    """Raises InvalidInput when the libraries of one are not installed."""
    return {name: PEERS[name]() for name in names}


def measure(
    settings: Settings,
    directory: Path,
    split: Split,
    *,
    embedder: Embedder,
    cache: VectorCache,
    peers: Mapping[str, Peer],
    progress: Progress,
) -> Measured:
    """Every configuration of the product, then every peer, on the same queries, texts and vectors.

    Args:
        settings: of the product.
        directory: the collection's.
        split: which of its queries.
        embedder: of its texts, where `cache` does not hold their vectors yet.
        cache: vectors from earlier evaluations.
        peers: by name.
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
        for name, peer in peers.items():
            rankings[name] = _peer_rankings(judged, peer, f"{judged.queries.collection}: {name}", settings.query_depth, progress)
    queries = judged.queries
    scores = {name: scored(ranking, queries.qrels) for name, ranking in rankings.items()}
    return Measured(queries.collection, split.value, queries.texts, scores, rankings)


def _peer_rankings(judged: JudgedRuns, peer: Peer, doing: str, depth: int, progress: Progress) -> Mapping[str, Ranking]:
    total = len(judged.asked)
    progress(doing, 0, total)
    index = judged.asked[0].index if judged.asked else None
    if index is None:
        return {}
    documents = index.corpus.documents
    ask = peer(Shelf([document.id for document in documents], [indexed_text(document) for document in documents], index.matrix, depth))
    found: dict[str, Ranking] = {}
    for asked in judged.asked:
        found[asked.id] = ask(asked.text, asked.vector)
        progress(doing, len(found), total)
    return found
