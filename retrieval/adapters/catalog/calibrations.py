"""Calibrations of confidence in the catalog."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import calibrations
from retrieval.domain.audit import AuditAction, AuditEntry
from retrieval.domain.calibration import Calibration
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.errors import InvalidInput
from retrieval.domain.risk import RiskCurve

_ACTIVE = select(calibrations).where(calibrations.c.is_active)


class CatalogCalibrations:
    """`Calibrations` over the catalog.

    Args:
        database: the catalog's.
        kept_seconds: how long the one in force is remembered; 0: it is read each time.
        monotonic: seconds that only grow.
    """

    def __init__(self, database: Database, *, kept_seconds: float = 0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._kept_seconds = kept_seconds
        self._monotonic = monotonic
        self._remembered: tuple[float, Calibration | None] | None = None

    def active(self) -> Calibration | None:
        now, remembered = self._monotonic(), self._remembered
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        with self._database.read() as connection:
            row = connection.execute(_ACTIVE).one_or_none()
        found = None if row is None else _calibration(row)
        self._remembered = now + self._kept_seconds, found
        return found

    def keep(self, calibration: Calibration) -> Calibration:
        with self._database.write() as connection:
            latest = connection.scalar(select(func.max(calibrations.c.version)))
            kept = replace(calibration, version=(latest or 0) + 1, is_active=False)
            connection.execute(insert(calibrations).values(_columns(kept)))
            made = AuditEntry(AuditAction.CALIBRATION_KEPT, kept.by, details={"version": kept.version, "model": kept.model})
            append(connection, made, at=self._database.now())
        return kept

    def all(self) -> list[Calibration]:
        with self._database.read() as connection:
            return [_calibration(row) for row in connection.execute(select(calibrations).order_by(calibrations.c.version.desc()))]

    def get(self, version: int) -> Calibration:
        with self._database.read() as connection:
            return _found(connection, version)

    def activate(self, version: int, *, by: str) -> None:
        with self._database.write() as connection:
            if version:
                _found(connection, version)
            connection.execute(update(calibrations).values(is_active=calibrations.c.version == version))
            entry = AuditEntry(AuditAction.CALIBRATION_ACTIVATED, by, details={"version": version})
            append(connection, entry, at=self._database.now())
        self._remembered = None


def _found(connection: Connection, version: int) -> Calibration:
    row = connection.execute(select(calibrations).where(calibrations.c.version == version)).one_or_none()
    if row is None:
        raise InvalidInput.of("version", "there is no such calibration: `archivist calibrate list` shows them")
    return _calibration(row)


def _columns(calibration: Calibration) -> dict[str, object]:
    return {
        "version": calibration.version,
        "model": calibration.model,
        "knots": json.dumps(calibration.knots),
        "curves": json.dumps({group: [curve.given, curve.wrong] for group, curve in calibration.curves.items()}, sort_keys=True),
        "card": json.dumps(calibration.card, sort_keys=True),
        "at": stamp(calibration.at),
        "made_by": calibration.by,
        "is_active": calibration.is_active,
    }


def _calibration(row: Row[Any]) -> Calibration:
    curves = json.loads(row.curves).items()
    return Calibration(
        version=row.version,
        model=row.model,
        knots=tuple((at, to) for at, to in json.loads(row.knots)),
        curves={group: RiskCurve(tuple(given), tuple(wrong)) for group, (given, wrong) in curves},
        card=json.loads(row.card),
        at=unstamp(row.at),
        by=row.made_by,
        is_active=row.is_active,
    )
