"""One pool with the default limits for all tests of parsing, and the sample documents beside the checkout."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.parsing.sandbox import ParsePool
from retrieval.domain.documents import ParsedDocument, QuarantineCode, Rejection
from retrieval.settings import Settings

_SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "unstructured_example_docs" / "files"


@pytest.fixture(scope="session")
def pool() -> Iterator[ParsePool]:
    with ParsePool(Settings()) as pool:
        yield pool


@pytest.fixture
def parsed(pool: ParsePool) -> Callable[..., ParsedDocument]:
    def parse(content: bytes, name: str) -> ParsedDocument:
        result = pool.parse(content, name=name)
        assert isinstance(result, ParsedDocument), result
        return result

    return parse


@pytest.fixture
def rejected(pool: ParsePool) -> Callable[..., QuarantineCode]:
    """The code of a rejection whose reason is one plain sentence or two."""

    def parse(content: bytes, name: str) -> QuarantineCode:
        result = pool.parse(content, name=name)
        assert isinstance(result, Rejection), result
        assert result.reason.endswith(".")
        assert "Traceback" not in result.reason
        return result.code

    return parse


@pytest.fixture(scope="session")
def samples() -> Path:
    if not _SAMPLES.is_dir():
        pytest.skip("the sample documents are not beside this checkout")
    return _SAMPLES
