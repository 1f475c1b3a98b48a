"""Around every request: its id, the limits on its head and body, the headers of its response and one line in the log.

Plain ASGI, because wrapping responses in Starlette's BaseHTTPMiddleware costs a task per request.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BODY_TOO_SLOW, SECURITY_HEADERS, Problem, headers_too_large, target_too_long, too_large

_logger = structlog.get_logger("api.access")
UNREAD_BYTES = 1024 * 1024
UNREAD_SECONDS = 1.0
STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class RequestEnvelope:
    """Gives the request its id, its response the security headers, and the log one line without query, path or document.

    The id is always ours: one from outside could be made to collide with another caller's.
    """

    def __init__(self, app: ASGIApp, *, behind_https: bool) -> None:
        self._app = app
        self._headers = SECURITY_HEADERS | (STRICT_TRANSPORT if behind_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)  # a page of the console states its own, which let it show itself
                headers["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            _log(scope, status, time.perf_counter() - started)


class HeadLimit:
    """Refuses a request whose path or headers are longer than anything that we take."""

    def __init__(self, app: ASGIApp, *, max_headers: int, max_header_bytes: int, max_target_bytes: int) -> None:
        self._app = app
        self._max_headers = max_headers
        self._max_header_bytes = max_header_bytes
        self._max_target_bytes = max_target_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await problem.response(scope["state"]["request_id"])(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        if len(scope["headers"]) > self._max_headers:
            return headers_too_large(f"{self._max_headers} headers")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > self._max_header_bytes:
            return headers_too_large(f"{self._max_header_bytes} bytes")
        if len(scope["path"]) + len(scope["query_string"]) > self._max_target_bytes:
            return target_too_long(self._max_target_bytes)
        return None


class BodyLimit:
    """Takes the body in before anybody waits for a turn, so that who sends slowly holds up nobody.

    Refuses one above the limit: by its declared length before anything is read, and by what really arrives. Paths that start with a
    key of `max_bytes_under` have a limit of their own.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, seconds: float, max_bytes_under: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_bytes_under = max_bytes_under or {}
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = next((limit for start, limit in self._max_bytes_under.items() if scope["path"].startswith(start)), self._max_bytes)
        if _declared_bytes(scope) > max_bytes:
            await _refuse(scope, receive, send, max_bytes)
            return
        arrived = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                whole = await _take_in(receive, arrived, max_bytes)
        except TimeoutError:
            await BODY_TOO_SLOW.response(scope["state"]["request_id"])(scope, receive, send)
            return
        if len(arrived) > max_bytes:
            await _refuse(scope, receive, send, max_bytes)
        elif whole:
            await self._app(scope, _replayed(bytes(arrived), receive), send)


async def _refuse(scope: Scope, receive: Receive, send: Send, max_bytes: int) -> None:
    """Say so at once, then let some more arrive unread: a caller cut off while it sends would not hear what it is told."""

    async def send_and_stay(message: Message) -> None:
        await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

    await too_large(max_bytes).response(scope["state"]["request_id"])(scope, receive, send_and_stay)
    unread, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(UNREAD_SECONDS):
            while more and unread < UNREAD_BYTES:
                message = await receive()
                unread += len(message.get("body", b""))
                more = message.get("more_body", False)
    await send({"type": "http.response.body", "body": b""})


async def _take_in(receive: Receive, arrived: bytearray, max_bytes: int) -> bool:
    """Whether the caller is still there."""
    more = True
    while more and len(arrived) <= max_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        arrived += message.get("body", b"")
        more = message.get("more_body", False)
    return True


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body in one message; after it, whatever else comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _declared_bytes(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _log(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("route")
    _logger.info(
        "request",
        request_id=scope["state"]["request_id"],
        method=scope["method"],
        route=getattr(route, "path", "unknown"),
        status=status,
        milliseconds=round(seconds * 1000, 2),
        credential=scope["state"].get("credential"),
    )
