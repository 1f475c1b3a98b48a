"""The contract of PassageSearch about quoted phrases, on both adapters."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.domain.phrases import holds
from retrieval.ports.reading import LegSearch
from tests.retrieval.indexing.adapters import ADAPTERS, Index, found, ids, opened, query
from tests.retrieval.indexing.world import document, scope_of

pytestmark = [
    pytest.mark.contract,
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]


@pytest.fixture(params=ADAPTERS)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    with opened(str(request.param), tmp_path / "index") as made:
        yield made


@pytest.fixture(params=ADAPTERS)
def worlds(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Index, Index]]:
    with opened(str(request.param), tmp_path / "without") as without, opened(str(request.param), tmp_path / "with") as with_hidden:
        yield without, with_hidden


def asking(text: str, *phrases: str, depth: int = 10, dense: bool = True) -> LegSearch:
    return replace(query(text, depth=depth, dense=dense), phrases=phrases)


@pytest.mark.parametrize("dense", [True, False], ids=["both legs", "lexical leg"])
def test_every_leg_finds_only_passages_that_hold_the_phrase(index: Index, dense: bool) -> None:
    whole = document("whole", "Our Retry\n POLICY: three times.")
    index.replace([whole, document("parts", "Policy and retry, retry then policy."), document("other", "Granite.")])

    runs = index.search(scope_of(1), asking("retry policy", "retry policy", dense=dense))

    assert {hit.passage for hit in runs.lexical.hits} == ids(whole)
    assert {hit.passage for hit in runs.dense.hits} == (ids(whole) if dense else set())


def test_several_phrases_are_all_held(index: Index) -> None:
    both = document("both", "The red lantern hangs in the old harbour.")
    index.replace([both, document("one", "The red lantern."), document("two", "The old harbour.")])

    assert found(index.search(scope_of(1), asking("lantern harbour", "red lantern", "old harbour"))) == ids(both)


def test_a_phrase_that_nothing_holds_gives_no_hits(index: Index) -> None:
    index.replace([document("a", "The old lantern is red.")])

    assert found(index.search(scope_of(1), asking("red lantern", "red lantern"))) == set()


def test_a_phrase_of_stop_words_and_one_of_marks_are_phrases_too(index: Index) -> None:
    famous, plus = document("famous", "To be, or not to be."), document("plus", "Written in C++.")
    index.replace([famous, plus, document("c", "Written in C."), document("not", "Not to be to.")])

    assert found(index.search(scope_of(1), asking("to be or not to be", "or not to be"))) == ids(famous)
    assert found(index.search(scope_of(1), asking("C++", "C++"))) == ids(plus)


def test_a_phrase_in_the_prefix_counts_and_none_reaches_from_there_into_the_text(index: Index) -> None:
    under = document("under", "Nobody enters.", prefix="House rules")
    index.replace([under])

    assert found(index.search(scope_of(1), asking("rules", "house rules"))) == ids(under)
    assert found(index.search(scope_of(1), asking("rules", "rules nobody"))) == set()


def test_a_passage_is_found_however_many_rank_before_it_without_the_phrase(index: Index) -> None:
    last = document("last", "A long text in which somewhere, after much else of no interest, a red lantern is spoken of.")
    index.replace([last, *(document(f"d{number}", f"lantern red {number}") for number in range(300))])

    runs = index.search(scope_of(1), asking("lantern red", "red lantern", depth=1))

    assert {hit.passage for hit in runs.lexical.hits} == {hit.passage for hit in runs.dense.hits} == ids(last)


@pytest.mark.permissions
def test_a_phrase_widens_nobodys_scope(index: Index) -> None:
    index.replace([document("a", "red lantern", access_class=2)])

    assert found(index.search(scope_of(1), asking("red lantern", "red lantern"))) == set()
    assert found(index.search(scope_of(), asking("red lantern", "red lantern"))) == set()


TOKENS = ["red", "Red", "lantern", "LANTERN", "of", "the", "err-1042", "err", "1042", "-", ".", "naïve", "日本", "本", "snake_case", "\n"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
@pytest.mark.permissions
def test_what_is_found_is_exactly_what_holds_the_phrases_and_nothing_of_it_hangs_on_hidden_documents(
    worlds: tuple[Index, Index], seed: int
) -> None:
    dice = random.Random(seed)
    texts = [" ".join(dice.choices(TOKENS, k=dice.randint(1, 12))) for _ in range(50)]
    readable = [document(f"r{number}", text) for number, text in enumerate(texts[:30])]
    hidden = [document(f"h{number}", text, access_class=2) for number, text in enumerate(texts[30:])]
    worlds[0].replace(readable)
    worlds[1].replace(hidden + readable)
    phrases = [" ".join(dice.choices(TOKENS[:-1], k=dice.randint(1, 3))) for _ in range(dice.randint(1, 2))]
    phrases = [phrase for phrase in phrases if any(map(str.isalnum, phrase))]

    runs = [index.search(scope_of(1), asking("red lantern of 1042", *phrases, depth=50)) for index in worlds]

    assert runs[0] == runs[1]
    assert {hit.passage for hit in runs[0].dense.hits} == ids(*(one for one in readable if holds(phrases, one.passages[0].text)))
