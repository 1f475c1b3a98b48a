"""Rankings of judged queries by each way of searching, and their figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from retrieval.domain.queries import Query
from retrieval.domain.runs import FusedHit, Run
from retrieval.evaluation.corpus_index import EVALUATION, CorpusIndex, indexed_text, open_corpus_index
from retrieval.evaluation.judged import Corpus, JudgedQueries, Split, read_corpus, read_queries
from retrieval.evaluation.metrics import METRICS, Ranking, mean, per_query
from retrieval.evaluation.vectors import KnownQueries, VectorCache
from retrieval.ports.models import Embedder, TokenVectors, Vectors
from retrieval.ports.reading import LegRuns, LegSearch
from retrieval.settings import Settings
from retrieval.steps.fuse import fuse

Progress = Callable[[str, int, int], None]
"""Told what is embedded, how many texts are done, and of how many."""
Figures = Mapping[str, float]
"""Metric name to its mean over the queries."""
Scores = Mapping[str, Mapping[str, float]]
"""Metric name to query id to its value."""


@dataclass(frozen=True)
class Asked:
    """One judged query as a configuration is given it.

    Attributes:
        id: the collection's own.
        vector: shape (dimensions,), unit length.
        runs: of both legs, in passage ids; `index.passages` has each one's text and title.
        index: the collection, with every passage's text, title and vector, and the product's service over it.
    """

    id: str
    text: str
    vector: Vectors = field(repr=False)
    runs: LegRuns = field(repr=False)
    index: CorpusIndex = field(repr=False)


Configuration = Callable[[Asked], Sequence[str]]
"""Passage ids, best first."""


@dataclass(frozen=True)
class JudgedRuns:
    """Every query of one split, with both legs' runs."""

    queries: JudgedQueries
    asked: Sequence[Asked]

    def rankings(self, configuration: Configuration) -> Mapping[str, Ranking]:
        """Query id to the collection's document ids, best first."""
        return {asked.id: asked.index.documents(configuration(asked)) for asked in self.asked}

    def figures(self, configuration: Configuration) -> Figures:
        rankings = self.rankings(configuration)
        return {name: mean(per_query(metric, rankings, self.queries.qrels)) for name, metric in METRICS.items()}


Search = Callable[[Split], JudgedRuns]


def configurations(settings: Settings) -> Mapping[str, Configuration]:
    """What is measured of the product, by name.

    `default` is what the product does with these settings, by the service that callers ask. `fused` is the fixed convex combination of
    the two legs, the yardstick of everything that comes after it.
    """

    def fused(asked: Asked) -> Sequence[str]:
        return ids(fuse(asked.runs.lexical, asked.runs.dense, lexical_weight=settings.fusion_lexical_weight))

    def served(settings: Settings) -> Configuration:
        query = partial(Query, top_k=settings.query_max_top_k, depth=settings.query_depth)
        return lambda asked: [hit.passage.id for hit in asked.index.service(settings).retrieve(EVALUATION, query(asked.text)).hits]

    return {
        "lexical": lambda asked: ids(asked.runs.lexical),
        "dense": lambda asked: ids(asked.runs.dense),
        "fused": fused,
        "default": served(settings),
        **{name: served(settings.model_copy(update=switched)) for name, switched in LEFT_OUT.items()},
    }


LEFT_OUT: Mapping[str, Mapping[str, object]] = {
    "without_graph": {"graph_weight": 0.0},
    "without_reranking": {"rerank_passages": 0},
}
"""The product less one of its steps, by name: what that step is worth."""


def ids(ranked: Run | tuple[FusedHit, ...]) -> Sequence[str]:
    """The passages of a run or a fusion, best first."""
    return [hit.passage for hit in (ranked.hits if isinstance(ranked, Run) else ranked)]


@contextmanager
def open_collection(directory: Path, embedder: Embedder, cache: VectorCache, *, depth: int, progress: Progress) -> Iterator[Search]:
    """Searches the collection in `directory`, embedded and indexed, with the queries of a split; `depth` is the hits of each leg."""
    corpus = read_corpus(directory)
    texts = [indexed_text(document) for document in corpus.documents]
    vectors, tokens = _embedded(corpus, texts, cache, lambda done, total: progress(corpus.name, done, total))
    known = KnownQueries(embedder)
    with open_corpus_index(corpus, vectors, embedder=known, tokens=tokens) as index:

        def search(split: Split) -> JudgedRuns:
            queries = read_queries(directory, split)
            embedded = cache.vectors(f"{corpus.name}.queries.{split}", list(queries.texts.values()))
            known.learn(queries.texts.values(), embedded)
            asked = []
            for (query, text), vector in zip(queries.texts.items(), embedded, strict=True):
                runs = index.search(index.scope, LegSearch(text, vector, depth))
                asked.append(Asked(query, text, vector, runs, index))
            return JudgedRuns(queries, asked)

        yield search


def _embedded(
    corpus: Corpus, texts: Sequence[str], cache: VectorCache, progress: Callable[[int, int], None]
) -> tuple[Vectors, Sequence[TokenVectors]]:
    if cache.tokens is None:
        return cache.vectors(f"{corpus.name}.corpus", texts, progress=progress), ()
    return cache.tokens.passages(f"{corpus.name}.corpus", texts, [document.title for document in corpus.documents], progress=progress)
