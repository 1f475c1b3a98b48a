"""The graph in memory: what a scope sees of it, and that changing it leaves what building it anew would give."""

import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.adapters.graph.memory import MemoryGraph
from retrieval.adapters.graph.view import NAMED_DOCUMENTS
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.graph import EntityKind, entity_id
from retrieval.ports.graph import GraphDocument
from retrieval.ports.graph_search import GraphView, entity_number
from retrieval.ports.writing import Reclassification
from tests.retrieval.graph.world import document, graph_of, passage, scope_of

pytestmark = pytest.mark.permissions

NAMES = ("Ann Lee", "Bo Ray", "Cy Orr", "Di Poe", "Ed Fox")
ENTITIES = [entity_number(entity_id(name)) for name in NAMES]
ANN = ENTITIES[0]


def seen(view: GraphView) -> object:
    """All that a view says of these names."""
    mentions = {name: tuple(view.mentions(passage(name, n)) for n in range(3)) for name in NAMES}
    return mentions, view.counts(ENTITIES), view.named(ENTITIES, among={passage(name, 1) for name in NAMES})


def test_a_view_tells_who_mentions_whom_and_whose_name_it_is():
    graph = graph_of(document("Ann Lee", "She met Bo Ray."), document("Bo Ray", "Alone.", "Later Ann Lee came.", "The end."))
    view = graph.view(scope_of(1))

    assert [mention.kind for mention in view.mentions(passage("Ann Lee"))] == [EntityKind.TITLE, EntityKind.NAME]
    assert view.counts(ENTITIES) == {ENTITIES[0]: 2, ENTITIES[1]: 4}
    assert view.named(ENTITIES, among=()) == {ENTITIES[0]: (passage("Ann Lee"),), ENTITIES[1]: (passage("Bo Ray"),)}
    assert set(view.named([ENTITIES[1]], among={passage("Bo Ray", 2)})[ENTITIES[1]]) == {passage("Bo Ray"), passage("Bo Ray", 2)}


def test_a_hidden_passage_mentions_nothing_counts_nothing_and_names_nothing():
    graph = graph_of(document("Ann Lee", "She met Bo Ray.", access_class=2), document("Bo Ray", "He met Ann Lee."))
    view = graph.view(scope_of(1))

    assert view.mentions(passage("Ann Lee")) == ()
    assert view.counts(ENTITIES) == {ENTITIES[0]: 1, ENTITIES[1]: 1}
    assert view.named(ENTITIES, among={passage("Ann Lee")}) == {ENTITIES[1]: (passage("Bo Ray"),)}


def test_hidden_namesakes_do_not_make_a_name_ambiguous():
    hidden = [GraphDocument(f"doc_{n}", "wiki", 2, document(f"Ann Lee (no. {n})", "x").passages) for n in range(NAMED_DOCUMENTS + 1)]
    graph = graph_of(document("Ann Lee", "x"), *hidden)

    assert graph.view(scope_of(1)).named([ANN], among=()) == {ANN: (passage("Ann Lee"),)}
    assert graph.view(scope_of(1, 2)).named([ANN], among=()) == {}


def test_an_empty_scope_sees_nothing_and_sources_narrow():
    graph = graph_of(document("Ann Lee", "x", source="hr"), document("Bo Ray", "Ann Lee"))

    assert graph.view(scope_of()).counts(ENTITIES) == {}
    assert graph.view(scope_of(1), sources=["hr"]).counts(ENTITIES) == {ANN: 1}
    assert graph.view(scope_of(1), sources=["hr"]).mentions(passage("Bo Ray")) == ()


def test_before_it_is_loaded_it_is_not_there():
    with pytest.raises(IndexUnavailable):
        MemoryGraph().view(scope_of(1))
    with pytest.raises(IndexUnavailable):
        MemoryGraph().replace([])


def test_an_empty_graph_has_nothing():
    assert seen(graph_of().view(scope_of(1))) == (dict.fromkeys(NAMES, ((), (), ())), {}, {})


documents = st.builds(
    lambda name, others, class_, passages: document(
        name, *(f"Here {' and '.join(sorted(others))} met." for _ in range(passages)), access_class=class_
    ),
    st.sampled_from(NAMES),
    st.sets(st.sampled_from(NAMES), max_size=3),
    st.integers(1, 3),
    st.integers(0, 3),
)
changes = st.lists(st.one_of(st.lists(documents, max_size=3), st.tuples(st.sampled_from(NAMES), st.integers(1, 3))), max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(documents, max_size=5), changes, st.sets(st.integers(1, 3)))
def test_a_graph_that_was_changed_says_what_one_built_anew_says(first, steps, classes):
    held = {one.document: one for one in first}
    graph = graph_of(*held.values())
    for step in steps:
        if isinstance(step, list):
            batch = {one.document: one for one in step}
            graph.replace(list(batch.values()))
            held |= batch
        else:
            name, class_ = step
            graph.reclassify([Reclassification(f"doc_{name}", class_)])
            if (one := held.get(f"doc_{name}")) is not None:
                held[one.document] = GraphDocument(one.document, one.source, class_, one.passages)

    anew = graph_of(*held.values())
    assert seen(graph.view(scope_of(*classes))) == seen(anew.view(scope_of(*classes)))


@settings(max_examples=150, deadline=None)
@given(st.lists(documents, max_size=6, unique_by=lambda one: one.document), st.randoms(use_true_random=False))
def test_two_worlds_with_and_without_hidden_documents_look_the_same(world, shuffled):
    visible = [one for one in world if one.access_class != 3]
    shuffled.shuffle(world)

    assert seen(graph_of(*world).view(scope_of(1, 2))) == seen(graph_of(*visible).view(scope_of(1, 2)))


def test_readers_see_whole_states_while_it_changes():
    graph = graph_of(document("Ann Lee", "Bo Ray"))
    torn: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            view = graph.view(scope_of(1))
            both = view.counts(ENTITIES[:2])
            if both not in ({ENTITIES[0]: 1, ENTITIES[1]: 1}, {ENTITIES[0]: 3, ENTITIES[1]: 3}):
                torn.append(both)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for round_ in range(200):
        graph.replace([document("Ann Lee", *["Bo Ray"] * (3 if round_ % 2 else 1))])
    done.set()
    for reader in readers:
        reader.join()

    assert not torn


def test_it_holds_a_few_hundred_bytes_a_passage():
    random.seed(1)
    graph = graph_of(*(document(f"Page {n}", " met ".join(random.choices(NAMES, k=4)) + " there.") for n in range(200)))

    assert 0 < graph.size_bytes / 200 < 600
