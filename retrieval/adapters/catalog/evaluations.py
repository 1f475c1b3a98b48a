"""Evaluations in the catalog."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import documents, evaluated_queries, evaluations
from retrieval.domain.errors import InvalidInput
from retrieval.domain.evaluations import EvaluatedQuery, Evaluation

_ASKED_AT_ONCE = 500
"""Ids in one statement."""


class CatalogEvaluations:
    """`EvaluationStore` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, evaluation: Evaluation, queries: Sequence[EvaluatedQuery]) -> None:
        with self._database.write() as connection:
            connection.execute(insert(evaluations).values(_columns(evaluation)))
            if queries:
                connection.execute(insert(evaluated_queries), [_query_columns(evaluation.id, query) for query in queries])

    def latest(self, *, count: int) -> list[Evaluation]:
        newest = select(evaluations).order_by(evaluations.c.at.desc(), evaluations.c.run, evaluations.c.id).limit(count)
        with self._database.read() as connection:
            return [_evaluation(row) for row in connection.execute(newest)]

    def get(self, evaluation: str) -> Evaluation:
        with self._database.read() as connection:
            return _found(connection, evaluation)

    def queries(self, evaluation: str) -> list[EvaluatedQuery]:
        mine = select(evaluated_queries).where(evaluated_queries.c.evaluation == evaluation).order_by(evaluated_queries.c.query)
        with self._database.read() as connection:
            _found(connection, evaluation)
            return [_query(row) for row in connection.execute(mine)]

    def forget(self, evaluation: str) -> None:
        with self._database.write() as connection:
            _found(connection, evaluation)
            connection.execute(delete(evaluated_queries).where(evaluated_queries.c.evaluation == evaluation))
            connection.execute(delete(evaluations).where(evaluations.c.id == evaluation))

    def current_documents(self, wanted: Sequence[str]) -> frozenset[str]:
        found: set[str] = set()
        with self._database.read() as connection:
            for at in range(0, len(wanted), _ASKED_AT_ONCE):
                some = documents.c.id.in_(wanted[at : at + _ASKED_AT_ONCE])
                found.update(connection.scalars(select(documents.c.id).where(some, documents.c.current_version.is_not(None))))
        return frozenset(found)


def _found(connection: Connection, evaluation: str) -> Evaluation:
    row = connection.execute(select(evaluations).where(evaluations.c.id == evaluation)).one_or_none()
    if row is None:
        raise InvalidInput.of("evaluation", "there is none of this id: `archivist eval list` shows them")
    return _evaluation(row)


def _columns(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": evaluation.id,
        "run": evaluation.run,
        "at": evaluation.at,
        "collection": evaluation.collection,
        "split": evaluation.split,
        "questions_hash": evaluation.questions_hash,
        "configuration": evaluation.configuration,
        "settings_hash": evaluation.settings_hash,
        "settings": json.dumps(evaluation.settings, sort_keys=True),
        "model": evaluation.model,
        "index_revision": evaluation.index_revision,
        "program": evaluation.commit,
        "queries": evaluation.queries,
        "figures": json.dumps(evaluation.figures),
    }


def _query_columns(evaluation: str, query: EvaluatedQuery) -> dict[str, Any]:
    return {
        "evaluation": evaluation,
        "query": query.id,
        "text": query.text,
        "asked_by": query.asked_by,
        "tags": json.dumps(list(query.tags)),
        "scores": json.dumps(query.scores),
        "found": json.dumps(list(query.found)),
    }


def _evaluation(row: Row[Any]) -> Evaluation:
    return Evaluation(
        id=row.id,
        run=row.run,
        at=row.at,
        collection=row.collection,
        split=row.split,
        questions_hash=row.questions_hash,
        configuration=row.configuration,
        settings=json.loads(row.settings),
        model=row.model,
        index_revision=row.index_revision,
        commit=row.program,
        queries=row.queries,
        figures=json.loads(row.figures),
    )


def _query(row: Row[Any]) -> EvaluatedQuery:
    tags, scores, found = json.loads(row.tags), json.loads(row.scores), json.loads(row.found)
    return EvaluatedQuery(row.query, row.text, row.asked_by, tuple(tags), scores, tuple(found))
