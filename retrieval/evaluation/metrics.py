"""How good a ranking is against judged relevance. The definitions of trec_eval, so that figures compare with published ones."""

import math
from collections.abc import Callable, Mapping, Sequence

from retrieval.evaluation.judged import Qrels

Ranking = Sequence[str]
"""Document ids, best first, none twice."""
Grades = Mapping[str, int]
Metric = Callable[[Ranking, Grades], float]


def ndcg(at: int) -> Metric:
    """Normalised discounted cumulative gain of the first `at`, gain linear in the grade (trec_eval's `ndcg_cut`).

    Jaervelin and Kekaelaeinen, "Cumulated gain-based evaluation of IR techniques" (TOIS 2002).
    """

    def metric(ranking: Ranking, grades: Grades) -> float:
        ideal = _discounted(sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:at])
        found = _discounted([max(grades.get(document, 0), 0) for document in ranking[:at]])
        return found / ideal if ideal else 0.0

    return metric


def recall(at: int) -> Metric:
    """Share of the relevant documents that are among the first `at`."""

    def metric(ranking: Ranking, grades: Grades) -> float:
        relevant = {document for document, grade in grades.items() if grade > 0}
        return len(relevant.intersection(ranking[:at])) / len(relevant) if relevant else 0.0

    return metric


def reciprocal_rank(at: int) -> Metric:
    """1 / rank of the first relevant document; 0 when the first `at` hold none. Its mean is MRR@at."""

    def metric(ranking: Ranking, grades: Grades) -> float:
        return next((1 / rank for rank, document in enumerate(ranking[:at], 1) if grades.get(document, 0) > 0), 0.0)

    return metric


def success(at: int) -> Metric:
    """1 when a relevant document is among the first `at`, else 0."""

    def metric(ranking: Ranking, grades: Grades) -> float:
        return float(any(grades.get(document, 0) > 0 for document in ranking[:at]))

    return metric


def average_precision(ranking: Ranking, grades: Grades) -> float:
    """Precision at the rank of each relevant document, 0 for those not found, averaged. Its mean is MAP (trec_eval's `map`).

    Of the ranking as it is: one that ends at rank 100 has found nothing below.
    """
    relevant = sum(grade > 0 for grade in grades.values())
    ranks = [rank for rank, document in enumerate(ranking, 1) if grades.get(document, 0) > 0]
    return math.fsum(found / rank for found, rank in enumerate(ranks, 1)) / relevant if relevant else 0.0


METRICS: Mapping[str, Metric] = {
    **{f"ndcg@{at}": ndcg(at) for at in (10, 1, 5)},
    **{f"recall@{at}": recall(at) for at in (100, 1, 2, 5, 10, 20)},
    "mrr@10": reciprocal_rank(10),
    **{f"success@{at}": success(at) for at in (1, 5, 10)},
    "map": average_precision,
}
"""What is reported, by name; 1 is best of each."""
SHOWN = ("ndcg@10", "recall@2", "recall@5", "recall@100", "mrr@10")
"""What tables show of it."""


def per_query(metric: Metric, rankings: Mapping[str, Ranking], qrels: Qrels) -> dict[str, float]:
    """The metric of every judged query; a query without a ranking has found nothing."""
    return {query: metric(rankings.get(query, ()), grades) for query, grades in qrels.items()}


def mean(values: Mapping[str, float]) -> float:
    """Over all queries; 0 of none."""
    return math.fsum(values.values()) / len(values) if values else 0.0


def _discounted(gains: Sequence[int]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
