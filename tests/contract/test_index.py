"""The contract of PassageSearch and IndexWriter, over the embedded engine and a Qdrant client."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.domain.errors import RevisionNotReached
from retrieval.domain.runs import SCORE_DECIMALS
from retrieval.ports.reading import LegSearch
from retrieval.ports.writing import Reclassification
from tests.retrieval.indexing.adapters import ADAPTERS, WORDS, Index, found, ids, opened, passages_of, query
from tests.retrieval.indexing.world import (
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


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def index(adapter: str, tmp_path: Path) -> Iterator[Index]:
    with opened(adapter, tmp_path / "index") as made:
        yield made


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
