"""Who was shown what, out of the audit log: one line for each record and version that it names."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from retrieval.adapters.catalog.tables import audit, audit_documents
from retrieval.domain.audit import SHOWING
from retrieval.domain.lineage import Showing

AT_ONCE = 500
"""Records in one statement."""
_SHOWING = sorted(action.value for action in SHOWING)


def showings_of(
    connection: Connection, documents: Select[tuple[str]], versions: Collection[str], *, before: int | None = None
) -> Iterator[list[Showing]]:
    """The showings of each record that names one of the versions, newest record first.

    Args:
        connection: of one snapshot.
        documents: whose records are looked at.
        versions: that count.
        before: only records with a smaller number.
    """
    page = select(audit.c.seq, audit.c.record).where(audit.c.action.in_(_SHOWING)).order_by(audit.c.seq.desc()).limit(AT_ONCE)
    named = select(audit_documents.c.seq).where(audit_documents.c.document.in_(documents))
    page = page.where(audit.c.seq.in_(named))
    while rows := connection.execute(page if before is None else page.where(audit.c.seq < before)).all():
        for row in rows:
            if found := _showings(row.seq, json.loads(row.record), versions):
                yield found
        before = rows[-1].seq


def cut(records: Iterator[list[Showing]], *, limit: int) -> tuple[tuple[Showing, ...], bool]:
    """The showings of the first `limit` records, and whether there are more."""
    kept: list[Showing] = []
    for number, found in enumerate(records):
        if number == limit:
            return tuple(kept), True
        kept += found
    return tuple(kept), False


def _showings(seq: int, record: dict[str, Any], versions: Collection[str]) -> list[Showing]:
    if record["decision"] != "allowed":
        return []
    quoted = set(record.get("details", {}).get("quoted", ()))
    acts_for = record.get("act_for")
    return [
        Showing(
            seq=seq,
            at=record["at"],
            action=record["action"],
            outcome=record["outcome"],
            person=acts_for or record["actor"],
            application=record["actor"] if acts_for else None,
            request_id=record.get("request_id"),
            document=named["document"],
            version=named["version"],
            quoted=any(passage["id"] in quoted for passage in named.get("passages", ())),
        )
        for named in record.get("documents", ())
        if named.get("version") in versions
    ]


def requests_of(showings: Sequence[Showing]) -> list[str]:
    """Each request once, in order of first appearance."""
    return list(dict.fromkeys(showing.request_id for showing in showings if showing.request_id is not None))
