"""What tests of several packages share: settings on a temporary directory, and the catalog on both databases."""

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import psycopg
import pytest
import structlog
from structlog._config import BoundLoggerLazyProxy

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.settings import Settings
from tests import postgres
from tests.templates import NAME, add_template, lay_out
from tests.web_site import Site, serving_site

EVALUATION_DATA = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    """A command configures logging for its process; tests share one, whose standard error changes from test to test."""
    yield
    structlog.reset_defaults()
    for name, module in list(sys.modules.items()):
        logger = vars(module).get("_logger") if name.startswith(("api.", "pipelines.", "retrieval.")) else None
        if isinstance(logger, BoundLoggerLazyProxy):
            vars(logger).pop("bind", None)  # a command lets loggers remember where they write


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a data directory that holds an empty catalog and nothing else."""
    lay_out(tmp_path / "archivist" / "catalog.db")
    return Settings(data_directory=tmp_path / "archivist")


@pytest.fixture(scope="session")
def evaluation_data() -> Path:
    """Folders of evaluation data beside the project."""
    if not EVALUATION_DATA.is_dir():
        pytest.skip("the evaluation data are not beside this checkout")
    return EVALUATION_DATA


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    reason = postgres.missing()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres.cluster() as url:
        add_template(url)
        yield url


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.replace("+psycopg", "") + "/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield f"{server}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A catalog that holds nothing, dropped at the end."""
    with _database(postgres_server, NAME) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a catalog that holds nothing, once per database engine."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{lay_out(tmp_path / 'catalog.db')}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, once per database engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalog.db'}"
    else:
        with _database(request.getfixturevalue("postgres_server"), "template1") as url:
            yield url


@pytest.fixture
def make_catalog(catalog_url: str) -> Iterator[Callable[..., Catalog]]:
    """Opens the catalog; every one it opened is closed at the end."""
    opened: list[Catalog] = []

    def make(**options: object) -> Catalog:
        catalog = open_catalog(Settings(catalog_url=catalog_url), **options)
        opened.append(catalog)
        return catalog

    yield make
    for catalog in opened:
        catalog.close()


@pytest.fixture
def catalog(make_catalog: Callable[..., Catalog]) -> Catalog:
    return make_catalog()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving_site() as serving:
        yield serving
