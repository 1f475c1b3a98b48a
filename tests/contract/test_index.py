"""The contract of PassageSearch and IndexWriter, over the embedded engine and a Qdrant client."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from retrieval.adapters.qdrant.edge import EdgeIndex
from retrieval.adapters.qdrant.payload import HeldPassage
from retrieval.adapters.qdrant.server import QdrantServerIndex
from retrieval.domain.errors import RevisionNotReached
from retrieval.domain.passages import IndexedDocument
from retrieval.domain.runs import SCORE_DECIMALS, Run
from retrieval.indexing.follower import Follower
from retrieval.indexing.owner import IndexOwner
from retrieval.indexing.remote import bring_up
from retrieval.ports.reading import LegRuns, LegSearch, PassageSearch
from retrieval.ports.writing import IndexWriter, Reclassification
from tests.retrieval.indexing.world import (
    IDENTITY,
    FakeChangeFeed,
    InProcessBuilder,
    contents_of,
    document,
    held,
    scope_of,
    vector_of,
)

pytestmark = [
    pytest.mark.contract,
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]

ADAPTERS = ["edge", "server"]
WORDS = ["lantern", "harbour", "ledger", "violin", "granite", "meadow", "cipher", "walnut", "tunnel", "saffron", "über", "naïve", "日本"]


class Index(PassageSearch, IndexWriter, Protocol):
    """What both adapters are."""

    def contents(self) -> Iterator[HeldPassage]: ...

    def passages(self) -> int: ...


@contextmanager
def opened(adapter: str, directory: Path, feed: FakeChangeFeed | None = None) -> Iterator[Index]:
    """An index that has been built from the feed."""
    feed = feed or FakeChangeFeed()
    if adapter == "server":
        client = QdrantClient(":memory:")
        server = QdrantServerIndex(client, "archivist", IDENTITY)
        bring_up(feed, server, batch_documents=2)
        yield server
        client.close()
        return
    edge = EdgeIndex.open(directory, IDENTITY)
    IndexOwner(feed, edge, InProcessBuilder(feed), batch_documents=2, renew_after_passages=1_000_000).rebuild()
    yield edge
    edge.close()


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def index(adapter: str, tmp_path: Path) -> Iterator[Index]:
    with opened(adapter, tmp_path / "index") as made:
        yield made


@pytest.fixture
def worlds(adapter: str, tmp_path: Path) -> Iterator[tuple[Index, Index]]:
    """Two indexes, for the same documents without and with hidden ones."""
    with opened(adapter, tmp_path / "without") as without, opened(adapter, tmp_path / "with") as with_hidden:
        yield without, with_hidden


def query(text: str, *, depth: int = 10, sources: Sequence[str] = (), dense: bool = True, at_least: int = 0) -> LegSearch:
    return LegSearch(text, vector_of(text) if dense else None, depth, tuple(sources), at_least)


def found(runs: LegRuns) -> set[str]:
    return {hit.passage for run in (runs.lexical, runs.dense) for hit in run.hits}


def ids(*documents: IndexedDocument) -> set[str]:
    return set(held(documents))


def test_what_was_written_is_read_back_whole(index: Index) -> None:
    written = [
        document("rules", "Visitors sign the ledger.", "Second passage.", prefix="House rules > Visitors", access_class=7, number=3),
        document("odd", "Grüße, naïve café — 日本語 🎻\u0000 end", "", source="wiki", access_class=2**40),
    ]

    index.replace(written)

    assert contents_of(index) == held(written)
    assert index.passages() == 4


def test_both_legs_find_a_readable_passage_and_score_it(index: Index) -> None:
    target = document("lights", "The lantern hangs over the harbour.")
    index.replace([target, document("other", "Granite is heavy.", "Walnut trees in the meadow.")])

    runs = index.search(scope_of(1), query("The lantern hangs over the harbour."))

    assert runs.lexical.hits[0].passage == runs.dense.hits[0].passage == target.passages[0].id
    assert len(runs.lexical.hits) == 1
    assert runs.dense.hits[0].score == pytest.approx(1.0)
    assert len(runs.dense.hits) == 3


def test_the_prefix_is_searched_and_is_no_part_of_the_text(index: Index) -> None:
    passage = document("rules", "Nobody enters after ten.", prefix="Lighthouse")
    index.replace([passage])

    runs = index.search(scope_of(1), query("lighthouse", dense=False))

    assert [hit.passage for hit in runs.lexical.hits] == [passage.passages[0].id]
    assert index.texts(scope_of(1), [passage.passages[0].id]) == {passage.passages[0].id: "Nobody enters after ten."}


def test_a_search_without_a_vector_leaves_the_dense_leg_empty(index: Index) -> None:
    index.replace([document("a", "lantern")])

    runs = index.search(scope_of(1), query("lantern", dense=False))

    assert len(runs.lexical.hits) == 1
    assert runs.dense.hits == ()


@pytest.mark.parametrize("text", ["", "  ", "the of and", "!?…", "\ud800"], ids=["empty", "blank", "stop words", "marks", "surrogate"])
def test_a_text_without_terms_finds_nothing_in_the_lexical_leg_and_everything_in_the_dense_one(index: Index, text: str) -> None:
    index.replace([document("a", "lantern", "harbour")])

    runs = index.search(scope_of(1), LegSearch(text, vector_of("lantern"), 10))

    assert runs.lexical.hits == ()
    assert len(runs.dense.hits) == 2


@pytest.mark.permissions
def test_an_empty_scope_sees_nothing(index: Index) -> None:
    state = document("a", "lantern")
    index.replace([state])

    runs = index.search(scope_of(), query("lantern"))

    assert found(runs) == set()
    assert index.texts(scope_of(), sorted(ids(state))) == {}


@pytest.mark.permissions
def test_an_unknown_class_sees_nothing(index: Index) -> None:
    state = document("a", "lantern")
    index.replace([state])

    runs = index.search(scope_of(999), query("lantern"))

    assert found(runs) == set()
    assert index.texts(scope_of(999), sorted(ids(state))) == {}


@pytest.mark.permissions
def test_only_the_classes_of_the_scope_are_found(index: Index) -> None:
    mine, ours, hidden = (
        document("a", "lantern one", access_class=1),
        document("b", "lantern two", access_class=2),
        document("c", "lantern", access_class=3),
    )
    index.replace([mine, ours, hidden])

    runs = index.search(scope_of(1, 2), query("lantern"))

    assert found(runs) == ids(mine, ours)


@pytest.mark.permissions
def test_texts_gives_nothing_outside_the_scope(index: Index) -> None:
    mine, hidden = document("a", "lantern", access_class=1), document("b", "harbour", access_class=2)
    index.replace([mine, hidden])

    texts = index.texts(scope_of(1), [*ids(mine), *ids(hidden), *ids(document("absent", "x"))])

    assert texts == {mine.passages[0].id: "lantern"}


def test_named_sources_narrow_the_search(index: Index) -> None:
    wiki, mail = document("a", "lantern", source="wiki"), document("b", "lantern", source="mail")
    index.replace([wiki, mail, document("c", "lantern", source="files")])

    runs = index.search(scope_of(1), query("lantern", sources=["wiki", "mail"]))

    assert found(runs) == ids(wiki, mail)


@pytest.mark.permissions
def test_a_named_source_does_not_widen_the_scope(index: Index) -> None:
    index.replace([document("a", "lantern", source="wiki", access_class=2)])

    runs = index.search(scope_of(1), query("lantern", sources=["wiki"]))

    assert found(runs) == set()


def test_a_new_version_replaces_every_passage_of_the_old_one(index: Index) -> None:
    index.replace([document("a", "lantern", "harbour", "ledger"), document("b", "violin")])
    changed = document("a", "granite", number=2)

    index.replace([changed])

    assert contents_of(index) == held([changed, document("b", "violin")])


def test_a_version_with_fewer_passages_than_before_keeps_none_of_them(index: Index) -> None:
    index.replace([document("a", "lantern", "harbour")])

    index.replace([document("a", "lantern")])

    assert contents_of(index) == held([document("a", "lantern")])


def test_a_document_without_passages_is_deleted(index: Index) -> None:
    kept = document("b", "violin")
    index.replace([document("a", "lantern"), kept])

    index.replace([document("a")])

    assert contents_of(index) == held([kept])


def test_of_two_states_of_a_document_in_one_call_the_last_counts(index: Index) -> None:
    last = document("a", "harbour", number=2)

    index.replace([document("a", "lantern"), last])

    assert contents_of(index) == held([last])


def test_repeating_a_write_changes_nothing(index: Index) -> None:
    states = [document("a", "lantern", "harbour"), document("b", "violin", access_class=2)]

    for _ in range(3):
        index.replace(states)
        index.reclassify([Reclassification("doc_b", 2)])

    assert contents_of(index) == held(states)


def test_reclassifying_moves_all_passages_and_keeps_the_rest(index: Index) -> None:
    index.replace([document("a", "lantern", "harbour"), document("b", "lantern")])

    index.reclassify([Reclassification("doc_a", 5), Reclassification("doc_absent", 5)])

    assert contents_of(index) == held([document("a", "lantern", "harbour", access_class=5), document("b", "lantern")])
    assert found(index.search(scope_of(1), query("lantern"))) == ids(document("b", "lantern"))
    assert found(index.search(scope_of(5), query("lantern"))) == ids(document("a", "lantern", "harbour"))


def test_nothing_to_write_is_no_request_for_everything(index: Index) -> None:
    index.replace([document("a", "lantern")])

    index.replace([])
    index.reclassify([])

    assert contents_of(index) == held([document("a", "lantern")])


def test_the_applied_revision_starts_at_the_build_and_is_remembered(index: Index) -> None:
    before = index.revision()

    index.applied(41)

    assert before == 0
    assert index.applied_revision() == index.revision() == 41


def test_a_search_that_needs_a_later_revision_is_refused(index: Index) -> None:
    index.applied(3)

    with pytest.raises(RevisionNotReached):
        index.search(scope_of(1), query("lantern", at_least=4))

    assert index.search(scope_of(1), query("lantern", at_least=3)).lexical.hits == ()


@pytest.mark.parametrize("depth", [1, 5, 30, 60])
def test_equal_hits_are_in_the_order_of_their_ids_wherever_the_cut_falls(index: Index, depth: int) -> None:
    same = [document(f"copy{number}", "the lantern hangs over the harbour") for number in range(60)]
    random.Random(7).shuffle(same)
    index.replace([*same, document("other", "walnut")])

    runs = index.search(scope_of(1), query("the lantern hangs over the harbour", depth=depth))

    assert passages_of(runs.dense) == passages_of(runs.lexical) == sorted(ids(*same))[:depth]


def test_scores_come_rounded_and_falling(index: Index) -> None:
    index.replace([document(f"d{n}", " ".join(random.Random(n).choices(WORDS, k=12))) for n in range(40)])

    runs = index.search(scope_of(1), query("lantern harbour ledger violin", depth=40))

    for run in (runs.lexical, runs.dense):
        assert [hit.score for hit in run.hits] == sorted((hit.score for hit in run.hits), reverse=True)
        assert all(hit.score == round(hit.score, SCORE_DECIMALS) for hit in run.hits)


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


def passages_of(run: Run) -> list[str]:
    return [hit.passage for hit in run.hits]
