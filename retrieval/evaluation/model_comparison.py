"""Whether an embedding model that is ready would do as well as the live one: the same golden questions, asked by each in turn.

Both are asked of the same private index, each over its own vectors, so that nothing else differs. Every reading is in the audit log, done
by the operator on behalf of whom the question names.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from retrieval.adapters.catalog.feed import CatalogFeed
from retrieval.bootstrap import Catalog, Service, open_embedder, open_service
from retrieval.domain.clock import stamp
from retrieval.domain.embedding_models import EmbeddingModel, Judgement, Measured, ModelLimits, ModelState, broken_limits
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.queries import Query
from retrieval.evaluation.asking import on_behalf, sift
from retrieval.evaluation.golden import GoldenQuestion, read_golden
from retrieval.evaluation.golden_export import as_yaml, golden_questions
from retrieval.evaluation.metrics import Ranking, mean
from retrieval.evaluation.results import scored
from retrieval.ports.embedding_models import ServingModel
from retrieval.ports.models import Embedder
from retrieval.settings import Settings

METRIC = "ndcg@10"
DEPTH = 10

Loader = Callable[[Settings, EmbeddingModel | None], Embedder]


@dataclass(frozen=True)
class OneModel:
    """`QueryModels`: always the same."""

    embedder: Embedder

    def serving(self, _revision: int) -> ServingModel:
        return ServingModel(self.embedder, is_live=True)

    @property
    def prepared(self) -> Sequence[Embedder]:
        return [self.embedder]


def compare(settings: Settings, candidate: str, *, by: str, load: Loader = open_embedder) -> Judgement:
    """Compare a ready model with the live one, and keep what was found.

    Args:
        settings: the installation's; its limits decide.
        candidate: the model's id.
        by: who compares.
        load: makes embedders.

    Raises:
        InvalidInput: there is no such model, or no golden question that can be asked.
        Conflict: it is not ready.
    """
    with open_service(settings, private_index=True, load=load) as service:
        models = service.catalog.embedding_models
        model, live = models.get(candidate), models.live()
        if live is None or model.state is not ModelState.READY:
            raise Conflict(f"{candidate} is {model.state}: only a model that is ready can be compared")
        questions = golden_of(settings, service.catalog)
        figures = [_measured(service, load(settings, one), questions) for one in (live, model)]
        limits = ModelLimits(settings.model_max_ndcg_loss, settings.model_max_latency_ratio, settings.model_max_cost_ratio)
        judgement = Judgement(
            live.id, stamp(service.clock.now()), len(questions), figures[0], figures[1], broken_limits(figures[0], figures[1], limits)
        )
        models.judge(candidate, judgement, by=by)
    return judgement


def golden_of(settings: Settings, catalog: Catalog) -> list[GoldenQuestion]:
    """The questions of the settings' file and those that reviewers have decided, without any that has a mistake. Raises InvalidInput."""
    questions = list(read_golden(Path(settings.model_golden), settings)) if settings.model_golden else []
    known = {question.id for question in questions}
    reviewed = [row for row in golden_questions(catalog.escalations) if row["id"] not in known]
    if reviewed:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "reviewed.yaml"
            file.write_text(as_yaml(reviewed[: settings.evaluation_max_questions]), encoding="utf-8")
            questions += read_golden(file, settings)
    if not questions:
        raise InvalidInput.of("model_golden", "there is no golden question: name a file by ARCHIVIST_MODEL_GOLDEN")
    return sift(questions, catalog.documents, catalog.evaluations)[0]


def _measured(service: Service, embedder: Embedder, questions: Sequence[GoldenQuestion]) -> Measured:
    knowledge = replace(service.knowledge, models=OneModel(embedder))
    knowledge.retrieve(on_behalf(questions[0].principal), Query("warming up", top_k=DEPTH, depth=service.settings.query_depth))
    rankings: dict[str, Ranking] = {}
    seconds = []
    for question in questions:
        query = Query(question.text, top_k=DEPTH, depth=service.settings.query_depth)
        started = time.perf_counter()
        hits = knowledge.retrieve(on_behalf(question.principal), query).hits
        seconds.append(time.perf_counter() - started)
        rankings[question.id] = list(dict.fromkeys(hit.passage.document for hit in hits))
    scores = scored(rankings, {question.id: question.relevant for question in questions})
    return Measured(mean(scores[METRIC]), 1_000 * statistics.median(seconds), _cost(service, embedder), embedder.dimensions)


def _cost(service: Service, embedder: Embedder) -> float:
    """Seconds for 1,000 passages, from the first ones that there are."""
    with CatalogFeed(service.catalog.database, embedder.model).snapshot() as (_, documents):
        passages = (passage.embedded_text for document in documents for passage in document.passages)
        texts = list(itertools.islice(passages, service.settings.model_compared_passages))
    started = time.perf_counter()
    embedder.embed(texts)
    return 1_000 * (time.perf_counter() - started) / max(len(texts), 1)
