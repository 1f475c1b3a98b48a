"""Reranking by Cohere, through its own client. What leaves this machine are the query and the texts, and nothing else.

Neither the key nor any text is in an error: what the client raises repeats the provider's words, which may repeat ours, so it is dropped.
"""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import httpx
from cohere import AsyncClientV2
from cohere.core.api_error import ApiError
from cohere.core.parse_error import ParsingError

from retrieval.adapters.models.texts import encodable
from retrieval.adapters.resilience.cancellable import CancellableCalls
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import Classification

_REQUEST_FAULTS = frozenset({400, 413, 422})
"""The provider refuses this request, perhaps because of its texts: that must not take reranking from everyone else."""
_PASSING = frozenset({500, 502, 503, 504})
_BUSY = frozenset({429, 503})


@dataclass(frozen=True)
class CohereAccess:
    """Where and with which key.

    Attributes:
        base_url: the provider's, or a gateway's.
        most_sensitive: most that a source's classification may be for its passages to be sent there.
    """

    model: str
    key: str = field(repr=False)
    base_url: str
    most_sensitive: Classification

    def __post_init__(self) -> None:
        """Raises InvalidInput for what could not be sent, or only in the clear."""
        if not self.key or not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise InvalidInput.of("ARCHIVIST_COHERE_API_KEY", "holds what no key holds", limit="printable ASCII without spaces")
        try:
            url = httpx.URL(self.base_url)
        except httpx.InvalidURL as error:
            raise InvalidInput.of("ARCHIVIST_COHERE_BASE_URL", "is no URL") from error
        if not url.host or not (url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host))):
            raise InvalidInput.of("ARCHIVIST_COHERE_BASE_URL", "must be https", limit="http on loopback only")


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
        self._http = httpx.AsyncClient(
            headers={"Accept-Encoding": "identity"},  # so that the limit is on what is really held
            follow_redirects=False,  # texts go where the settings say
            trust_env=not _is_loopback(httpx.URL(access.base_url).host),  # a proxy is for what is elsewhere
            event_hooks={"request": [_reticent], "response": [self._bounded]},
        )
        self._client = AsyncClientV2(access.key, base_url=access.base_url, max_retries=0, httpx_client=self._http)

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
        except (TimeoutError, httpx.TimeoutException):
            failure = CallFailed("no answer in time")
        except (ApiError, ParsingError) as error:
            failure = _refused(error.status_code, error.headers or {})
        except httpx.HTTPError as error:
            failure = CallFailed(type(error).__name__, again=True)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            failure = CallFailed("an answer that cannot be read")
        raise failure  # outside, so that it has no context: that holds the provider's words

    async def _bounded(self, response: httpx.Response) -> None:
        """Before the body is read."""
        if "content-encoding" in response.headers:
            raise CallFailed("a compressed answer")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.is_success and kind != "application/json":
            raise CallFailed("an answer that is not JSON")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _BoundedStream(response.stream, self._limits.response_bytes)


async def _reticent(request: httpx.Request) -> None:
    """The client tells which system and interpreter it runs on."""
    for name in [name for name in request.headers if name.startswith("x-fern-")]:
        del request.headers[name]


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, most_bytes: int) -> None:
        self._stream = stream
        self._most_bytes = most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most_bytes
        async for piece in self._stream:
            left -= len(piece)
            if left < 0:
                raise CallFailed(f"an answer of more than {self._most_bytes} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _refused(status: int | None, headers: dict[str, str]) -> CallFailed:
    if status is None or 200 <= status < 300:
        return CallFailed("an answer that cannot be read")
    rest = _seconds(headers.get("retry-after", "")) if status in _BUSY else 0.0
    return CallFailed(f"status {status}", again=status in _PASSING and not rest, unhealthy=status not in _REQUEST_FAULTS, rest_seconds=rest)


def _seconds(retry_after: str) -> float:
    """Of a header that gives seconds; a date is not heeded, because it is the other's clock."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10 else 0.0


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


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
