"""When versions were current: intervals are opened and closed here, in the transaction that changes what readers see, and nowhere else.

A version that is rolled back to gets another interval; its id, its passages and their embeddings stay what they were.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, insert, select, update

from retrieval.adapters.catalog.tables import document_versions, documents, revisions, validity
from retrieval.domain.documents import VersionState


def close(connection: Connection, versions: Sequence[str], state: VersionState, *, revision: int, run: str | None = None) -> None:
    """These current versions were current until this revision, and now are in `state`. `run`: which one replaced or missed them."""
    if versions:
        connection.execute(_CLOSE, [{"closing": version, "to": revision, "by_run": run} for version in versions])
        connection.execute(_STATE, [{"closing": version, "now": state.value} for version in versions])


def reopen(connection: Connection, versions: Sequence[tuple[str, str]], *, revision: int) -> None:
    """These (document, version) pairs are current from this revision on. Their documents have no current version, or one that is closed."""
    if not versions:
        return
    connection.execute(insert(validity), [{"version": version, "valid_from": revision} for _, version in versions])
    connection.execute(_STATE, [{"closing": version, "now": VersionState.CURRENT.value} for _, version in versions])
    connection.execute(_POINT, [{"changed": document, "pointed_at": version} for document, version in versions])


def publish(connection: Connection, versions: Sequence[tuple[str, str]], *, revision: int, at: str, run: str) -> None:
    """These staged (document, version) pairs are current from this revision on, for the first time."""
    reopen(connection, versions, revision=revision)
    connection.execute(_PUBLISHED, [{"published": version, "now": at, "by_run": run} for _, version in versions])


def revision_at(connection: Connection, at: str) -> int | None:
    """The last revision that was made at this time or before; None: there was none yet. `at` is as the database writes times."""
    found = connection.scalar(select(func.max(revisions.c.value)).where(revisions.c.at <= at))
    return None if found is None else int(found)


_CLOSE = (
    update(validity)
    .where(validity.c.version == bindparam("closing"), validity.c.valid_to.is_(None))
    .values(valid_to=bindparam("to"), closed_run=bindparam("by_run"))
)
_STATE = update(document_versions).where(document_versions.c.id == bindparam("closing")).values(state=bindparam("now"))
_POINT = update(documents).where(documents.c.id == bindparam("changed")).values(current_version=bindparam("pointed_at"))
_PUBLISHED = (
    update(document_versions)
    .where(document_versions.c.id == bindparam("published"))
    .values(published_at=bindparam("now"), published_run=bindparam("by_run"))
)
