"""Around every request: its id, the limit on its body, the headers of its response and one line in the log.

Plain ASGI, because wrapping responses in Starlette's BaseHTTPMiddleware costs a task per request.
"""

import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import SECURITY_HEADERS, too_large

_logger = structlog.get_logger("api.access")


class RequestEnvelope:
    """Gives the request its id, its response the security headers, and the log one line without query, path or document.

    The id is always ours: one from outside could be made to collide with another caller's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
                headers.update(SECURITY_HEADERS)
                headers["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            _log(scope, status, time.perf_counter() - started)


class BodyLimit:
    """Refuses a body above the limit: by its declared length before anything is read, and by what really arrives."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _declared_bytes(scope) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._max_bytes:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await too_large(self._max_bytes).response(scope["state"]["request_id"])(scope, receive, send)


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
