"""What was measured, as it is kept in the catalog."""

from collections.abc import Mapping
from pathlib import Path

from retrieval.domain.clock import Clock, stamp
from retrieval.domain.evaluations import Evaluation, evaluation_id, questions_hash, run_id
from retrieval.evaluation.asking import evaluated
from retrieval.evaluation.environment import environment
from retrieval.evaluation.golden import GoldenQuestion
from retrieval.evaluation.judged import Split, read_queries
from retrieval.evaluation.results import Measured
from retrieval.ports.evaluations import EvaluationStore
from retrieval.settings import Settings

SHAPING = (
    "answer_",
    "chunk_",
    "cohere_",
    "embedder_",
    "feedback_",
    "fusion",
    "graph_",
    "hits_",
    "index_exact",
    "query_",
    "rerank",
)
"""Beginnings of the names of the settings that shape a ranking or an answer."""


def shaping_settings(settings: Settings) -> Mapping[str, object]:
    """The settings that shape a ranking, by name; of a secret one, only whether it is set."""
    shaping: dict[str, object] = {}
    for name, field in sorted(type(settings).model_fields.items()):
        if name.startswith(SHAPING) and not name.endswith("_url"):
            value = getattr(settings, name)
            shaping[name] = value if field.repr else ("set" if value else "")
    return shaping


def keep(
    store: EvaluationStore,
    measured: Measured,
    *,
    settings: Settings,
    model: str,
    index_revision: int | None,
    asked: str,
    clock: Clock,
    questions: Mapping[str, GoldenQuestion] | None = None,
) -> list[Evaluation]:
    """One evaluation for each configuration.

    Args:
        store: where they are kept.
        measured: what was measured.
        settings: with which.
        model: of the vectors.
        index_revision: that the index had applied; None for a judged collection.
        asked: the questions' hash.
        clock: says when.
        questions: golden ones by id.
    """
    at = stamp(clock.now())
    run = run_id(at, measured.collection)
    commit = environment()["commit"]
    figures = measured.figures()
    kept = []
    for configuration in measured.scores:
        evaluation = Evaluation(
            id=evaluation_id(run, configuration),
            run=run,
            at=at,
            collection=measured.collection,
            split=measured.split,
            questions_hash=asked,
            configuration=configuration,
            settings=shaping_settings(settings),
            model=model,
            index_revision=index_revision,
            commit=commit,
            queries=len(measured.texts),
            figures=figures[configuration],
        )
        store.add(evaluation, evaluated(measured, configuration, questions))
        kept.append(evaluation)
    return kept


def collection_hash(directory: Path, split: Split) -> str:
    """Of a judged collection's queries. Raises FileNotFoundError."""
    queries = read_queries(directory, split)
    return questions_hash({id_: (text, None, queries.qrels[id_]) for id_, text in queries.texts.items()})
