"""Embedding models in the catalog. The one that is live changes in the transaction that takes the next revision.

Whoever publishes holds the live model's row until the commit, and whoever promotes changes that row first: a version is published
either before the promotion sees what lacks vectors, or after it under the new model.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.embeddings import WITHOUT_EMBEDDING
from retrieval.adapters.catalog.engine import Database, current_revision, next_revision
from retrieval.adapters.catalog.model_readers import CatalogModelReaders
from retrieval.adapters.catalog.model_rows import model_of
from retrieval.adapters.catalog.outbox import announce
from retrieval.adapters.catalog.tables import (
    document_versions,
    documents,
    embedding_models,
    embeddings,
    passages,
    token_vectors,
)
from retrieval.domain.audit import AuditAction, AuditEntry, Detail
from retrieval.domain.documents import VersionState
from retrieval.domain.embedding_models import (
    SEARCHED,
    BackfillProgress,
    EmbeddingModel,
    Judgement,
    ModelState,
    checked_force,
    judgement_as_json,
)
from retrieval.domain.errors import Conflict, InvalidInput

_MODELS = embedding_models.c
_LIVE = select(embedding_models).where(_MODELS.state == ModelState.LIVE.value)


def live_model(connection: Connection, *, hold: bool = False) -> str | None:
    """The live model's id. With `hold` nobody promotes another before this transaction ends."""
    query = select(_MODELS.id).where(_MODELS.state == ModelState.LIVE.value)
    return connection.scalar(query.with_for_update(read=True) if hold else query)


def searched_models(connection: Connection) -> dict[str, int]:
    """Models whose vectors indexes hold, with their dimensions."""
    wanted = select(_MODELS.id, _MODELS.dimensions).where(_MODELS.state.in_([state.value for state in SEARCHED]))
    return {row.id: row.dimensions for row in connection.execute(wanted.order_by(_MODELS.id))}


class CatalogEmbeddingModels:
    """`EmbeddingModels` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readers = CatalogModelReaders(database)

    def live(self) -> EmbeddingModel | None:
        with self._database.read() as connection:
            row = connection.execute(_LIVE).one_or_none()
        return None if row is None else model_of(row)

    def current(self) -> tuple[int, str | None]:
        with self._database.read() as connection:
            return current_revision(connection), live_model(connection)

    def all(self) -> list[EmbeddingModel]:
        live_first = case((_MODELS.state == ModelState.LIVE.value, 0), else_=1)
        with self._database.read() as connection:
            rows = connection.execute(select(embedding_models).order_by(live_first, _MODELS.registered_at, _MODELS.id)).all()
        return [model_of(row) for row in rows]

    def get(self, id_: str) -> EmbeddingModel:
        with self._database.read() as connection:
            return _found(connection, id_)

    def begin(self, first: EmbeddingModel) -> EmbeddingModel:
        found = self.live()
        if found is not None:
            return found
        try:
            with self._database.write() as connection:
                if live_model(connection) is None:
                    connection.execute(delete(embedding_models).where(_MODELS.id == first.id))
                    revision = next_revision(connection)
                    connection.execute(insert(embedding_models).values(**self._columns(first, ModelState.LIVE), live_from=revision))
                    self._record(connection, AuditAction.MODEL_PROMOTED, first.registered_by, first.id)
        except Conflict:
            pass  # another process began at the same moment: theirs is as good
        return self.begin(first)

    def register(self, model: EmbeddingModel) -> EmbeddingModel:
        with self._database.write() as connection:
            row = connection.execute(select(embedding_models).where(_MODELS.id == model.id)).one_or_none()
            known = None if row is None else model_of(row)
            if known is not None and known.sha256 != model.sha256:
                raise Conflict(f"{model.id} is registered with other weights")
            if known is not None and known.state is not ModelState.RETIRED:
                return known
            connection.execute(delete(embedding_models).where(_MODELS.id == model.id))
            connection.execute(insert(embedding_models).values(**self._columns(model, ModelState.CANDIDATE)))
            details: dict[str, Detail] = {"sha256": model.sha256, "dimensions": model.dimensions}
            self._record(connection, AuditAction.MODEL_REGISTERED, model.registered_by, model.id, details)
            return _found(connection, model.id)

    def backfill(self, id_: str, *, by: str) -> EmbeddingModel:
        with self._database.write() as connection:
            model = _found(connection, id_)
            beside = (ModelState.BACKFILLING.value, ModelState.READY.value)
            other = connection.scalar(select(_MODELS.id).where(_MODELS.id != id_, _MODELS.state.in_(beside)))
            if model.state is ModelState.RETIRED:
                raise Conflict(f"{id_} is retired: register it again")
            if other is not None and model.state is not ModelState.LIVE:
                raise Conflict(f"{other} is kept beside the live model: retire it first")
            if model.state is ModelState.CANDIDATE:
                _set(connection, id_, state=ModelState.BACKFILLING.value)
                self._record(connection, AuditAction.MODEL_BACKFILLED, by, id_, {"outcome": "begun"})
            return _found(connection, id_)

    def progress(self, id_: str) -> list[BackfillProgress]:
        with self._database.read() as connection:
            all_, missing = ({row[0]: row[1] for row in connection.execute(query, {"model": id_})} for query in (_TEXTS, _MISSING))
        return [BackfillProgress(source, count - missing.get(source, 0), count) for source, count in sorted(all_.items())]

    def announce(self, sources: Sequence[str]) -> int:
        with self._database.write() as connection:
            revision = next_revision(connection)
            wanted = select(documents.c.id).where(documents.c.source.in_(list(sources)), documents.c.current_version.is_not(None))
            announce(connection, connection.scalars(wanted).all(), revision=revision, access_only=False)
            return revision

    def complete(self, id_: str, *, by: str) -> EmbeddingModel:
        with self._database.write() as connection:
            model = _found(connection, id_)
            if model.state not in (ModelState.BACKFILLING, ModelState.READY, ModelState.LIVE):
                raise Conflict(f"{id_} is {model.state}: start its backfill first")
            _check_complete(connection, id_)
            if model.state is ModelState.BACKFILLING:
                _set(connection, id_, state=ModelState.READY.value, judgement=None)
                self._record(connection, AuditAction.MODEL_BACKFILLED, by, id_, {"outcome": "complete"})
            return _found(connection, id_)

    def judge(self, id_: str, judgement: Judgement, *, by: str) -> None:
        with self._database.write() as connection:
            _found(connection, id_)
            _set(connection, id_, judgement=json.dumps(judgement_as_json(judgement), sort_keys=True))
            details: dict[str, Detail] = {"against": judgement.against, "questions": judgement.questions, "outcome": _outcome(judgement)}
            self._record(connection, AuditAction.MODEL_COMPARED, by, id_, details)

    def promote(self, id_: str, *, by: str, force: str = "") -> int:
        switch = _Switch(AuditAction.MODEL_PROMOTED, by, checked_force(force), self._unprepared(id_))
        with self._database.write() as connection:
            return self._switch(connection, id_, switch)

    def reverse(self, *, by: str) -> tuple[str, int]:
        before = max((model for model in self.all() if model.live_to is not None), key=lambda model: model.live_to or 0, default=None)
        if before is None or before.state is not ModelState.READY:
            raise Conflict("there is no model to go back to: the one before is not kept any more")
        with self._database.write() as connection:
            return before.id, self._switch(connection, before.id, _Switch(AuditAction.MODEL_REVERSED, by))

    def retire(self, id_: str, *, by: str) -> None:
        with self._database.write() as connection:
            model = _found(connection, id_)
            if model.state is ModelState.LIVE:
                raise Conflict(f"{id_} is live: promote another model first")
            _set(connection, id_, state=ModelState.RETIRED.value, judgement=None)
            self._record(connection, AuditAction.MODEL_RETIRED, by, id_)

    def forget(self, id_: str, *, batch: int) -> Iterator[int]:
        for table in (token_vectors, embeddings):
            deleted = batch
            while deleted:
                with self._database.write() as connection:
                    if _found(connection, id_).state is not ModelState.RETIRED:
                        raise Conflict(f"{id_} is not retired")
                    some = select(table.c.text_hash).where(table.c.model == id_).limit(batch)
                    deleted = connection.execute(delete(table).where(table.c.model == id_, table.c.text_hash.in_(some))).rowcount
                if deleted:
                    yield deleted

    def _switch(self, connection: Connection, id_: str, switch: "_Switch") -> int:
        """The live model's row first: whoever publishes holds it."""
        row = connection.execute(_LIVE.with_for_update()).one_or_none()
        model = _found(connection, id_)
        if model.state is not ModelState.READY:
            raise Conflict(f"{id_} is {model.state}: only a model that is ready can become live")
        revision = next_revision(connection)
        _check_complete(connection, id_)
        against = [*_spoken_against(model, None if row is None else row.id), *switch.unprepared] if switch.is_checked else []
        if against:
            raise Conflict("not promoted: " + "; ".join(against))
        if row is not None:
            _set(connection, row.id, state=ModelState.READY.value, live_to=revision)
        _set(connection, id_, state=ModelState.LIVE.value, live_from=revision)
        details: dict[str, Detail] = {"before": None if row is None else row.id, "forced": switch.reason or None}
        self._record(connection, switch.action, switch.by, id_, details)
        return revision

    def _unprepared(self, id_: str) -> tuple[str, ...]:
        lacking = sorted(reader.name for reader in self._readers.readers() if reader.is_alive and id_ not in reader.prepared)
        return (f"these processes are not ready for it yet: {', '.join(lacking)}",) if lacking else ()

    def _columns(self, model: EmbeddingModel, state: ModelState) -> dict[str, object]:
        return {
            "id": model.id,
            "reference": model.reference,
            "sha256": model.sha256,
            "dimensions": model.dimensions,
            "state": state.value,
            "registered_at": self._database.now(),
            "registered_by": model.registered_by,
        }

    def _record(self, connection: Connection, action: AuditAction, by: str, id_: str, details: dict[str, Detail] | None = None) -> None:
        append(connection, AuditEntry(action, by, model=id_, details=details or {}), at=self._database.now())


@dataclass(frozen=True)
class _Switch:
    """How a model becomes live. Going back is never refused: the model was good enough before."""

    action: AuditAction
    by: str
    reason: str = ""
    unprepared: tuple[str, ...] = ()

    @property
    def is_checked(self) -> bool:
        return self.action is AuditAction.MODEL_PROMOTED and not self.reason


def _found(connection: Connection, id_: str) -> EmbeddingModel:
    row = connection.execute(select(embedding_models).where(_MODELS.id == id_)).one_or_none()
    if row is None:
        raise InvalidInput.of("model", "there is no such model: `archivist models list` shows them")
    return model_of(row)


def _set(connection: Connection, id_: str, **values: object) -> None:
    connection.execute(update(embedding_models).where(_MODELS.id == id_).values(**values))


def _check_complete(connection: Connection, id_: str) -> None:
    missing = sum(row[1] for row in connection.execute(_MISSING, {"model": id_}))
    if missing:
        raise Conflict(f"{missing} texts have no vector under {id_} yet: run its backfill again")


def _spoken_against(model: EmbeddingModel, live: str | None) -> tuple[str, ...]:
    judgement = model.judgement
    if judgement is None or judgement.against != live:
        return ("it has not been compared with the live model",)
    return judgement.problems


def _outcome(judgement: Judgement) -> str:
    return "as good" if judgement.passed else "not as good"


_PUBLISHED = document_versions.c.state != VersionState.STAGED.value
_TEXTS = (
    select(document_versions.c.source, func.count(passages.c.embedded_hash.distinct()))
    .join(document_versions, document_versions.c.id == passages.c.version)
    .where(_PUBLISHED)
    .group_by(document_versions.c.source)
)
_MISSING = _TEXTS.where(WITHOUT_EMBEDDING)
"""Texts of every published version that is kept, past ones too: reading and going back in time need their vectors."""
