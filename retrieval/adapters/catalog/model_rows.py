"""Rows of embedding models as values."""

import json
from typing import Any

from sqlalchemy import Row

from retrieval.domain.embedding_models import EmbeddingModel, Judgement, Measured, ModelState


def model_of(row: Row[Any]) -> EmbeddingModel:
    return EmbeddingModel(
        id=row.id,
        reference=row.reference,
        sha256=row.sha256,
        dimensions=row.dimensions,
        state=ModelState(row.state),
        registered_at=row.registered_at,
        registered_by=row.registered_by,
        live_from=row.live_from,
        live_to=row.live_to,
        judgement=None if row.judgement is None else _judgement(json.loads(row.judgement)),
    )


def _judgement(raw: dict[str, Any]) -> Judgement:
    models = {name: Measured(**raw[name]) for name in ("live", "candidate")}
    return Judgement(raw["against"], raw["at"], raw["questions"], models["live"], models["candidate"], tuple(raw["problems"]))
