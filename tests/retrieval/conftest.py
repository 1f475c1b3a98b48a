"""The bundled model, and a small catalog that it has embedded, for tests of the read path."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.adapters.models.weights import find_weights
from retrieval.settings import Settings
from tests.retrieval.served import FILES, LEXICAL, Served, StaleIndex, served


@pytest.fixture(scope="session")
def embedder() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(find_weights(""), dtype="float32", threads=1)


@pytest.fixture(scope="session")
def taken_in(embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a catalog that holds the files, for tests to copy."""
    settings = Settings(data_directory=tmp_path_factory.mktemp("taken_in") / "archivist")
    with served(settings, embedder) as world:
        world.sync(FILES)
    return settings.data_directory


@pytest.fixture
def world(settings: Settings, embedder: SentenceTransformerEmbedder, taken_in: Path) -> Iterator[Served]:
    with served(settings, embedder, copied_from=taken_in) as world:
        yield world


@pytest.fixture
def stale(world: Served) -> StaleIndex:
    return StaleIndex.of(world.passages, LEXICAL)
