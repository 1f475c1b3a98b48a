"""The catalog for the length of one command. What it is made of is imported only when a command needs it, so that --help is quick."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retrieval.settings import Settings

if TYPE_CHECKING:
    from retrieval.bootstrap import Catalog


@contextmanager
def catalog_of() -> "Iterator[Catalog]":
    """Raises CatalogUnavailable when it does not answer."""
    from retrieval.bootstrap import open_catalog  # noqa: PLC0415 - SQLAlchemy and migrations take half a second

    catalog = open_catalog(Settings())
    try:
        yield catalog
    finally:
        catalog.close()
