"""In front of Dagster's web server, in its process: who is nobody sees nothing, and who is no administrator changes nothing but runs."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from pipelines.callers import Caller, caller_of
from pipelines.mutations import for_admins
from retrieval.domain.errors import ArchivistError, InvalidInput, NotAuthenticated, NotAuthorised
from retrieval.settings import Settings

MAX_BODY_BYTES = 4 * 1024 * 1024
FORBIDDEN = 403
GRAPHQL = "/graphql"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class Gatekeeper:
    """An ASGI application around Dagster's."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            caller = caller_of(connection.headers, connection.client.host if connection.client else None, self._settings)
            if scope["type"] == "http":
                receive = await self._checked(Request(scope, receive), caller, receive)
        except ArchivistError as refusal:
            await _refuse(scope, receive, send, refusal)
            return
        await self._app(scope, receive, send)

    async def _checked(self, request: Request, caller: Caller, receive: Receive) -> Receive:
        """What gives the application the request's body, which may have been read here.

        Raises:
            NotAuthorised: it would change what only administrators change.
            InvalidInput: what it would change cannot be told.
        """
        if caller.is_admin:
            return receive
        if not request.url.path.rstrip("/").endswith(GRAPHQL):
            if request.method not in ("GET", "HEAD"):
                raise NotAuthorised("only administrators report what Dagster did not see")
            return receive
        if request.method != "POST" or "application/json" not in request.headers.get("content-type", ""):
            raise InvalidInput.of("request", "GraphQL is posted as application/json")
        body = await _body(request)
        found = for_admins(_document(body))
        if found:
            raise NotAuthorised(f"only administrators do this: {', '.join(found)}")
        return _again(body)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise InvalidInput.of("request", "is too large", limit=f"{MAX_BODY_BYTES} bytes")
    return bytes(body)


def _document(body: bytes) -> str:
    try:
        sent = json.loads(body)
    except ValueError as error:
        raise InvalidInput.of("request", "is no JSON") from error
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        raise InvalidInput.of("query", "a GraphQL document")
    return str(sent["query"])


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _refuse(scope: Message, receive: Receive, send: Send, refusal: ArchivistError) -> None:
    """In the form in which the UI shows an error of GraphQL."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": str(refusal)[:120]})
        return
    status = 401 if isinstance(refusal, NotAuthenticated) else FORBIDDEN if isinstance(refusal, NotAuthorised) else 400
    response: Response = JSONResponse({"errors": [{"message": str(refusal)}]}, status_code=status)
    await response(scope, receive, send)
