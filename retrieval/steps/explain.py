"""The explanation of one retrieval, put together from what its steps have said. Computes nothing and asks nobody."""

from collections.abc import Mapping, Sequence

from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.explanations import Explanation, HitExplanation, LegPlace, Reranked
from retrieval.domain.runs import FusedHit, Leg


def explain(
    hits: Sequence[RetrievedPassage],
    *,
    terms: tuple[str, ...],
    phrases: tuple[str, ...],
    weights: Mapping[Leg, float],
    fused: Mapping[str, FusedHit],
    readable_by: Mapping[str, tuple[str, ...]],
    reranked: Mapping[str, Reranked] | None = None,
    graph_paths: Mapping[str, tuple[str, ...]] | None = None,
) -> Explanation:
    """What each hit owes to which leg, reranker and grant.

    Args:
        hits: those that the caller gets.
        terms: what the lexical leg looked for.
        phrases: what every hit holds.
        weights: of the legs that ran.
        fused: the hits by passage id, as fusion left them.
        readable_by: document to the caller's own subjects that a grant allows.
        reranked: by passage id.
        graph_paths: by passage id.
    """
    scores, paths = reranked or {}, graph_paths or {}
    explained = {
        hit.passage.id: HitExplanation(
            legs=_places(fused[hit.passage.id], weights),
            fused_score=fused[hit.passage.id].score,
            rerank=scores.get(hit.passage.id),
            graph_path=paths.get(hit.passage.id, ()),
            readable_by=readable_by.get(hit.passage.document, ()),
        )
        for hit in hits
    }
    return Explanation(terms, phrases, tuple(weights), weights, explained)


def _places(hit: FusedHit, weights: Mapping[Leg, float]) -> dict[Leg, LegPlace]:
    places = {
        Leg.LEXICAL: (hit.lexical_rank, hit.lexical_score),
        Leg.DENSE: (hit.dense_rank, hit.dense_score),
        Leg.FEEDBACK: (hit.feedback_rank, hit.feedback_score),
        Leg.GRAPH: (hit.graph_rank, hit.graph_score),
    }
    found: dict[Leg, LegPlace] = {}
    for leg, (rank, score) in places.items():
        if rank is not None and score is not None:
            share = score if leg is Leg.GRAPH else hit.shares.get(leg, 0.0)
            found[leg] = LegPlace(rank, score, share, share * weights.get(leg, 0.0))
    return found
