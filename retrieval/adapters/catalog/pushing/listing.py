"""What was pushed while a run was listing: the table has the last word, in the transaction that records the listing."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, select

from retrieval.adapters.catalog.pushing.rows import document_of
from retrieval.adapters.catalog.tables import pushed_documents, sources
from retrieval.domain.documents import SourceFile
from retrieval.domain.source_kinds import PUSH

_NOW = select(pushed_documents).where(
    pushed_documents.c.source == bindparam("source"),
    pushed_documents.c.key.in_(bindparam("keys", expanding=True)),
    pushed_documents.c.is_deleted.is_(False),
)


def as_pushed_now(connection: Connection, source: str, files: Mapping[str, SourceFile]) -> Mapping[str, SourceFile]:
    """Those of the files, by document id, that are still there, as they are now; those of sources that nobody pushes to as they are given.

    A listing is read before it is recorded. Without this a permission revoked in between would be given back by the older listing.
    """
    if connection.scalar(select(sources.c.kind).where(sources.c.id == source)) != PUSH.name:
        return files
    keys = [file.key for file in files.values()]
    now = {row.key: document_of(row).source_file for row in connection.execute(_NOW, {"source": source, "keys": keys})}
    return {id_: now[file.key] for id_, file in files.items() if file.key in now}
