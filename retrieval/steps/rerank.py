"""The head of a run in the order of a model that reads query and passage together, if there is one and it answers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrieval.domain.errors import ModelUnavailable
from retrieval.ports.models import Reranker


@dataclass(frozen=True)
class Reranking:
    """What became of it.

    Attributes:
        scores: one for each text, comparable among themselves only; None: no reranker gave any, and the order stays.
        by: whose scores they are.
        failed: rerankers that should have given them, in the order in which they were tried.
    """

    scores: tuple[float, ...] | None
    by: str | None
    failed: tuple[str, ...]


def rerank(
    query: str,
    texts: Sequence[str],
    rerankers: Sequence[Reranker],
    timeout_seconds: float,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> Reranking:
    """The scores of the first reranker that answers. All of them together have the time.

    Args:
        query: what was asked.
        texts: title and text of passages that have passed the gate, best first.
        rerankers: as they are preferred.
        timeout_seconds: what each takes is taken from those after it.
        monotonic: seconds that only grow.
    """
    deadline = monotonic() + timeout_seconds
    failed: list[str] = []
    for reranker in rerankers if texts else ():
        left = deadline - monotonic()
        try:
            if left > 0:
                return Reranking(tuple(reranker.scores(query, texts, timeout_seconds=left)), reranker.name, tuple(failed))
        except ModelUnavailable:
            pass  # who failed, and why, is in the guard's log lines
        failed.append(reranker.name)
    return Reranking(None, None, tuple(failed))
