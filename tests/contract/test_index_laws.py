"""Laws of PassageSearch and IndexWriter, over histories and worlds that hypothesis makes up, on both adapters."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.domain.passages import IndexedDocument
from retrieval.indexing.follower import Follower
from tests.retrieval.indexing.adapters import ADAPTERS, WORDS, Index, opened, passages_of, query
from tests.retrieval.indexing.world import (
    FakeChangeFeed,
    contents_of,
    document,
    held,
    scope_of,
)

pytestmark = [
    pytest.mark.contract,
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def worlds(adapter: str, tmp_path: Path) -> Iterator[tuple[Index, Index]]:
    """Two indexes, for the same documents without and with hidden ones."""
    with opened(adapter, tmp_path / "without") as without, opened(adapter, tmp_path / "with") as with_hidden:
        yield without, with_hidden


TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join), min_size=1, max_size=3)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, 4), TEXTS, st.integers(1, 3)),
        st.tuples(st.just("reclassify"), st.integers(0, 4), st.integers(1, 3)),
        st.tuples(st.just("withdraw"), st.integers(0, 4)),
        st.tuples(st.just("catch up")),
    ),
    max_size=14,
)
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MORE = settings(FEW, max_examples=20)


def play(operations: Sequence[tuple[object, ...]], feed: FakeChangeFeed, follower: Follower) -> None:
    """Apply a random history to the world; the follower looks at it now and then."""
    for number, (what, *arguments) in enumerate(operations, 2):
        name = f"doc_{arguments[0]}" if arguments else ""
        known = {state.document for state in feed.current()}
        match what:
            case "publish":
                feed.publish(document(str(arguments[0]), *arguments[1], access_class=arguments[2], number=number))  # type: ignore[misc, arg-type]
            case "reclassify" if name in known:
                feed.reclassify(arguments[1], name)  # type: ignore[arg-type]
            case "withdraw" if name in known:
                feed.withdraw(name)
            case "catch up":
                follower.catch_up(None)
            case _:
                feed.touch()
    follower.catch_up(None)


@FEW
@given(operations=OPERATIONS)
def test_any_history_followed_in_any_steps_gives_what_the_catalog_holds_and_what_a_rebuild_gives(
    adapter: str, tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[object, ...]]
) -> None:
    feed = FakeChangeFeed()
    with opened(adapter, tmp_path_factory.mktemp("followed")) as followed:
        play(operations, feed, Follower(feed, followed, batch_documents=2))
        with opened(adapter, tmp_path_factory.mktemp("rebuilt"), feed) as rebuilt:
            assert contents_of(followed) == held(feed.current())
            assert contents_of(rebuilt) == contents_of(followed)
            assert followed.revision() == rebuilt.revision() == feed.revision()


@pytest.mark.permissions
@MORE
@given(seed=st.integers(0, 2**32))
def test_documents_that_may_not_be_read_change_no_run(worlds: tuple[Index, Index], seed: int) -> None:
    without, with_hidden = worlds
    dice = random.Random(seed)
    readable = some(dice, 30, access_class=1) + some(dice, 10, access_class=2)
    hidden = some(dice, 60, access_class=3)
    without.replace(readable)
    with_hidden.replace(hidden)
    with_hidden.replace(dice.sample(readable, k=len(readable)))
    searches = [query(" ".join(dice.sample(WORDS, k=dice.randint(1, 8))), depth=depth) for depth in (1, 3, 10, 40)]

    runs = [[index.search(scope_of(1, 2), search) for search in searches] for index in worlds]

    assert runs[0] == runs[1]
    assert any(run.lexical.hits for run in runs[0])


def some(dice: random.Random, count: int, *, access_class: int) -> list[IndexedDocument]:
    texts = [" ".join(dice.choices(WORDS, k=dice.randint(1, 30))) for _ in range(count)]
    return [document(f"{access_class}-{number}", text, access_class=access_class) for number, text in enumerate(texts)]


def test_both_adapters_give_the_same_runs(tmp_path: Path) -> None:
    feed = FakeChangeFeed()
    dice = random.Random(3)
    feed.publish(*some(dice, 40, access_class=1), *some(dice, 40, access_class=2), *some(dice, 40, access_class=3))
    searches = [query(" ".join(words)) for words in (WORDS[:3], WORDS[4:9], WORDS)]
    with opened("edge", tmp_path, feed) as edge, opened("server", tmp_path, feed) as server:
        for search in searches:
            left, right = edge.search(scope_of(1, 2), search), server.search(scope_of(1, 2), search)

            assert passages_of(left.lexical) == passages_of(right.lexical)
            assert passages_of(left.dense) == passages_of(right.dense)
            assert [hit.score for hit in left.dense.hits] == pytest.approx([hit.score for hit in right.dense.hits], abs=2e-5)
