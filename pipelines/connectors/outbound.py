"""The one outbound HTTP client: http(s) only, allowed addresses only, redirects checked one by one, bounded in time and size.

No proxy, credential, cookie or certificate setting is taken from the environment. robots.txt is not read: the owner names the pages.
"""

import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import httpcore
import httpx

from pipelines.connectors.port import FileRefused
from pipelines.connectors.urls import check_url
from retrieval.adapters.network.guarded import GuardedNetwork, Resolver, resolve, seconds_left, within
from retrieval.adapters.network.urls import UrlRefused
from retrieval.domain.documents import QuarantineCode
from retrieval.domain.errors import SourceUnavailable
from retrieval.settings import Settings

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_PAUSE_SECONDS = 0.5
_SLICE_BYTES = 256 * 1024
_ANY_ZLIB_HEADER = 32 + zlib.MAX_WBITS

Headers = Mapping[str, str]
"""Lower-case names. Of a header that comes twice, the first."""


@dataclass(frozen=True)
class Reply:
    """An answer that is neither a redirect nor 'try again'.

    Attributes:
        url: that answered, after redirects.
        body: decompressed; empty for any status but 200.
    """

    url: str
    status: int
    headers: Headers = field(default_factory=dict)
    body: bytes = b""


def no_conditions(url: str) -> Headers:
    """Ask unconditionally."""
    return {}


class Outbound:
    """Fetches URLs. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        resolver: Resolver = resolve,
        network: httpcore.NetworkBackend | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            network_backend=GuardedNetwork(allow_private=settings.web_allow_private_addresses, resolver=resolver, network=network),
            keepalive_expiry=5.0,
        )

    def get(self, url: str, *, max_bytes: int, conditions: Callable[[str], Headers] = no_conditions) -> Reply:
        """What a URL answers, redirects followed. A site that is busy or does not answer is asked again a bounded number of times.

        Args:
            url: checked here, like every redirect after it.
            max_bytes: of the body, as sent and decompressed.
            conditions: request headers such as If-None-Match for one URL; asked anew for each redirect.

        Raises:
            FileRefused: the URL or a redirect is not allowed, the body is too large or cannot be decompressed.
            SourceUnavailable: the site is busy or does not answer.
        """
        pause = _FIRST_PAUSE_SECONDS
        for attempt in range(1, self._settings.web_attempts + 1):
            try:
                return self._attempt(url, max_bytes, conditions)
            except SourceUnavailable as error:
                wait = max(pause, error.retry_after_seconds)
                if attempt == self._settings.web_attempts or wait > self._settings.web_retry_after_seconds:
                    raise
                self._sleep(wait)
                pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        self._pool.close()

    def _attempt(self, url: str, max_bytes: int, conditions: Callable[[str], Headers]) -> Reply:
        try:
            with within(self._settings.web_timeout_seconds):
                return self._follow(url, max_bytes, conditions)
        except UrlRefused as refused:
            raise FileRefused(str(refused)) from refused
        except httpcore.TimeoutException as error:
            raise SourceUnavailable(f"the site did not answer within {self._settings.web_timeout_seconds} seconds") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise SourceUnavailable(f"the site cannot be reached or breaks off: {_plain(error)}") from error

    def _follow(self, url: str, max_bytes: int, conditions: Callable[[str], Headers]) -> Reply:
        for _ in range(self._settings.web_max_redirects + 1):
            target = check_url(url, any_port=self._settings.web_allow_private_addresses)
            reply = self._one(target, max_bytes, conditions(str(target)))
            if reply.status not in _REDIRECTS:
                return reply
            url = _redirected(target, reply.headers.get("location", ""))
        raise FileRefused(f"more than {self._settings.web_max_redirects} redirects", retryable=True)

    def _one(self, url: httpx.URL, max_bytes: int, conditions: Headers) -> Reply:
        request: dict[bytes | str, bytes | str] = {
            **dict(conditions.items()),
            "Host": url.netloc,
            "User-Agent": self._settings.web_user_agent,
            "Accept-Encoding": "gzip",
        }
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), seconds_left())
        with self._pool.stream("GET", target, headers=request, extensions={"timeout": timeouts}) as response:
            headers: dict[str, str] = {}
            for name, value in response.headers:
                headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
            if response.status in _TRY_AGAIN:
                raise SourceUnavailable(f"the site answered {response.status}", retry_after_seconds=_retry_after_seconds(headers))
            body = _body(response, headers, max_bytes) if response.status == 200 else b""
            return Reply(str(url), response.status, headers, body)


@cache
def _tls() -> ssl.SSLContext:
    """Verifies certificates and host names. Reading the list of authorities takes longer than most requests."""
    return httpx.create_ssl_context(trust_env=False)


def _redirected(url: httpx.URL, location: str) -> str:
    try:
        return str(url.join(location)) if location else ""
    except (httpx.InvalidURL, ValueError) as error:
        raise FileRefused("the site redirects to something that is not a URL", retryable=True) from error


def _retry_after_seconds(headers: Headers) -> int:
    """What Retry-After says, in whole seconds; 0 when it says nothing, or a date: the clocks need not agree."""
    value = headers.get("retry-after", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else 0


def _body(response: httpcore.Response, headers: Headers, max_bytes: int) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise FileRefused("the site compresses in a way that was not asked for")
    _check_size(int(length) if (length := headers.get("content-length", "")).isdecimal() else 0, max_bytes)
    chunks = _bounded(response.iter_stream(), max_bytes)
    if encoding not in {"identity", ""}:
        chunks = _bounded(_decompressed(chunks), max_bytes)
    return b"".join(chunks)


def _bounded(chunks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        _check_size(size, max_bytes)
        yield chunk


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise FileRefused(f"larger than the limit of {max_bytes} bytes", code=QuarantineCode.TOO_LARGE)


def _decompressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """In slices, so that a few bytes that expand to gigabytes are stopped at the first slice over the limit."""
    decoder = zlib.decompressobj(_ANY_ZLIB_HEADER)
    try:
        for chunk in chunks:
            left = chunk
            while left:
                yield decoder.decompress(left, _SLICE_BYTES)
                left = decoder.unconsumed_tail
        yield decoder.flush()
    except zlib.error as error:
        raise FileRefused("the compressed page is damaged", code=QuarantineCode.CORRUPT, retryable=True) from error
    if not decoder.eof or decoder.unused_data:
        raise FileRefused("the compressed page is incomplete", code=QuarantineCode.CORRUPT, retryable=True)


def gunzip(content: bytes, *, max_bytes: int) -> bytes:
    """A gzip file's content.

    Raises:
        FileRefused: damaged, or larger than `max_bytes`.
    """
    return b"".join(_bounded(_decompressed(iter([content])), max_bytes))


def _plain(error: Exception) -> str:
    """The error in a few words; what it says of TLS certificates is worth reading, and nothing in it is secret."""
    return str(error)[:200] or type(error).__name__
