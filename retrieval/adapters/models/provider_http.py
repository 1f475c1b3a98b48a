"""HTTP to a provider of models: what leaves is the request, what comes back is bounded, and what went wrong is told in our own words.

Neither the key nor any text is in an error or a log line: what vendors' clients raise and write repeats the provider's words, which may
repeat ours, so it is dropped.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from ipaddress import ip_address
from typing import Any

import httpx

from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.errors import InvalidInput

Reads = Callable[[Any], bool]
"""Whether a client is to see an event with these data, of any kind. Raises one of `FAILURES` where the client would pass over them."""

FAILURES = (TimeoutError, httpx.HTTPError, ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What any vendor's client raises: those after HTTP's own over an answer of a wrong shape, each in its own places."""

_SENT_HEADERS = frozenset({"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"})
_REQUEST_FAULTS = frozenset({400, 413, 422})
"""The provider refuses this request, perhaps because of its texts: that must not take the model from everyone else."""
_PASSING = frozenset({500, 502, 503, 504})
_BUSY = frozenset({429, 503})


def check_key(key: str, *, setting: str) -> None:
    """Raises InvalidInput for what could not be sent in a header."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidInput.of(setting, "holds what no key holds", limit="printable ASCII without spaces")


def check_url(url: str, *, setting: str, in_the_clear: bool = False) -> None:
    """Raises InvalidInput for what is no URL, and for one that is not encrypted unless it is this machine or `in_the_clear` is allowed."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidInput.of(setting, "is no URL") from error
    allowed = parsed.scheme == "https" or (parsed.scheme == "http" and (in_the_clear or _is_loopback(parsed.host)))
    if not parsed.host or not allowed:
        raise InvalidInput.of(setting, "must be https", limit="http on loopback only")


def provider_client(base_url: str, *, key: str, response_bytes: int, reads: Reads | None = None) -> httpx.AsyncClient:
    """For a vendor's client to call with. Its hooks raise CallFailed.

    Args:
        base_url: checked.
        key: sent as a bearer token; empty: none is.
        response_bytes: most that is read of one answer.
        reads: for answers that are server-sent events, whether the client is to see one. Without, an answer is one JSON value.
    """
    expected = "application/json" if reads is None else "text/event-stream"

    async def reticent(request: httpx.Request) -> None:
        """Clients tell which system they run on, and take further headers from the environment."""
        for name in [name for name in request.headers if name not in _SENT_HEADERS]:
            del request.headers[name]
        if key:
            request.headers["Authorization"] = f"Bearer {key}"

    async def bounded(response: httpx.Response) -> None:
        """Before the body is read."""
        if "content-encoding" in response.headers:
            raise CallFailed("a compressed answer")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.is_success and kind != expected:
            raise CallFailed("an answer of another type")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        stream = _BoundedStream(response.stream, response_bytes)
        response.stream = stream if reads is None or not response.is_success else _ReadableEvents(stream, reads)

    return httpx.AsyncClient(
        headers={"Accept-Encoding": "identity"},  # so that the limit is on what is really held
        follow_redirects=False,  # texts go where the settings say
        trust_env=not _is_loopback(httpx.URL(base_url).host),  # a proxy is for what is elsewhere
        event_hooks={"request": [reticent], "response": [bounded]},
    )


def failure(error: Exception) -> CallFailed:
    """What one of `FAILURES` says to a guard."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return CallFailed("no answer in time")
    if isinstance(error, httpx.HTTPError):
        return CallFailed(type(error).__name__, again=True)
    return CallFailed("an answer that cannot be read")


def refusal(status: int | None, headers: Mapping[str, str]) -> CallFailed:
    """What an answer with this status and these lower-case headers says to a guard."""
    if status is None or 200 <= status < 300:
        return CallFailed("an answer that cannot be read")
    rest = _seconds(headers.get("retry-after", "")) if status in _BUSY else 0.0
    return CallFailed(f"status {status}", again=status in _PASSING and not rest, unhealthy=status not in _REQUEST_FAULTS, rest_seconds=rest)


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


class _ReadableEvents(httpx.AsyncByteStream):
    """The events that a client is to see, line by line; the data of each are JSON on one line.

    Clients pass over what they cannot read, and write it into the log.
    """

    def __init__(self, stream: httpx.AsyncByteStream, reads: Reads) -> None:
        self._stream = stream
        self._reads = reads
        self._has_data = False
        """Whether the event that has begun has some: more would be read as one with them."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held = bytearray()
        async for piece in self._stream:
            end = piece.rfind(b"\n") + 1
            held += piece[:end] if end else piece
            if end:
                yield self._seen(bytes(held))
                held = bytearray(piece[end:])
        yield self._seen(bytes(held))

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _seen(self, lines: bytes) -> bytes:
        """Without the data of events that are not to be seen."""
        try:
            return b"".join(line for line in lines.splitlines(keepends=True) if self._is_seen(line))
        except FAILURES:
            pass
        raise CallFailed("an event that cannot be read")  # outside, so that it has no context: that holds the provider's words

    def _is_seen(self, line: bytes) -> bool:
        if not line.rstrip(b"\r\n"):
            self._has_data = False
        data = line[5:].strip() if line.startswith(b"data:") else b""
        if not data:
            return True
        if self._has_data:
            raise ValueError
        self._has_data = data == b"[DONE]" or self._reads(json.loads(data))
        return self._has_data


def _seconds(retry_after: str) -> float:
    """Of a header that gives seconds; a date is not heeded, because it is the other's clock."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10 else 0.0


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
