"""Learn how evidence is chosen from tuning splits: `python -m retrieval.evaluation.answers.learn_evidence`.

The order: a listwise softmax over the sentences of each question (Cao et al., "Learning to Rank: From Pairwise Approach to Listwise
Approach", ICML 2007), each collection with the square root of its questions' weight. Whether the best sentence answers: a logistic
regression over the questions, and the same questions again with the passages that answer them left out. `--folds` reports what questions
get that were left out of the learning, and writes nothing.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from retrieval.bootstrap import open_embedder
from retrieval.domain.evidence import Evidence
from retrieval.evaluation.answers.gold import SCIFACT
from retrieval.evaluation.answers.judged_evidence import ASKED, JudgedQuestion, asked_questions, claims
from retrieval.evaluation.judged import Split
from retrieval.evaluation.vectors import VectorCache
from retrieval.settings import Settings
from retrieval.steps import evidence_model
from retrieval.steps.evidence_features import FEATURES, features
from retrieval.steps.evidence_model import EvidenceModel, with_standardised
from retrieval.steps.question_kind import QuestionKind, kind_of
from retrieval.steps.quotable import asked_terms, lexical_shares, quotable, sentences_of
from retrieval.steps.sentence_tokens import nearness
from retrieval.steps.token_text import Floats

LEARNED_FROM = ("scifact claims train", *(f"{name} {Split.DEV}" for name in ASKED))
EPOCHS = 40
BATCH = 128
LEARNING_RATE = 0.01
WEIGHT_DECAY = 0.1
REGULARISATION = 1.0
"""scikit-learn's C."""
ANSWERED_BY_CHANCE = 0.14
"""Share of XQuAD's questions without the passage that answers them whose best sentence still gets the least support that is quoted. A
higher share answers more of the others; what is left to tell is the confidence's to tell."""
FOLDS = 4
_FILE = Path(evidence_model.__file__).with_suffix(".json")


@dataclass(frozen=True)
class Lesson:
    """One question: features of its candidates, shape (candidates, columns), and which are evidence, shape (candidates,)."""

    x: Floats
    y: Floats
    is_statement: bool

    @property
    def teaches_order(self) -> bool:
        return bool(self.y.any()) and not bool(self.y.all())


def main(arguments: Sequence[str] | None = None) -> int:
    """Learns the model and writes it beside the code that reads it, or reports on questions it has not learned from."""
    parser = argparse.ArgumentParser(
        prog="python -m retrieval.evaluation.answers.learn_evidence", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--folds", action="store_true", help="learn without each quarter of the questions in turn, report, write nothing")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    settings = Settings()
    lessons, unanswerable = read_lessons(settings)
    if chosen.folds:
        for name, told in lessons.items():
            Console().print(f"{name}: P@1 {np.mean(_in_folds(lessons, name)):.3f} of {len(told)} questions")
        return 0
    model = learn(lessons, unanswerable, min_support=settings.answer_min_support)
    _FILE.write_text(json.dumps(as_json(model)) + "\n", encoding="utf-8")
    return 0


def read_lessons(settings: Settings) -> tuple[Mapping[str, Sequence[Lesson]], Mapping[str, Sequence[Lesson]]]:
    """Collection to its tuning questions; and to the same without the passages that answer them, where those were retrieved."""
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    asked = {name: asked_questions(settings, embedder, cache, settings.evaluation_directory / name, Split.DEV) for name in ASKED}
    given = claims(settings, embedder, cache, settings.evaluation_directory / SCIFACT, "train")
    return (
        {SCIFACT: _lessons(given), **{name: _lessons(questions) for name, questions in asked.items()}},
        {name: _lessons([_without_answer(question) for question in questions]) for name, questions in asked.items()},
    )


def learn(lessons: Mapping[str, Sequence[Lesson]], unanswerable: Mapping[str, Sequence[Lesson]], *, min_support: float) -> EvidenceModel:
    """Both parts. The intercept is such that XQuAD's questions without an answer get `min_support` as seldom as is named above."""
    order, statement = learn_order(lessons)
    model = EvidenceModel(order, statement, np.zeros(len(FEATURES), dtype=np.float32), 0.0)
    told = [(name, lesson) for name, of_name in lessons.items() for lesson in of_name]
    told += [(name, lesson) for name, of_name in unanswerable.items() for lesson in of_name]
    best = [_best(model, lesson) for _, lesson in told]
    weights = [len(lessons[name]) ** -0.5 for name, _ in told]
    spread = np.maximum(np.std([x for x, _ in best], axis=0), 1e-3)
    regression = LogisticRegression(C=REGULARISATION, max_iter=1_000)
    regression.fit([x / spread for x, _ in best], [right for _, right in best], sample_weight=np.array(weights) / np.mean(weights))
    sufficiency = (regression.coef_[0] / spread).astype(np.float32)
    chance = np.quantile([_best(model, lesson)[0] @ sufficiency for lesson in unanswerable["xquad_en"]], 1 - ANSWERED_BY_CHANCE)
    return replace(model, sufficiency=sufficiency, intercept=float(np.log(min_support / (1 - min_support)) - chance))


def learn_order(lessons: Mapping[str, Sequence[Lesson]]) -> tuple[Floats, Floats]:
    """The weights `order` and `statement` of the model."""
    told = [(lesson, len(of_name) ** -0.5) for of_name in lessons.values() for lesson in of_name if lesson.teaches_order]
    longest = max(len(lesson.y) for lesson, _ in told)
    x = torch.stack([_padded(torch.from_numpy(_doubled(lesson)), longest) for lesson, _ in told])
    y = torch.stack([_padded(torch.from_numpy(lesson.y / lesson.y.sum()), longest) for lesson, _ in told])
    there = torch.stack([torch.arange(longest) < len(lesson.y) for lesson, _ in told])
    weight = torch.tensor([weight for _, weight in told])
    spread = x[there].std(dim=0).clamp(min=1e-3)
    found = _fitted(x / spread, y, there, weight / weight.mean()) / spread
    order, statement = found.numpy().reshape(2, -1)
    return order, statement


def _fitted(x: Tensor, y: Tensor, there: Tensor, weight: Tensor) -> Tensor:
    torch.manual_seed(0)
    weights = torch.zeros(x.shape[-1], requires_grad=True)
    optimiser = torch.optim.AdamW([weights], lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):  # type: ignore[no-untyped-call]
            scores = (x[batch] @ weights).masked_fill(~there[batch], -1e9)
            loss = -((y[batch] * torch.log_softmax(scores, dim=1)).sum(dim=1) * weight[batch]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return weights.detach()


def _doubled(lesson: Lesson) -> Floats:
    x = with_standardised(lesson.x)
    return np.hstack([x, x * lesson.is_statement]).astype(np.float32)


def _best(model: EvidenceModel, lesson: Lesson) -> tuple[Floats, bool]:
    """Features of the candidate that is put first, and whether it is evidence."""
    at = int(model.scores(lesson.x, is_statement=lesson.is_statement).argmax())
    return lesson.x[at], bool(lesson.y[at])


def _lessons(questions: Sequence[JudgedQuestion]) -> list[Lesson]:
    return [lesson for question in questions if (lesson := _lesson(question)) is not None]


def _lesson(question: JudgedQuestion) -> Lesson | None:
    """None where nothing can be quoted, or the model tells of no tokens."""
    asked = asked_terms(question.text)
    sentences = sentences_of(question.hits)
    candidates = quotable(asked, question.hits, sentences)
    if not candidates or question.query is None:
        return None
    shares = lexical_shares(asked, candidates)
    x = features(question.text, question.hits, candidates, shares, nearness(question.query, question.hits, sentences, question.tokens))
    y = [bool(question.found(Evidence(each.passage, each.within, 0.0))) for each in candidates]
    return Lesson(x, np.array(y, dtype=np.float32), kind_of(question.text) is QuestionKind.STATEMENT)


def _without_answer(question: JudgedQuestion) -> JudgedQuestion:
    left = [hit for hit in question.hits if hit.passage.document not in question.gold]
    return replace(question, hits=tuple(replace(hit, rank=rank) for rank, hit in enumerate(left, 1)), gold={})


def _in_folds(lessons: Mapping[str, Sequence[Lesson]], name: str) -> list[bool]:
    """Of every question of one collection, whether the sentence put first by what was learned without it is evidence."""
    right = []
    for fold in range(FOLDS):
        kept: Callable[[int], bool] = lambda number, fold=fold: number % FOLDS != fold  # type: ignore[misc]  # noqa: E731
        order, statement = learn_order({each: [one for at, one in enumerate(told) if kept(at)] for each, told in lessons.items()})
        model = EvidenceModel(order, statement, order, 0.0)
        right += [_best(model, one)[1] for at, one in enumerate(lessons[name]) if not kept(at)]
    return right


def as_json(model: EvidenceModel) -> Mapping[str, object]:
    """What `evidence_model.read_model` reads. Five digits are more than the lessons tell."""
    parts = {part: np.round(getattr(model, part).astype(float), 5).tolist() for part in ("order", "statement", "sufficiency")}
    return {"learned_from": LEARNED_FROM, "features": FEATURES, **parts, "intercept": round(model.intercept, 5)}


def _padded(values: Tensor, longest: int) -> Tensor:
    return torch.cat([values, values.new_zeros((longest - len(values), *values.shape[1:]))])


if __name__ == "__main__":
    sys.exit(main())
