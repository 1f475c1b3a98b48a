"""The graph leg: the walk by hand and beside networkx, what it finds and does not, and that hidden passages do not show in it."""

import dataclasses

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from retrieval.adapters.graph.paths import path_to
from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import FusedHit, Hit, Leg, Run
from retrieval.ports.graph import GraphDocument
from retrieval.steps.graph import DAMPING, EMPTY, LINK_GAIN, NAME_WORTH, GraphRun, Transitions, graph_hits, pagerank, with_graph
from tests.benchmarks.pagerank import compare
from tests.retrieval.graph.world import document, fused, graph_of, passage, scope_of, texts_of

FILM = "Blue Street is a film directed by Ann Lee. It stars Bo Ray, Cy Orr and Di Poe."
PAGES = {
    "Blue Street": FILM,
    "Ann Lee": "She was born in Oslo.",
    "Bo Ray": "He was born in Rome.",
    "Cy Orr": "He was born in Bonn.",
    "Di Poe": "She was born in Bern.",
    "Red Street": "A road in the north.",
}
QUESTION = "Where was the director of film Blue Street born?"
FOUND = fused(("Blue Street", 0.9), ("Red Street", 0.6), ("Bo Ray", 0.3))


def world(**classes: int) -> list[GraphDocument]:
    return [document(title, text, access_class=classes.get(title.replace(" ", "_"), 1)) for title, text in PAGES.items()]


def asked(
    question: str = QUESTION, found: tuple[FusedHit, ...] = FOUND, *, documents: list[GraphDocument] | None = None, depth: int = 50
) -> GraphRun:
    view = graph_of(*(world() if documents is None else documents)).view(scope_of(1))
    return graph_hits(question, found, view, texts_of(PAGES), depth=depth)


def titles(run: Run) -> list[str]:
    by_id = {passage(title): title for title in PAGES}
    return [by_id[hit.passage] for hit in run.hits]


def test_the_one_that_the_query_asks_for_is_followed_first():
    names = {passage(title): title for title in PAGES}
    for question, expected in ((QUESTION, "Ann Lee"), ("Where was Bo Ray's co-star in Blue Street, Cy Orr, born?", "Cy Orr")):
        joined = with_graph(FOUND, asked(question).run, weight=1.0)
        assert {names[hit.passage] for hit in joined[: 2 if question == QUESTION else 3]} >= {"Blue Street", expected}


def test_both_names_of_a_comparison_are_found_before_what_they_lead_to():
    run = asked("Who is older, Bo Ray or Cy Orr?", ()).run

    assert sorted(titles(run)) == ["Bo Ray", "Cy Orr"]
    assert run.hits[0].score == run.hits[1].score


def test_a_start_is_worth_its_name_and_what_is_walked_its_share():
    run = asked("Blue Street director", ())
    to_ann = next(step.share for step in run.steps if step.to == passage("Ann Lee"))

    scores = {hit.passage: hit.score for hit in run.run.hits}
    assert scores[passage("Blue Street")] == NAME_WORTH
    assert scores[passage("Ann Lee")] == pytest.approx(LINK_GAIN * DAMPING * to_ann, abs=1e-4)
    assert sum(step.share for step in run.steps) == pytest.approx(1)


def test_a_query_that_names_nothing_follows_only_what_bears_on_it():
    assert asked("how tall is it", FOUND).run.hits == ()
    assert titles(asked("who was it directed by", FOUND).run) == ["Ann Lee"]


@pytest.mark.parametrize("question", ["", "   ", "?", "the", "x" * 5_000, "Blue " * 2_000])
def test_whatever_the_query_it_answers(question):
    assert asked(question, ()) == EMPTY


def test_without_graph_hits_or_texts_nothing_is_found():
    view = graph_of(*world()).view(scope_of(1))

    assert asked(documents=[]).run.hits == ()
    assert titles(graph_hits(QUESTION, FOUND, view, lambda _: {}, depth=50).run) == ["Blue Street"]


def test_it_finds_at_most_its_depth_best_first_the_same_every_time():
    whole = asked()

    assert asked() == whole
    assert asked(depth=1).run.hits == whole.run.hits[:1]
    assert [hit.score for hit in whole.run.hits] == sorted((hit.score for hit in whole.run.hits), reverse=True)


@pytest.mark.permissions
@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from([title for title in PAGES if title != "Blue Street"])),
    st.sampled_from([QUESTION, "Bo Ray of Blue Street", "who was it directed by"]),
)
def test_two_worlds_with_and_without_hidden_documents_give_equal_runs(hidden, question):
    readable = tuple(hit for hit in FOUND if hit.passage not in {passage(title) for title in hidden})
    with_them = world(**{title.replace(" ", "_"): 2 for title in hidden})
    without = [one for one in with_them if one.access_class == 1]

    assert asked(question, readable, documents=with_them) == asked(question, readable, documents=without)


@pytest.mark.permissions
def test_who_mentions_a_name_in_secret_does_not_make_it_less_rare():
    secret = [document(f"Memo {n}", "Ann Lee again.", access_class=2) for n in range(30)]

    assert asked(documents=[*world(), *secret]) == asked()


def test_a_rare_name_is_followed_before_a_common_one_that_bears_as_much():
    pages = {"Blue Street": "Bo Ray or Cy Orr.", "Bo Ray": "x", "Cy Orr": "x"} | {f"Page {n}": "About Bo Ray." for n in range(20)}
    view = graph_of(*(document(title, text) for title, text in pages.items())).view(scope_of(1, readable_passages=len(pages)))

    run = graph_hits("Blue Street", (), view, texts_of(pages), depth=10)

    shares = {step.to: step.share for step in run.steps}
    assert shares[passage("Bo Ray")] < 0.8 * shares[passage("Cy Orr")]


def test_the_only_mention_gets_no_more_than_it_bears():
    lone = [document("Red Street", "It was long ago said to be near the place that was then known as Bo Ray."), document("Bo Ray", "x")]
    texts = {"Red Street": "It was long ago said to be near the place that was then known as Bo Ray.", "Bo Ray": "x"}
    view = graph_of(*lone).view(scope_of(1))

    unnamed = graph_hits("what is near it", fused(("Red Street", 1.0)), view, texts_of(texts), depth=10)
    named = graph_hits("Red Street", (), view, texts_of(texts), depth=10)

    assert 0 < sum(step.share for step in unnamed.steps) < 1
    assert 0 < sum(step.share for step in named.steps) < 1


def test_joining_adds_the_weighted_score_and_brings_in_what_only_the_graph_found():
    run = Run(Leg.GRAPH, (Hit("b", 0.8), Hit("c", 0.5)))
    hits = (FusedHit("a", 0.7, 1, 9.0, None, None), FusedHit("b", 0.4, None, None, 1, 0.5))

    joined = with_graph(hits, run, weight=0.5)

    assert joined == (
        FusedHit("b", 0.8, None, None, 1, 0.5, graph_rank=1, graph_score=0.8),
        FusedHit("a", 0.7, 1, 9.0, None, None),
        FusedHit("c", 0.25, None, None, None, None, graph_rank=2, graph_score=0.5),
    )
    assert with_graph(hits, EMPTY.run, weight=0.5) == hits
    assert [hit.score for hit in with_graph(hits, run, weight=0.0)] == [0.7, 0.4]


def test_a_path_names_what_lies_between_as_the_passages_write_it():
    run = asked()
    path = path_to(passage("Ann Lee"), run)
    readable = {passage(title): _readable(title, text) for title, text in PAGES.items()}

    assert path is not None
    assert path.names(readable) == ("Blue Street", "Ann Lee", "Ann Lee")
    assert path.passages == (passage("Blue Street"), passage("Ann Lee"))
    assert path.names({passage("Ann Lee"): readable[passage("Ann Lee")]}) == ()
    assert path_to(passage("Red Street"), dataclasses.replace(run, starts={passage("Blue Street"): 1.0})) is None
    assert path_to("elsewhere", run) is None


def test_the_walk_is_networkx_s_pagerank():
    weights = csr_array(np.array([[0, 2, 1, 0], [1, 0, 0, 0], [0, 0, 0, 3], [0, 0, 0, 0]], dtype=float))
    restart = np.array([1.0, 0.0, 2.0, 0.0])

    rank = pagerank(Transitions.of(weights), restart, damping=0.85, tolerance=1e-12)

    reference = networkx.pagerank(
        networkx.from_scipy_sparse_array(weights, create_using=networkx.DiGraph),
        alpha=0.85,
        personalization=dict(enumerate(restart)),
        tol=1e-14,
        max_iter=500,
    )
    assert rank == pytest.approx([reference[node] for node in range(4)], abs=1e-9)
    assert rank.sum() == pytest.approx(1)


def test_the_walk_of_one_node_stays():
    assert pagerank(Transitions.of(csr_array((1, 1))), np.array([0.3])) == pytest.approx([1.0])


def test_the_first_ten_of_six_thousand_nodes_are_networkx_s():
    random = np.random.default_rng(3)
    rows, columns = random.integers(0, 3000, size=12_000), random.integers(3000, 6000, size=12_000)
    weights = csr_array((np.ones(24_000), (np.r_[rows, columns], np.r_[columns, rows])), shape=(6000, 6000))

    assert compare(weights, 3000, starts=4)["same first ten, share"] == 1.0


def _readable(title: str, text: str) -> ReadablePassage:
    return ReadablePassage(
        id=passage(title),
        document=title,
        version="v",
        version_number=1,
        source="wiki",
        ordinal=0,
        span=Span(0, len(text)),
        text=text,
        page=None,
        heading_path=(),
        title=title,
        uri="",
        media_type="text/plain",
        modified_at=None,
        revision=1,
    )
