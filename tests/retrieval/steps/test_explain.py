import pytest

from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.explanations import LegPlace, Reranked
from retrieval.domain.runs import FusedHit, Hit, Leg, Run
from retrieval.steps.attribute import attribute
from retrieval.steps.explain import explain
from retrieval.steps.fuse import fuse
from tests.retrieval.steps.test_context import passage

WEIGHTS = {Leg.LEXICAL: 0.5, Leg.DENSE: 0.5}


def fused(hits: tuple[RetrievedPassage, ...]) -> dict[str, FusedHit]:
    return {hit.passage.id: hit.fused for hit in hits}


@pytest.fixture
def hits() -> tuple[RetrievedPassage, ...]:
    """a of both legs, b of the lexical, c of the dense; a best."""
    lexical = Run(Leg.LEXICAL, (Hit("a", 8.0), Hit("b", 2.0)))
    dense = Run(Leg.DENSE, (Hit("a", 0.9), Hit("c", 0.1)))
    readable = [passage(id_, "Text.", version=f"ver_{id_}") for id_ in "abc"]
    return attribute(fuse(lexical, dense, lexical_weight=0.5), readable, top_k=3)


def test_what_the_legs_add_makes_the_fused_score(hits: tuple[RetrievedPassage, ...]):
    explanation = explain(hits, terms=(), phrases=(), weights=WEIGHTS, fused=fused(hits), readable_by={})

    assert {id_: hit.legs for id_, hit in explanation.hits.items()} == {
        "a": {Leg.LEXICAL: LegPlace(1, 8.0, 1.0, 0.5), Leg.DENSE: LegPlace(1, 0.9, 1.0, 0.5)},
        "b": {Leg.LEXICAL: LegPlace(2, 2.0, 0.25, 0.125)},
        "c": {Leg.DENSE: LegPlace(2, 0.1, 0.4, 0.2)},
    }
    for hit in explanation.hits.values():
        assert sum(place.contribution for place in hit.legs.values()) == pytest.approx(hit.fused_score)


def test_it_says_what_was_sought_and_by_which_subject_each_document_is_read(hits: tuple[RetrievedPassage, ...]):
    readable_by = {"doc_a": ("everyone",), "doc_b": ("group:staff", "user:ann"), "doc_hidden": ("group:board",)}

    explanation = explain(
        hits, terms=("retry", "policy"), phrases=("retry policy",), weights=WEIGHTS, fused=fused(hits), readable_by=readable_by
    )

    assert (explanation.terms, explanation.phrases, explanation.legs) == (
        ("retry", "policy"),
        ("retry policy",),
        (Leg.LEXICAL, Leg.DENSE),
    )
    assert {id_: hit.readable_by for id_, hit in explanation.hits.items()} == {
        "a": ("everyone",),
        "b": ("group:staff", "user:ann"),
        "c": (),
    }


def test_a_hit_that_was_reranked_or_found_along_a_path_says_so_and_no_other(hits: tuple[RetrievedPassage, ...]):
    reranked = {"b": Reranked("features", 0.7, {"coverage": 0.5, "title": 0.2})}

    explained = explain(
        hits, terms=(), phrases=(), weights=WEIGHTS, fused=fused(hits), readable_by={}, reranked=reranked, graph_paths={"c": ("X", "Y")}
    ).hits

    assert [explained[id_].rerank for id_ in "abc"] == [None, reranked["b"], None]
    assert [explained[id_].graph_path for id_ in "abc"] == [(), (), ("X", "Y")]


def test_only_hits_of_the_result_are_explained(hits: tuple[RetrievedPassage, ...]):
    explanation = explain(hits[:1], terms=(), phrases=(), weights=WEIGHTS, fused=fused(hits), readable_by={"doc_b": ("everyone",)})

    assert list(explanation.hits) == ["a"]


def test_the_graphs_place_is_one_of_the_legs():
    hit = FusedHit("a", 0.6, None, None, None, None, graph_rank=3, graph_score=0.02)
    retrieved = attribute([hit], [passage("a", "Text.")], top_k=1)

    explanation = explain(retrieved, terms=(), phrases=(), weights={Leg.GRAPH: 0.5}, fused={"a": hit}, readable_by={})

    assert explanation.hits["a"].legs == {Leg.GRAPH: LegPlace(3, 0.02, 0.02, 0.01)}
