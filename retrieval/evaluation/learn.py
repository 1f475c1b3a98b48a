"""Learn the feature reranker from tuning splits: `python -m retrieval.evaluation.learn`.

A listwise softmax over the hits of each query (Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach", ICML 2007),
each collection with the square root of its queries' weight, several networks averaged (Breiman, "Bagging Predictors", 1996). `--leave-out`
learns without each collection in turn and reports what that one loses or gains: how the reranker does where it has learned nothing.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn

from retrieval.bootstrap import open_embedder
from retrieval.evaluation.judged import Split
from retrieval.evaluation.metrics import Grades, ndcg
from retrieval.evaluation.ranking import Asked, JudgedRuns, open_collection
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.reading import LegSearch
from retrieval.settings import Settings
from retrieval.steps import feature_model
from retrieval.steps.features import FEATURES, LEG_FEATURES, features
from retrieval.steps.token_text import Floats

TUNING = (
    ("scifact", Split.TRAIN),
    ("nfcorpus", Split.TRAIN),
    ("nfcorpus", Split.DEV),
    ("2wikimultihopqa", Split.DEV),
    ("clapnq_dev", Split.DEV),
    ("xquad_en", Split.DEV),
)
MOST_QUERIES = 900
"""Of one split, evenly spread: judged queries of one collection teach less and less."""
NETWORKS = 6
UNITS = 12
EPOCHS = 40
WEIGHT_DECAY = 0.02
LEARNING_RATE = 0.01
MOST_GRADE = 2
DROPPED = 0.1
"""Share of features that a network does not see at a time: none may lean on one of them (Srivastava et al., "Dropout", JMLR 2014)."""
_FILE = Path(feature_model.__file__).with_suffix(".json")


@dataclass(frozen=True)
class Judged:
    """One query's hits: features, shape (hits, columns), grades, shape (hits,), and what of its relevant documents there is in all."""

    x: Floats
    y: Floats
    passages: Sequence[str]
    grades: Grades


Lesson = Mapping[tuple[str, Split], Sequence[Judged]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Learns both models and writes them beside the code that reads them, or reports what each left-out collection gets."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.evaluation.learn", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--leave-out", action="store_true", help="learn without each collection in turn, report, write nothing")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    lesson = read_lesson(Settings(), Console())
    if chosen.leave_out:
        for collection in dict.fromkeys(name for name, _ in TUNING):
            report({key: judged for key, judged in lesson.items() if key[0] == collection}, learn(lesson, without=collection))
        return 0
    models = {"tokens": learn(lesson), "legs": learn(lesson, columns=len(LEG_FEATURES))}
    report(lesson, models["tokens"])
    kept = {"learned_from": [f"{name} {split}" for name, split in TUNING], "models": {name: as_json(one) for name, one in models.items()}}
    _FILE.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    return 0


def read_lesson(settings: Settings, console: Console) -> Lesson:
    """What the reranker would be given for each tuning query, with the grades."""
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    lesson: dict[tuple[str, Split], Sequence[Judged]] = {}
    for name in dict.fromkeys(name for name, _ in TUNING):
        with open_collection(
            settings.evaluation_directory / name, embedder, cache, depth=settings.query_depth, progress=lambda *_told: None
        ) as search:
            for split in (split for collection, split in TUNING if collection == name):
                runs = search(split)
                step = -(-len(runs.asked) // MOST_QUERIES)
                lesson[name, split] = [_judged(asked, runs, settings) for asked in runs.asked[::step]]
                console.print(f"{name} {split}: {len(lesson[name, split])} queries")
    return lesson


def _judged(asked: Asked, runs: JudgedRuns, settings: Settings) -> Judged:
    index = asked.index
    compared = index.service(settings).ranking.compared(
        index.scope, LegSearch(asked.text, asked.vector, settings.query_depth), asked.vector
    )
    passages = [hit.passage for hit in compared.hits]
    grades = runs.queries.qrels[asked.id]
    documents = asked.index.documents(passages)
    y = np.array([min(max(grades.get(document, 0), 0), MOST_GRADE) for document in documents], dtype=np.float32)
    return Judged(features(compared), y, documents, grades)


def learn(lesson: Lesson, *, without: str = "", columns: int = len(FEATURES)) -> feature_model.FeatureModel:
    """One network that is the mean of several."""
    told = {key: [one for one in judged if one.y.any()] for key, judged in lesson.items() if key[0] != without}
    queries = [(one, len(judged) ** -0.5) for judged in told.values() for one in judged]
    longest = max(len(one.y) for one, _ in queries)
    x = torch.stack([_padded(torch.from_numpy(one.x[:, :columns]), longest) for one, _ in queries])
    y = torch.stack([_padded(torch.from_numpy(one.y), longest) for one, _ in queries])
    there = torch.stack([torch.arange(longest) < len(one.y) for one, _ in queries])
    weight = torch.tensor([weight for _, weight in queries])
    spread = x[there].std(dim=0).clamp(min=1e-3)
    networks = [_network(x / spread, y / y.sum(dim=1, keepdim=True), there, weight / weight.mean(), seed) for seed in range(NETWORKS)]
    return _mean(networks, spread, (FEATURES if columns == len(FEATURES) else LEG_FEATURES))


@dataclass(frozen=True)
class _Network:
    hidden: nn.Linear
    output: nn.Linear
    direct: nn.Linear

    def __call__(self, x: Tensor) -> Tensor:
        scores: Tensor = (self.output(torch.relu(self.hidden(x))) + self.direct(x))[..., 0]
        return scores


def _network(x: Tensor, y: Tensor, there: Tensor, weight: Tensor, seed: int) -> _Network:
    torch.manual_seed(seed)
    columns = x.shape[-1]
    network = _Network(nn.Linear(columns, UNITS), nn.Linear(UNITS, 1, bias=False), nn.Linear(columns, 1, bias=False))
    nn.init.zeros_(network.direct.weight)
    parts = [parameter for part in (network.hidden, network.output, network.direct) for parameter in part.parameters()]
    optimiser = torch.optim.AdamW(parts, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    sample = torch.randint(len(x), (len(x),))
    for _ in range(EPOCHS):
        for batch in sample[torch.randperm(len(sample))].split(128):  # type: ignore[no-untyped-call]
            seen = x[batch] * (torch.rand(columns) >= DROPPED)
            scores = network(seen).masked_fill(~there[batch], -1e9)
            loss = -((y[batch] * torch.log_softmax(scores, dim=1)).sum(dim=1) * weight[batch]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return network


def _mean(networks: Sequence[_Network], spread: Tensor, names: tuple[str, ...]) -> feature_model.FeatureModel:
    """Their mean score as one network, which takes the features as they are."""
    with torch.no_grad():
        return feature_model.FeatureModel(
            names=names,
            hidden=torch.cat([network.hidden.weight / spread for network in networks]).numpy(),
            hidden_bias=torch.cat([network.hidden.bias for network in networks]).numpy(),
            output=(torch.cat([network.output.weight[0] for network in networks]) / len(networks)).numpy(),
            direct=(torch.stack([network.direct.weight[0] for network in networks]).mean(dim=0) / spread).numpy(),
        )


def report(lesson: Lesson, model: feature_model.FeatureModel) -> None:
    """nDCG@10 of the fused order, and of the model's."""
    console = Console()
    metric = ndcg(10)
    for (name, split), judged in lesson.items():
        fused = np.mean([metric(one.passages, one.grades) for one in judged])
        ranked = np.mean(
            [metric([one.passages[at] for at in np.argsort(-model.scores(one.x), kind="stable")], one.grades) for one in judged]
        )
        console.print(f"{name:16} {split:6} fused {fused:.4f}  reranked {ranked:.4f}")


def as_json(model: feature_model.FeatureModel) -> Mapping[str, object]:
    """What `feature_model.read_models` reads. Five digits are more than the lessons tell."""
    parts = {part: np.round(getattr(model, part).astype(float), 5).tolist() for part in ("hidden", "hidden_bias", "output", "direct")}
    return {"features": list(model.names), **parts}


def _padded(values: Tensor, longest: int) -> Tensor:
    return torch.cat([values, values.new_zeros((longest - len(values), *values.shape[1:]))])


if __name__ == "__main__":
    sys.exit(main())
