"""Which documents were erased: runs that find them again pass them by."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select

from retrieval.adapters.catalog.tables import tombstones
from retrieval.adapters.catalog.versions.planning import portions
from retrieval.domain.documents import SourceFile


def without_erased(connection: Connection, files: Mapping[str, SourceFile]) -> Mapping[str, SourceFile]:
    """Those of the files, by document id, that have not been erased."""
    erased = {
        id_
        for some in portions(sorted(files))
        for id_ in connection.scalars(select(tombstones.c.document).where(tombstones.c.document.in_(some)))
    }
    return {id_: file for id_, file in files.items() if id_ not in erased} if erased else files


def erased_of(connection: Connection, source: str) -> frozenset[str]:
    """Ids of the source's erased documents."""
    return frozenset(connection.scalars(select(tombstones.c.document).where(tombstones.c.source == source)))


def bury(connection: Connection, documents: Sequence[tuple[str, str]], *, at: str) -> None:
    """Pass these (document, source) pairs by from now on."""
    if documents:
        connection.execute(insert(tombstones), [{"document": id_, "source": source, "erased_at": at} for id_, source in documents])
