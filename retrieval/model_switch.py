"""Which model embeds a request's query: the live one, as soon as this process has it in memory and in its index.

A model that is ready is loaded in the background and reported as prepared, so that a promotion finds every process with it. The choice is
made once for each request, from what the catalog says at the request's revision; whatever else the request embeds, or searches, it does by
the same model. A process that is told of a live model it has not prepared goes on by the one before, and says so.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from retrieval.domain.embedding_models import SEARCHED, EmbeddingModel
from retrieval.domain.errors import ArchivistError
from retrieval.ports.embedding_models import EmbeddingModels, ModelReaders, ServingModel
from retrieval.ports.models import Embedder

HEARTBEAT_SECONDS = 5.0
RETRY_SECONDS = 60.0
"""Pause before a model that could not be loaded is tried again."""

_log = structlog.get_logger(__name__)


class LiveModels:
    """`QueryModels` of one process. `refresh` belongs to one background thread, everything else to any.

    Args:
        registry: the catalog's models.
        readers: where this process reports; None: it reports nothing, and no promotion waits for it.
        load: makes the embedder of a registered model.
        holds: whether this process's index can be searched by the model with this id.
        first: the embedder of the model that was live when the process began.
        name: of this process.
    """

    def __init__(
        self,
        registry: EmbeddingModels,
        readers: ModelReaders | None,
        *,
        load: Callable[[EmbeddingModel], Embedder],
        holds: Callable[[str], bool],
        first: Embedder,
        name: str,
    ) -> None:
        self._registry = registry
        self._readers = readers
        self._load = load
        self._holds = holds
        self._name = name
        self._loaded: dict[str, Embedder] = {first.model: first}
        self._prepared: Mapping[str, Embedder] = dict(self._loaded)
        self._serving = first
        self._known: tuple[int, str] = (-1, first.model)
        self._failed_at: dict[str, float] = {}
        self._reported: tuple[float, object] = (-HEARTBEAT_SECONDS, None)
        self._lock = threading.Lock()

    def serving(self, revision: int) -> ServingModel:
        live = self._live_at(revision)
        prepared = self._prepared.get(live)
        if prepared is None:
            return ServingModel(self._serving, is_live=False)
        self._serving = prepared
        return ServingModel(prepared, is_live=True)

    @property
    def prepared(self) -> Sequence[Embedder]:
        """Those that this process can embed and search by, the live one first."""
        live = self._known[1]
        return [self._prepared[id_] for id_ in sorted(self._prepared, key=lambda id_: (id_ != live, id_))]

    def refresh(self) -> None:
        """Have every model ready that is live or may become it, forget the others, and report. Raises CatalogUnavailable."""
        revision, live = self._registry.current()
        wanted = {model.id: model for model in self._registry.all() if model.state in SEARCHED}
        for id_ in self._loaded.keys() - wanted.keys() - {self._serving.model}:
            del self._loaded[id_]
        for model in wanted.values():
            self._ensure_loaded(model)
        self._prepared = {id_: embedder for id_, embedder in self._loaded.items() if self._holds(id_)}
        with self._lock:
            self._known = (revision, live or self._serving.model)
        self.serving(revision)
        self._report()

    def leave(self) -> None:
        """No promotion waits for this process any more."""
        if self._readers is not None:
            self._readers.leave(self._name)

    def _live_at(self, revision: int) -> str:
        if self._known[0] < revision:
            now, live = self._registry.current()
            with self._lock:
                if now > self._known[0]:
                    self._known = (now, live or self._known[1])
        return self._known[1]

    def _ensure_loaded(self, model: EmbeddingModel) -> None:
        if model.id in self._loaded or time.monotonic() - self._failed_at.get(model.id, -RETRY_SECONDS) < RETRY_SECONDS:
            return
        try:
            self._loaded[model.id] = self._load(model)
        except ArchivistError as error:
            self._failed_at[model.id] = time.monotonic()
            _log.warning("model_not_loaded", model=model.id, reason=str(error))

    def _report(self) -> None:
        if self._readers is None:
            return
        state = self._serving.model, sorted(self._prepared)
        if state != self._reported[1] or time.monotonic() - self._reported[0] >= HEARTBEAT_SECONDS:
            self._readers.report(self._name, serving=state[0], prepared=state[1])
            self._reported = time.monotonic(), state
