"""The combinations of catalog and index on which permissions are tried: each is the real thing, or what its vendor ships for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest


@dataclass(frozen=True)
class Backend:
    """A catalog's database and an index."""

    catalog: str
    index: str

    def __str__(self) -> str:
        return f"{self.catalog}-{self.index}"

    @property
    def marks(self) -> list[pytest.MarkDecorator]:
        server = [
            pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
            pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
        ]
        return ([pytest.mark.postgres] if self.catalog == "postgres" else []) + (server if self.index == "server" else [])

    @contextmanager
    def options(self, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
        """What `planted` is told; a PostgreSQL database of its own is dropped at the end."""
        if self.catalog == "sqlite":
            yield {"index": self.index}
            return
        server = str(request.getfixturevalue("postgres_server"))
        name = f"permissions_{id(request)}"
        with psycopg.connect(server.replace("+psycopg", "") + "/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
            yield {"index": self.index, "catalog_url": f"{server}/{name}"}
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


BACKENDS = [Backend("sqlite", "edge"), Backend("postgres", "edge"), Backend("sqlite", "server")]
