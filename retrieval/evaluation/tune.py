"""How the fusion's constants were chosen: nDCG@10 and recall@100 by lexical weight, on tuning queries only.

Run as `python -m retrieval.evaluation.tune`. The default of the setting `fusion_lexical_weight` is the weight with the best nDCG@10,
each collection counting once. `steps.fuse.DENSE_FLOOR` was chosen in the same way, by trying others in its place.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from rich.console import Console
from rich.table import Table

from retrieval.bootstrap import open_embedder
from retrieval.evaluation.judged import Split
from retrieval.evaluation.ranking import Asked, Configuration, Figures, JudgedRuns, ids, open_collection
from retrieval.evaluation.vectors import VectorCache
from retrieval.settings import Settings
from retrieval.steps.fuse import fuse, fuse_by_rank

TUNING: Mapping[str, tuple[Split, ...]] = {"scifact": (Split.TRAIN,), "nfcorpus": (Split.DEV, Split.TRAIN)}
WEIGHTS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)


def main() -> int:
    settings, console = Settings(), Console()
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    judged: dict[str, list[JudgedRuns]] = {}
    for name, splits in TUNING.items():
        directory = settings.evaluation_directory / name
        with open_collection(directory, embedder, cache, depth=settings.query_depth, progress=lambda *_: None) as search:
            judged[name] = [search(split) for split in splits]
    shown = Table("fusion", "lexical weight", "mean ndcg@10", "mean recall@100", *(f"{name} ndcg@10" for name in judged))
    for fusion in ("scores", "ranks"):
        for weight in WEIGHTS:
            found = {name: _figures(runs, _configuration(fusion, weight)) for name, runs in judged.items()}
            cells = [_mean(found.values(), "ndcg@10"), _mean(found.values(), "recall@100"), *(one["ndcg@10"] for one in found.values())]
            shown.add_row(fusion, f"{weight}", *(f"{cell:.4f}" for cell in cells))
        shown.add_section()
    console.print(shown)
    return 0


def _configuration(fusion: str, weight: float) -> Configuration:
    def by_scores(asked: Asked) -> Sequence[str]:
        return ids(fuse(asked.runs.lexical, asked.runs.dense, lexical_weight=weight))

    def by_ranks(asked: Asked) -> Sequence[str]:
        return ids(fuse_by_rank(asked.runs.lexical, asked.runs.dense, lexical_weight=weight))

    return by_scores if fusion == "scores" else by_ranks


def _figures(splits: Iterable[JudgedRuns], configuration: Configuration) -> Figures:
    """The mean over a collection's splits, each counting once."""
    found = [runs.figures(configuration) for runs in splits]
    return {metric: _mean(found, metric) for metric in found[0]}


def _mean(found: Iterable[Figures], metric: str) -> float:
    return fmean(figures[metric] for figures in found)


if __name__ == "__main__":
    sys.exit(main())
