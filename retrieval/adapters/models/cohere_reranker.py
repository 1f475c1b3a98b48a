"""Reranking by Cohere, through its own client. What leaves this machine are the query and the texts, and nothing else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retrieval.adapters.models.cohere_access import FAILURES, CohereAccess, failure
from retrieval.adapters.models.texts import encodable
from retrieval.adapters.resilience.cancellable import CancellableCalls
from retrieval.adapters.resilience.failures import CallFailed


@dataclass(frozen=True)
class CohereLimits:
    """Most of what is sent and read in one call.

    Attributes:
        characters: of each text; the rest is not sent.
        seconds: for one call, however many the caller has.
        response_bytes: of an answer.
    """

    passages: int
    characters: int
    seconds: float
    response_bytes: int


class CohereReranker:
    """`Reranker` by one model of Cohere's. Keeps its connections; safe to use from several threads. Does not retry: its guard does."""

    def __init__(self, access: CohereAccess, limits: CohereLimits) -> None:
        self.most_sensitive = access.most_sensitive
        self._model = access.model
        self._limits = limits
        self._calls = CancellableCalls("cohere")
        self._http = access.http(response_bytes=limits.response_bytes)
        self._client = access.client(self._http)

    @property
    def name(self) -> str:
        return f"cohere/{self._model}"

    def scores(self, query: str, texts: Sequence[str], *, timeout_seconds: float) -> Sequence[float]:
        if not texts:
            return ()
        if len(texts) > self._limits.passages:
            raise CallFailed(f"more than {self._limits.passages} texts", unhealthy=False)
        sent = [encodable(text[: self._limits.characters]) for text in texts]
        return _in_order(self._asked(encodable(query), sent, min(timeout_seconds, self._limits.seconds)), len(texts))

    def close(self) -> None:
        self._calls.run(self._http.aclose, timeout_seconds=self._limits.seconds)
        self._calls.close()

    def _asked(self, query: str, texts: list[str], seconds: float) -> Any:  # noqa: ANN401 - the client checks nothing of it
        async def ask() -> Any:  # noqa: ANN401 - the same
            return await self._client.rerank(model=self._model, query=query, documents=texts, request_options={"timeout": seconds})

        try:
            return self._calls.run(ask, timeout_seconds=seconds)
        except FAILURES as error:
            failed = failure(error)
        raise failed  # outside, so that it has no context: that holds the provider's words


def _in_order(answer: Any, count: int) -> tuple[float, ...]:  # noqa: ANN401 - the client checks nothing of it
    """The score of each text, in the order in which they were sent. Raises CallFailed unless there is exactly one finite score for each."""
    results = getattr(answer, "results", None)
    if not isinstance(results, list) or len(results) != count:
        raise CallFailed("not one score for each text")
    scores: dict[int, float] = {}
    for result in results:
        index, score = getattr(result, "index", None), getattr(result, "relevance_score", None)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < count or index in scores:
            raise CallFailed("a score for no text, or two for one")
        scores[index] = _finite(score)
    return tuple(scores[index] for index in range(count))


def _finite(score: Any) -> float:  # noqa: ANN401 - the client checks nothing of it
    try:
        number = float(score) if isinstance(score, int | float) and not isinstance(score, bool) else math.nan
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise CallFailed("a score that is no number")
    return number
