"""The glossaries of sources: every one that an owner applied, and the one in force."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.engine import Database, next_revision
from retrieval.adapters.catalog.tables import glossaries, glossary_terms, sources
from retrieval.domain.audit import AuditAction, AuditEntry, Detail
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.graph import GlossaryTerm
from retrieval.domain.sources import SourceState


class CatalogGlossaries:
    """`Glossaries` over the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def apply(self, source: str, terms: Sequence[GlossaryTerm], *, by: str) -> int:
        written = json.dumps([[t.name, t.kind, list(t.aliases), t.definition] for t in terms], ensure_ascii=False)
        with self._database.write() as connection:
            _check_open(connection, source)
            before = connection.execute(_NEWEST.where(glossaries.c.source == source)).first()
            version = 0 if before is None else int(before.version)
            if written == ("[]" if before is None else before.terms):
                return version
            next_revision(connection)
            version += 1
            kept = {"applied_at": self._database.now(), "applied_by": by}
            connection.execute(insert(glossaries).values(source=source, version=version, terms=written, **kept))
            connection.execute(delete(glossary_terms).where(glossary_terms.c.source == source))
            rows = [{"source": source, "entity": t.entity, "name": t.name, "kind": t.kind, "definition": t.definition} for t in terms]
            if rows:
                connection.execute(insert(glossary_terms), rows)
            changed: dict[str, Detail] = {"source": source, "glossary_version": version, "terms": len(terms)}
            append(connection, AuditEntry(AuditAction.GLOSSARY_CHANGED, by, details=changed), at=self._database.now())
        return version

    def terms(self, source: str) -> tuple[GlossaryTerm, ...]:
        with self._database.read() as connection:
            found = connection.execute(_NEWEST.where(glossaries.c.source == source)).first()
        if found is None:
            return ()
        return tuple(GlossaryTerm(name, kind, tuple(aliases), text) for name, kind, aliases, text in json.loads(found.terms))


def _check_open(connection: Connection, source: str) -> None:
    state = connection.scalar(select(sources.c.state).where(sources.c.id == source))
    if state is None:
        raise InvalidInput.of("source", "there is no such source")
    if state == SourceState.RETIRED.value:
        raise Conflict("this source is retired")


_NEWEST = select(glossaries).order_by(glossaries.c.version.desc()).limit(1)
