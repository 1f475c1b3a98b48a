"""Where the passages stand that something of the graph is shown from."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select

from retrieval.adapters.catalog.graph.visible import VisibleGraph
from retrieval.adapters.catalog.tables import document_versions, documents, passages
from retrieval.ports.graph import Support

PLACES = (
    select(
        passages.c.id,
        passages.c.version,
        passages.c.page,
        passages.c.heading_path,
        passages.c.text_hash,
        documents.c.id.label("document"),
        documents.c.source,
        documents.c.access_class,
        document_versions.c.title,
        document_versions.c.uri,
    )
    .join(document_versions, document_versions.c.id == passages.c.version)
    .join(documents, documents.c.id == document_versions.c.document)
    .order_by(passages.c.id)
)


def support_of(graph: VisibleGraph, wanted: Sequence[str]) -> tuple[Support, ...]:
    """Those of the passages that are readable, in the order of their ids."""
    of_these = PLACES.where(passages.c.id.in_(bindparam("passages", expanding=True)))
    return tuple(map(place, graph.connection.execute(graph.readable(of_these), {"passages": list(wanted)})))


def place(row: Row[Any]) -> Support:
    return Support(
        passage=row.id,
        document=row.document,
        version=row.version,
        source=row.source,
        title=row.title,
        uri=row.uri,
        page=row.page,
        heading_path=tuple(json.loads(row.heading_path)),
        text_hash=row.text_hash,
        access_class=row.access_class,
    )
