"""People of a world in the catalog's directory."""

import json

from sqlalchemy import delete, insert

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.tables import directory
from tests.permissions.oracle import Person


def enter_person(catalog: Catalog, subject: str, person: Person) -> None:
    with catalog.database.write() as connection:
        next_revision(connection)
        connection.execute(delete(directory).where(directory.c.subject == subject))
        connection.execute(
            insert(directory).values(
                subject=subject,
                kind=subject.partition(":")[0],
                active=person.active,
                clearance=person.clearance,
                regions=None if person.regions is None else json.dumps(sorted(person.regions)),
                managed_by="cli",
                name=subject,
                attributes="{}",
                version=1,
                created_at="",
                updated_at="",
            )
        )
