"""Attribution: every passage that leaves is ranked, scored and tied to the span of the version it stands in."""

from collections.abc import Mapping, Sequence

from retrieval.domain.answers import Citation, RetrievedPassage
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import FusedHit


def attribute(
    fused: Sequence[FusedHit],
    readable: Sequence[ReadablePassage],
    *,
    top_k: int,
    duplicates: Mapping[str, Sequence[ReadablePassage]] | None = None,
) -> tuple[RetrievedPassage, ...]:
    """The first `top_k` fused hits that are readable, in fused order, each with its rank among them and its citation.

    A hit that is not among `readable` leaves no trace: ranks have no gaps. `duplicates` are readable passages that say what a hit says,
    by the hit's passage id.
    """
    passages = {passage.id: passage for passage in readable}
    kept = [hit for hit in fused if hit.passage in passages][:top_k]
    return tuple(
        RetrievedPassage(
            rank,
            hit.score,
            passages[hit.passage],
            Citation.of(passages[hit.passage]),
            hit,
            tuple(Citation.of(duplicate) for duplicate in (duplicates or {}).get(hit.passage, ())),
        )
        for rank, hit in enumerate(kept, 1)
    )
