"""Rankings of judged queries by each way of searching, and their figures."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retrieval.domain.runs import FusedHit, Run
from retrieval.evaluation.corpus_index import indexed_text, open_corpus_index
from retrieval.evaluation.judged import JudgedQueries, Split, read_corpus, read_queries
from retrieval.evaluation.metrics import METRICS, Ranking, mean, per_query
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder
from retrieval.ports.reading import LegRuns
from retrieval.settings import Settings
from retrieval.steps.fuse import fuse

Progress = Callable[[str, int, int], None]
"""Told what is embedded, how many texts are done, and of how many."""
Figures = Mapping[str, float]
"""Metric name to its mean over the queries."""
Configuration = Callable[[LegRuns], Ranking]


@dataclass(frozen=True)
class JudgedRuns:
    """Both legs' runs of every query of one split."""

    queries: JudgedQueries
    runs: Mapping[str, LegRuns]

    def figures(self, configuration: Configuration) -> Figures:
        rankings = {query: configuration(runs) for query, runs in self.runs.items()}
        return {name: mean(per_query(metric, rankings, self.queries.qrels)) for name, metric in METRICS.items()}


Search = Callable[[Split], JudgedRuns]


def configurations(settings: Settings) -> Mapping[str, Configuration]:
    """What is measured, by name. `default` is what the product does with these settings."""

    def fused(runs: LegRuns) -> Ranking:
        return ids(fuse(runs.lexical, runs.dense, lexical_weight=settings.fusion_lexical_weight))

    return {"lexical": lambda runs: ids(runs.lexical), "dense": lambda runs: ids(runs.dense), "fused": fused, "default": fused}


def ids(ranked: Run | tuple[FusedHit, ...]) -> Ranking:
    """The documents of a run or a fusion, best first."""
    return [hit.passage for hit in (ranked.hits if isinstance(ranked, Run) else ranked)]


@contextmanager
def open_collection(directory: Path, embedder: Embedder, cache: VectorCache, *, depth: int, progress: Progress) -> Iterator[Search]:
    """Searches the collection in `directory`, embedded and indexed, with the queries of a split; `depth` is the hits of each leg."""
    corpus = read_corpus(directory)
    texts = [indexed_text(document) for document in corpus.documents]
    vectors = cache.vectors(f"{corpus.name}.corpus", texts, progress=lambda done, total: progress(corpus.name, done, total))
    with open_corpus_index(corpus, vectors, model=embedder.model) as index:

        def search(split: Split) -> JudgedRuns:
            queries = read_queries(directory, split)
            embedded = cache.vectors(f"{corpus.name}.queries.{split}", list(queries.texts.values()))
            found = zip(queries.texts.items(), embedded, strict=True)
            return JudgedRuns(queries, {query: index.search(text, vector, depth=depth) for (query, text), vector in found})

        yield search
