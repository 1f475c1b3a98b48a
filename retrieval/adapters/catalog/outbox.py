"""The outbox: one row per document, saying at which revision it last changed and at which its passages did."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, insert, update

from retrieval.adapters.catalog.tables import changes

_TOUCH = update(changes).where(changes.c.document == bindparam("changed")).values(revision=bindparam("at"))
_REPLACE = (
    update(changes).where(changes.c.document == bindparam("changed")).values(revision=bindparam("at"), content_revision=bindparam("at"))
)


def announce(connection: Connection, documents: Iterable[str], *, revision: int, access_only: bool) -> None:
    """Tell the indexes to look at these documents again, in the transaction that changes them."""
    for document in sorted(set(documents)):
        values = {"changed": document, "at": revision}
        if connection.execute(_TOUCH if access_only else _REPLACE, values).rowcount == 0:
            connection.execute(insert(changes).values(document=document, revision=revision, content_revision=revision))
