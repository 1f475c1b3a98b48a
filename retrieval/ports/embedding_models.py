"""What switching the embedding model asks of the catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.embedding_models import BackfillProgress, EmbeddingModel, Judgement, ModelReader
from retrieval.ports.models import Embedder


class EmbeddingModels(Protocol):
    """The registered models. Every change is one transaction with an audit entry."""

    def live(self) -> EmbeddingModel | None:
        """None until the first process has begun with the model of the settings."""

    def current(self) -> tuple[int, str | None]:
        """The catalog's revision and the live model's id, of one snapshot."""

    def all(self) -> list[EmbeddingModel]:
        """The live one first, then as they were registered."""

    def get(self, id_: str) -> EmbeddingModel:
        """Raises InvalidInput when there is no such model."""

    def begin(self, first: EmbeddingModel) -> EmbeddingModel:
        """Make `first` live if none is. Returns the live one."""

    def register(self, model: EmbeddingModel) -> EmbeddingModel:
        """A candidate; one that is known stays what it is, but one that was retired begins again.

        Raises:
            Conflict: the same id has other weights.
        """

    def backfill(self, id_: str, *, by: str) -> EmbeddingModel:
        """From now on new texts are embedded by it too.

        Raises:
            Conflict: another model is being prepared, or this one is retired.
        """

    def progress(self, id_: str) -> list[BackfillProgress]:
        """Of each source, in the order of ids, whichever of its versions are kept."""

    def announce(self, sources: Sequence[str]) -> int:
        """Have indexes look again at the current documents of these sources, whose vectors were caught up. Returns the revision."""

    def complete(self, id_: str, *, by: str) -> EmbeddingModel:
        """It is ready. Raises Conflict when passages lack its vector."""

    def judge(self, id_: str, judgement: Judgement, *, by: str) -> None:
        """Keep how it compares with the live one."""

    def promote(self, id_: str, *, by: str, force: str = "") -> int:
        """Make it live in one transaction; the one that was live stays ready. Returns the revision.

        Args:
            id_: a ready model.
            by: who decides.
            force: why it is promoted though the comparison or a reader speaks against it; empty: only if nothing does.

        Raises:
            Conflict: it is not ready, passages lack its vector, the comparison or a reader speaks against it.
        """

    def reverse(self, *, by: str) -> tuple[str, int]:
        """Make the model live that was live before. Returns its id and the revision. Raises Conflict when its vectors are gone."""

    def retire(self, id_: str, *, by: str) -> None:
        """Use it no more; `forget` then deletes its vectors. Raises Conflict for the live one."""

    def forget(self, id_: str, *, batch: int) -> Iterator[int]:
        """Delete a retired model's vectors and tokens, `batch` in each transaction. Yields how many each deleted."""


class ModelReaders(Protocol):
    """Where processes that answer queries say which models they are ready for."""

    def report(self, name: str, *, serving: str, prepared: Sequence[str]) -> None: ...

    def leave(self, name: str) -> None:
        """The process ends in order."""

    def readers(self) -> list[ModelReader]: ...


@dataclass(frozen=True)
class ServingModel:
    """What one request is embedded by.

    Attributes:
        embedder: for everything of this request.
        is_live: False where this process is not ready for the live model yet and goes on with the one before.
    """

    embedder: Embedder
    is_live: bool


class QueryModels(Protocol):
    """The models by which this process can embed queries."""

    def serving(self, revision: int) -> ServingModel:
        """The live one at this revision of the catalog, or at a later one. Chosen once for each request."""

    @property
    def prepared(self) -> Sequence[Embedder]:
        """Those that can be embedded and searched by now, the live one first."""
