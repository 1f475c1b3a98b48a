"""`CuratedFeed` over the catalog. The usual question, whether anything is new, is one small read."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, bindparam, select

from retrieval.adapters.catalog.embeddings import CatalogEmbeddings
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.learning import curated_rows
from retrieval.adapters.catalog.tables import changes, curated_answers, curated_citations, curated_head, documents, embeddings, revision
from retrieval.domain.curated import CuratedAnswer
from retrieval.domain.ids import text_hash
from retrieval.ports.learning import CuratedNews, DocumentNow
from retrieval.ports.models import Vectors

_NOW = select(curated_head.c.change, revision.c.value).join(revision, revision.c.id == curated_head.c.id)
_CHANGED_ANSWERS = select(curated_answers.c.id).where(curated_answers.c.change > bindparam("change"))
_CITED = select(curated_citations.c.document)
_CHANGED_DOCUMENTS = select(changes.c.document).where(changes.c.revision > bindparam("revision"), changes.c.document.in_(_CITED))
_DOCUMENTS = select(documents.c.id, documents.c.access_class, documents.c.current_version).where(
    documents.c.id.in_(bindparam("ids", expanding=True))
)
_VECTORS = select(embeddings.c.text_hash, embeddings.c.vector).where(
    embeddings.c.model == bindparam("model"), embeddings.c.text_hash.in_(bindparam("ids", expanding=True))
)


class CatalogCuratedFeed:
    """Curated answers as they change, and the vectors of their questions, kept beside those of passages."""

    def __init__(self, database: Database, kept: CatalogEmbeddings) -> None:
        self._database = database
        self._embeddings = kept

    def news(self, *, change: int, revision: int) -> CuratedNews:
        with self._database.read() as connection:
            now = connection.execute(_NOW).one()
            if now.change == change and now.value == revision:
                return CuratedNews(change, revision)
            ids = connection.scalars(_CHANGED_ANSWERS, {"change": change}).all() if now.change != change else []
            answers = curated_rows.load(connection, ids)
            changed = connection.scalars(_CHANGED_DOCUMENTS, {"revision": revision}).all() if now.value != revision else []
            return CuratedNews(now.change, now.value, tuple(answers), _documents(connection, answers, changed))

    def vectors(self, model: str, texts: Sequence[str]) -> Mapping[str, Vectors]:
        by_hash = {text_hash(text): text for text in texts}
        found: dict[str, Vectors] = {}
        with self._database.read() as connection:
            for some in _in_parts(sorted(by_hash)):
                rows = connection.execute(_VECTORS, {"model": _as_question(model), "ids": some})
                found |= {by_hash[row.text_hash]: np.frombuffer(row.vector, dtype="<f4") for row in rows}
        return found

    def store_vectors(self, model: str, vectors: Mapping[str, Vectors]) -> None:
        rows = [(text_hash(text), vector.astype("<f4").tobytes()) for text, vector in vectors.items()]
        self._embeddings.store(_as_question(model), rows)


def _documents(connection: Connection, answers: Sequence[CuratedAnswer], changed: Sequence[str]) -> dict[str, DocumentNow]:
    wanted = sorted({*changed, *(cited.document for answer in answers for cited in answer.cites)})
    found: dict[str, DocumentNow] = {}
    for some in _in_parts(wanted):
        rows = connection.execute(_DOCUMENTS, {"ids": some})
        found |= {row.id: DocumentNow(row.access_class, row.current_version) for row in rows}
    return found


def _as_question(model: str) -> str:
    """Models may embed a question otherwise than a passage of the same words."""
    return f"{model} question"


def _in_parts(wanted: Sequence[str]) -> list[list[str]]:
    return [list(wanted[at : at + curated_rows.ASKED_AT_ONCE]) for at in range(0, len(wanted), curated_rows.ASKED_AT_ONCE)]
