"""What was tuned on what, and the fusion's weight by nDCG@10 and recall@100, on tuning queries only.

Run as `make tune`. Each collection counts once, whatever number of tuning splits it has. The second table of each kind leaves one
collection out: its nDCG@10 at the weight that is best on all the others, which is what a collection gets that nobody has tuned on.
"""

import sys
from collections.abc import Mapping, Sequence
from statistics import fmean

from rich.console import Console
from rich.table import Table

from retrieval.bootstrap import open_embedder
from retrieval.evaluation.judged import Split
from retrieval.evaluation.ranking import Asked, Configuration, Figures, JudgedRuns, ids, open_collection
from retrieval.evaluation.run import WIDTH, shown_progress
from retrieval.evaluation.tuned import tuned_table
from retrieval.evaluation.vectors import VectorCache
from retrieval.settings import Settings
from retrieval.steps.fuse import Method, fuse_as

TUNING: Mapping[str, tuple[Split, ...]] = {
    "scifact": (Split.TRAIN,),
    "nfcorpus": (Split.DEV, Split.TRAIN),
    "2wikimultihopqa": (Split.DEV,),
    "clapnq_dev": (Split.DEV,),
    "xquad_en": (Split.DEV,),
}
"""Every tuning split that there is."""
WEIGHTS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
METHODS: Mapping[Method, str] = {"convex": "convex combination", "rank": "reciprocal ranks", "distribution": "standardised scores"}
METRIC = "ndcg@10"

Found = Mapping[float, Mapping[str, Figures]]
"""Weight to collection to figures."""


def main() -> int:
    settings, console = Settings(), Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(tuned_table())
    judged = tuning_runs(settings, console)
    for method, name in METHODS.items():
        found = {weight: {each: figures(runs, _fused(method, weight)) for each, runs in judged.items()} for weight in WEIGHTS}
        console.print(_sweep(found, title=f"{name}, by the lexical leg's weight"))
        console.print(_left_out(found, title=f"{name}, weight chosen on the other collections"))
    return 0


def tuning_runs(settings: Settings, console: Console) -> Mapping[str, Sequence[JudgedRuns]]:
    """Collection to the runs of its tuning splits. Their passages' texts and vectors can be read, their indexes are closed."""
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    judged: dict[str, Sequence[JudgedRuns]] = {}
    with shown_progress(console) as progress:
        for name, splits in TUNING.items():
            with open_collection(
                settings.evaluation_directory / name, embedder, cache, depth=settings.query_depth, progress=progress
            ) as search:
                judged[name] = [search(split) for split in splits]
    return judged


def figures(splits: Sequence[JudgedRuns], configuration: Configuration) -> Figures:
    """The mean over a collection's splits, each counting once."""
    found = [runs.figures(configuration) for runs in splits]
    return {metric: fmean(one[metric] for one in found) for metric in found[0]}


def best_without(found: Found, left_out: str) -> float:
    """The weight with the highest mean nDCG@10 over the other collections; of equals the lowest."""
    return max(found, key=lambda weight: (fmean(one[METRIC] for name, one in found[weight].items() if name != left_out), -weight))


def _fused(method: Method, weight: float) -> Configuration:
    def configuration(asked: Asked) -> Sequence[str]:
        return ids(fuse_as(method, asked.runs.lexical, asked.runs.dense, lexical_weight=weight))

    return configuration


def _sweep(found: Found, *, title: str) -> Table:
    collections = list(next(iter(found.values())))
    shown = Table("weight", f"mean {METRIC}", "mean recall@100", *collections, title=title)
    for weight, by_collection in found.items():
        means = [fmean(one[metric] for one in by_collection.values()) for metric in (METRIC, "recall@100")]
        shown.add_row(f"{weight}", *(f"{cell:.4f}" for cell in (*means, *(by_collection[name][METRIC] for name in collections))))
    return shown


def _left_out(found: Found, *, title: str) -> Table:
    shown = Table("left out", "weight", METRIC, "its own best", title=title)
    for name in next(iter(found.values())):
        weight = best_without(found, name)
        best = max(by_collection[name][METRIC] for by_collection in found.values())
        shown.add_row(name, f"{weight}", f"{found[weight][name][METRIC]:.4f}", f"{best:.4f}")
    return shown


if __name__ == "__main__":
    sys.exit(main())
