"""People of a world in the catalog's directory."""

from dataclasses import replace

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.directory import Entry
from tests.permissions.askings import CLASSIFICATIONS
from tests.permissions.oracle import Person


def enter_person(catalog: Catalog, subject: str, person: Person) -> None:
    """Add somebody, or change what the directory says of them."""
    clearance = None if person.clearance is None else CLASSIFICATIONS[person.clearance]
    entry = Entry(subject, subject, active=person.active, clearance=clearance, regions=person.regions)
    if catalog.directory.find(subject) is None:
        catalog.directory.add(entry)
    else:
        limits = {"active": entry.active, "clearance": entry.clearance, "regions": entry.regions}
        catalog.directory.update(subject, lambda known: replace(known, **limits))
