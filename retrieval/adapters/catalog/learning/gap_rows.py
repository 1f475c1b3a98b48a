"""Gaps as rows: their words encrypted under the audit log's query key, so that forgetting queries forgets them, too."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, tuple_

from retrieval.adapters.catalog.audit.secrecy import AuditKeys
from retrieval.adapters.catalog.tables import gaps as table
from retrieval.domain.clock import stamp, unstamp
from retrieval.domain.gaps import Gap, GapKind


def add(connection: Connection, gaps: Sequence[Gap], keys: AuditKeys) -> None:
    """One that is there already, by source, kind and what it is about, is left as it is."""
    wanted = {(gap.source, gap.kind.value, gap.about): gap for gap in gaps}
    if not wanted:
        return
    key = tuple_(table.c.source, table.c.kind, table.c.about)
    there = {tuple(row) for row in connection.execute(select(table.c.source, table.c.kind, table.c.about).where(key.in_(list(wanted))))}
    new = [_columns(gap, keys) for key_, gap in wanted.items() if key_ not in there]
    if new:
        connection.execute(insert(table), new)


def read(row: Row[Any], keys: AuditKeys) -> Gap:
    """Words whose key has been destroyed are missing."""
    return Gap(
        source=row.source,
        kind=GapKind(row.kind),
        about=row.about,
        at=unstamp(row.at),
        asker=row.asker,
        question=None if row.question is None else keys.opened_query(row.question),
        topics_only=row.topics_only,
        note=(keys.opened_query(row.note) or "") if row.note is not None else "",
        document=row.document,
    )


def _columns(gap: Gap, keys: AuditKeys) -> dict[str, Any]:
    return {
        "source": gap.source,
        "kind": gap.kind.value,
        "about": gap.about,
        "month": gap.month,
        "at": stamp(gap.at),
        "asker": gap.asker,
        "question": None if gap.question is None else keys.sealed_query(gap.question),
        "topics_only": gap.topics_only,
        "note": keys.sealed_query(gap.note) if gap.note else None,
        "document": gap.document,
    }
