"""What was measured on one set of queries: every configuration's values, query by query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.evaluation.comparison import RESAMPLES, Comparison, compare_each
from retrieval.evaluation.metrics import METRICS, Ranking, mean, per_query
from retrieval.evaluation.ranking import Figures, Scores

DEFAULT = "default"
"""The configuration that the product's own settings give."""


@dataclass(frozen=True)
class Measured:
    """One collection, or one file of golden questions.

    Attributes:
        collection: its name.
        split: which of its queries.
        texts: query id to the query.
        scores: configuration to metric to query id to value.
        rankings: configuration to query id to documents, best first.
    """

    collection: str
    split: str
    texts: Mapping[str, str]
    scores: Mapping[str, Scores]
    rankings: Mapping[str, Mapping[str, Ranking]] = field(repr=False)

    def figures(self) -> Mapping[str, Figures]:
        """Configuration to metric to its mean over the queries."""
        return {name: {metric: mean(values) for metric, values in scores.items()} for name, scores in self.scores.items()}

    def significance(
        self, metrics: Sequence[str] = tuple(METRICS), *, resamples: int = RESAMPLES
    ) -> Mapping[str, Mapping[str, Comparison]]:
        """Every other configuration to metric to how `default` compares with it; nothing where there is no `default`."""
        ours = self.scores.get(DEFAULT)
        others = [name for name in self.scores if name != DEFAULT]
        if ours is None or not others:
            return {}
        pairs = [(name, metric) for name in others for metric in metrics]
        compared = compare_each(
            {f"{name} {metric}": self.scores[name][metric] for name, metric in pairs},
            {f"{name} {metric}": ours[metric] for name, metric in pairs},
            resamples=resamples,
        )
        return {name: {metric: compared[f"{name} {metric}"] for metric in metrics} for name in others}


def scored(rankings: Mapping[str, Ranking], qrels: Mapping[str, Mapping[str, int]]) -> Scores:
    """Metric to query id to value. A query without a ranking has found nothing."""
    return {name: per_query(metric, rankings, qrels) for name, metric in METRICS.items()}
