"""Catalogs that are migrated once and copied for each test: migrating takes longer than most tests do."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import psycopg

from retrieval.adapters.catalog.engine import Database

NAME = "migrated"
"""Of the template on a PostgreSQL server."""


def lay_out(file: Path) -> Path:
    """A catalog of this version's schema that holds nothing, unless there is one already."""
    file.parent.mkdir(parents=True, exist_ok=True)
    return file if file.exists() else Path(shutil.copyfile(_migrated_file(), file))


def add_template(server: str) -> None:
    """Give a server (a URL without a database name) the template of this version's schema."""
    with psycopg.connect(server.replace("+psycopg", "") + "/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{NAME}"')
    _migrate(f"{server}/{NAME}")


@cache
def _migrated_file() -> Path:
    folder = tempfile.mkdtemp(prefix="archivist-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite:///{folder}/catalog.db")
    return Path(folder, "catalog.db")


def _migrate(url: str) -> None:
    database = Database(url)
    try:
        database.migrate()
    finally:
        database.close()
