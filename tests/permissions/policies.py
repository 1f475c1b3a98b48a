"""A world's policies, memberships and people in a real catalog, without its documents: for asking who reads what, very often."""

from sqlalchemy import delete, update

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.classes import class_of
from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.tables import access_classes, directory, grants, memberships, source_versions, sources
from retrieval.domain.permissions import AccessPolicy, Principal
from tests.permissions.askings import OWNER, spec_of
from tests.permissions.oracle import State
from tests.permissions.people import enter_person

LONG_AGO = "2000-01-01T00:00:00.000000Z"


class PlantedPolicies:
    """`state` as the catalog holds it, one access class for each policy of each folder."""

    def __init__(self, catalog: Catalog, state: State) -> None:
        self._catalog = catalog
        self._papers: dict[int, set[str]] = {}
        for name, folder in state.folders.items():
            catalog.sources.register(spec_of(name, folder), by=OWNER)
        for member, groups in state.groups.items():
            catalog.directory.set_groups(member, groups)
        for subject, person in state.people.items():
            enter_person(catalog, subject, person)
        with catalog.database.write() as connection:
            next_revision(connection)
            stale = [name for name, folder in state.folders.items() if folder.permissions_too_old]
            connection.execute(update(sources).where(sources.c.id.in_(stale)).values(permissions_fresh_until=LONG_AGO))
            for paper in state.papers.values():
                access_class = class_of(connection, paper.folder, AccessPolicy(paper.allowed, paper.denied))
                self._papers.setdefault(access_class, set()).add(paper.name)

    def readable(self, principal: Principal) -> set[str]:
        """Names of the papers in the classes that the catalog gives the principal."""
        scope = self._catalog.gate.scope(principal)
        return set().union(*(self._papers[access_class] for access_class in scope.classes))

    def clear(self) -> None:
        """Make room for another world."""
        with self._catalog.database.write() as connection:
            next_revision(connection)
            for table in (grants, access_classes, memberships, directory, source_versions, sources):
                connection.execute(delete(table))
