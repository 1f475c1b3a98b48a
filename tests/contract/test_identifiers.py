"""The contract of PassageSearch about identifiers in documents and queries, on both adapters. The lexical leg alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.retrieval.indexing.adapters import ADAPTERS, Index, opened, passages_of, query
from tests.retrieval.indexing.world import document, scope_of

pytestmark = [
    pytest.mark.contract,
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]

PROSE = "Ask the desk at the harbour, which opens at nine and keeps a ledger of everything that visitors leave behind. " * 7


@pytest.fixture(params=ADAPTERS)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    with opened(str(request.param), tmp_path / "index") as made:
        yield made


def lexical(index: Index, text: str) -> list[str]:
    return passages_of(index.search(scope_of(1), query(text, dense=False)).lexical)


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        pytest.param("ERR-1042", "ERR-1043 of 1042 calls", id="an error code"),
        pytest.param("HB-7731-02", "HB-7731-03 since 2024-02-01", id="a code of three parts"),
        pytest.param("v2.3.1", "v2.1.3 and v3.2.1", id="a version"),
        pytest.param("max_retries", "max delay, retries", id="with an underscore"),
        pytest.param("conf/app.yaml", "app conf yaml", id="a path"),
        pytest.param("ann@example.com", "ann.com@example", id="an address"),
    ],
)
def test_a_long_text_with_the_identifier_ranks_above_a_short_one_with_its_parts(index: Index, asked: str, other: str) -> None:
    exact = document("exact", f"{PROSE} {asked} {PROSE}" if any(map(str.isdigit, asked)) else asked)
    index.replace([exact, document("other", other), *(document(f"d{number}", f"{PROSE} {number}") for number in range(5))])

    assert lexical(index, asked)[0] == exact.passages[0].id


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        pytest.param("retry policy", "Set RetryPolicy first.", id="words find camel case"),
        pytest.param("retryPolicy", "The retry policy is short.", id="camel case finds words"),
        pytest.param("retry_policy", "Set retryPolicy first.", id="an underscore finds camel case"),
        pytest.param("retry", "Set XMLRetryPolicy first.", id="a part finds the whole"),
        pytest.param("1042", "See ERR-1042.", id="a number finds its code"),
        pytest.param("ERR1042", "See ERR-1042.", id="without its mark"),
        pytest.param("app.yaml", "Edit src/conf/app.yaml now.", id="a file finds its path"),
        pytest.param("err-1042", "See ERR-1042.", id="without capitals"),
    ],
)
def test_an_identifier_is_found_whole_and_in_parts(index: Index, asked: str, written: str) -> None:
    target = document("target", written)
    index.replace([target, document("other", PROSE)])

    assert lexical(index, asked) == [target.passages[0].id]
