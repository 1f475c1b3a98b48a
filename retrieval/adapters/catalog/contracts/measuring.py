"""Counting what contracts are judged by. What no rule of a contract asks for is not counted."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, Select, func, insert, select

from retrieval.adapters.catalog.contracts.measured import (
    ASKING,
    BEFORE,
    CENTROID_BEFORE,
    CURRENT_PASSAGES,
    CURRENT_SIZE,
    DOCUMENTS,
    HAS_READER,
    MEAN,
    NEXT_PASSAGES,
    QUARANTINED,
    TAKEN,
)
from retrieval.adapters.catalog.contracts.restricting import counted
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.runs import fence
from retrieval.adapters.catalog.tables import (
    documents,
    source_measures,
)
from retrieval.adapters.catalog.versions.holds import IS_HELD_ABSENT
from retrieval.domain.contract_rules import CentroidMeasures, DocumentMeasures, ListingMeasures
from retrieval.domain.contracts import ContractTerms, Rule
from retrieval.domain.ingestion import SourceRun
from retrieval.domain.inspected import UNKNOWN_LANGUAGE

_AT_ONCE = 2_000
"""Vectors read in one go."""


class CatalogMeasures:
    """`ContractMeasures` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listing(self, run: SourceRun) -> ListingMeasures:
        listed = (documents.c.source == run.source, documents.c.listed_run == run.id)
        current = (documents.c.source == run.source, documents.c.current_version.is_not(None))
        missing = (*current, documents.c.listed_run.is_distinct_from(run.id), ~IS_HELD_ABSENT)
        with self._database.read() as connection:
            counts = [
                int(connection.scalar(select(func.count()).select_from(documents).where(*among)) or 0)
                for among in (listed, (*listed, ~HAS_READER), current, missing)
            ]
        return ListingMeasures(listed=counts[0], nobody_reads=counts[1], readable=counts[2], missing=counts[3])

    def documents(self, run: SourceRun, terms: ContractTerms, inspection: str) -> DocumentMeasures:
        parameters = {"source": run.source, "run": run.id, "inspection": inspection}
        with self._database.read() as connection:
            quarantined = int(connection.scalar(QUARANTINED, parameters) or 0)
            taken = int(connection.scalar(TAKEN, parameters) or 0)
            rows = connection.execute(DOCUMENTS, parameters).all() if terms.promised & ASKING else []
            before = connection.scalar(BEFORE, parameters)
            mean = connection.scalar(MEAN, parameters) if Rule.SIZE_DRIFT in terms.promised else None
        return _measured(rows, terms, taken=taken, quarantined=quarantined, mean=float(mean or 0), before=before)

    def centroid(self, run: SourceRun, terms: ContractTerms, model: str) -> CentroidMeasures:
        if Rule.CENTROID_DRIFT not in terms.promised:
            return CentroidMeasures(None)
        with self._database.read() as connection:
            before = connection.scalar(CENTROID_BEFORE, {"source": run.source, "model": model})
        now = self._centroid(NEXT_PASSAGES, run, model)
        if before is None or now is None:
            return CentroidMeasures(None)
        then = np.frombuffer(before, dtype="<f4")
        return CentroidMeasures(float(1 - np.dot(now, then) / (np.linalg.norm(now) * np.linalg.norm(then))))

    def keep(self, run: SourceRun, terms: ContractTerms, model: str) -> None:
        drifting = terms.promised & {Rule.SIZE_DRIFT, Rule.CENTROID_DRIFT}
        if not drifting:
            return
        centroid = self._centroid(CURRENT_PASSAGES, run, model) if Rule.CENTROID_DRIFT in drifting else None
        with self._database.write() as connection:
            fence(connection, run)
            count, mean = connection.execute(CURRENT_SIZE, {"source": run.source}).one()
            connection.execute(source_measures.delete().where(source_measures.c.source == run.source))
            connection.execute(
                insert(source_measures).values(
                    source=run.source,
                    run=run.id,
                    at=self._database.now(),
                    documents=count,
                    mean_characters=float(mean or 0),
                    model=None if centroid is None else model,
                    centroid=None if centroid is None else centroid.astype("<f4").tobytes(),
                )
            )

    def _centroid(self, of: Select[Any], run: SourceRun, model: str) -> NDArray[np.float64] | None:
        """The mean of the vectors of these passages; None without any, or where they cancel each other out."""
        total: NDArray[np.float64] | None = None
        with self._database.read() as connection:
            found = connection.execution_options(yield_per=_AT_ONCE).execute(of, {"source": run.source, "run": run.id, "model": model})
            for rows in found.partitions():
                added = np.stack([np.frombuffer(row.vector, dtype="<f4") for row in rows]).sum(axis=0, dtype=np.float64)
                total = added if total is None else total + added
        return None if total is None or not total.any() else total


def _measured(
    rows: "list[Row[Any]] | Any",  # noqa: ANN401 - SQLAlchemy's sequence of rows
    terms: ContractTerms,
    *,
    taken: int,
    quarantined: int,
    mean: float,
    before: float | None,
) -> DocumentMeasures:
    foreign, without, languages, personal, secrets = Counter[str](), Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    hidden = instructions = 0
    for row in rows:
        foreign.update(_foreign(row, terms))
        metadata: Mapping[str, str] = json.loads(row.metadata)
        without.update(name for name in terms.required_metadata if not str(metadata.get(name, "")).strip())
        languages[row.language or UNKNOWN_LANGUAGE] += 1
        found = json.loads(row.findings) if row.findings else {}
        personal.update(counted(found.get("personal", {}), terms).keys())
        secrets.update(found.get("secrets", {}).keys())
        hidden += bool(found.get("hidden"))
        instructions += bool(found.get("instructions"))
    return DocumentMeasures(
        taken=taken,
        quarantined=quarantined,
        foreign_formats=foreign,
        without=without,
        languages=languages,
        mean_characters=mean,
        before=before,
        personal=personal,
        secrets=secrets,
        hidden=hidden,
        instructions=instructions,
    )


def _foreign(row: Row[Any], terms: ContractTerms) -> Iterator[str]:
    """The document's format where neither its extension nor its media type is allowed."""
    extension = PurePosixPath(row.key).suffix.lower()
    if terms.formats and not {extension, row.media_type} & set(terms.formats):
        yield extension or row.media_type
