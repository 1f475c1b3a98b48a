"""The ways in which a streamed answer can fail, whichever vendor's wire format it is in. What is right is in `chat_servers`."""

import gzip
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, repeat
from typing import Any

from tests.provider_server import Fault, Handler, dripping, huge, slow, status

EVENTS = "text/event-stream; charset=utf-8"


def stream(handler: Handler, events: Iterable[bytes]) -> None:
    """Events as they come, in chunks. Left open: the end's chunk is not written."""
    handler.send_response(200)
    handler.send_header("Content-Type", EVENTS)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for event in events:
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))


def end(handler: Handler) -> None:
    handler.wfile.write(b"0\r\n\r\n")


def right(handler: Handler, body: Any) -> None:
    chat = handler.server.provider
    if handler.path != chat.path:
        handler.reply(404, chat.complaint("not found"))
    elif handler.headers["Authorization"] != f"Bearer {chat.key}":
        handler.reply(401, chat.complaint("invalid api token"))
    elif unknown := set(body) - chat.known:
        handler.reply(422, chat.complaint(f"unknown field: {unknown.pop()}"))
    else:
        stream(handler, chat.events(body))
        end(handler)


def only(*events: bytes) -> Fault:
    """These events, and the stream's end."""

    def fault(handler: Handler, _body: Any) -> None:
        stream(handler, events)
        end(handler)

    return fault


def half(then: Callable[[Handler, Any], None]) -> Fault:
    """Half of a right answer's events, with some of the text, and something else instead of the rest."""

    def fault(handler: Handler, body: Any) -> None:
        events = handler.server.provider.events(body)
        stream(handler, events[: len(events) // 2])
        then(handler, body)

    return fault


def event(data: bytes) -> Callable[[Handler, Any], None]:
    """One more event and the stream's end."""

    def then(handler: Handler, _body: Any) -> None:
        written = b"data: " + data + b"\n\n"
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(written), written))
        end(handler)

    return then


def silence(handler: Handler, _body: Any) -> None:
    """Nothing for `Provider.seconds`, unless the other side leaves; then the connection ends."""
    if handler.left_within(handler.server.provider.seconds):
        handler.server.provider.abandoned()
    handler.close_connection = True


def endless(handler: Handler, body: Any, *, pause_seconds: float = 0.0) -> None:
    """The same text again and again, until the other side leaves."""
    events = handler.server.provider.events(body)
    for piece in chain(events[:2], repeat(events[2])):
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if pause_seconds:
            time.sleep(pause_seconds)


def endlessly(handler: Handler, body: Any) -> None:
    stream(handler, [])
    endless(handler, body)


def murmuring(handler: Handler, body: Any) -> None:
    """Slowly, without an end."""
    stream(handler, [])
    endless(handler, body, pause_seconds=0.02)


def humming(handler: Handler, _body: Any) -> None:
    """Comments that keep the connection open and say nothing, for twenty times `Provider.seconds`."""
    stream(handler, [])
    until = time.monotonic() + 20 * handler.server.provider.seconds
    while time.monotonic() < until:
        handler.wfile.write(b"4\r\n: \n\n\r\n")
        if handler.left_within(0.02):
            handler.server.provider.abandoned()
            break
    handler.close_connection = True


def reset(handler: Handler, _body: Any) -> None:
    handler.reset()


def compressed(handler: Handler, body: Any) -> None:
    handler.reply(200, gzip.compress(b"".join(handler.server.provider.events(body))), Content_Type=EVENTS, Content_Encoding="gzip")


def complaining(code: int, **headers: str) -> Fault:
    return lambda handler, body: status(code, handler.server.provider.complaint, **headers)(handler, body)


FAULTS: Mapping[str, Fault] = {
    "right": right,
    "slow": slow(right),
    "dripping": dripping,
    "humming": humming,
    "reset": reset,
    "huge": huge(EVENTS),
    "endless": endlessly,
    "murmuring": murmuring,
    "429": complaining(429),
    "429 with Retry-After": complaining(429, Retry_After="7"),
    "500": complaining(500),
    "503": complaining(503),
    "400": complaining(400),
    "401": complaining(401),
    "404": complaining(404),
    "418": complaining(418),
    "redirect": complaining(307, Location="/elsewhere"),
    "garbage": only(b"<html>\xff\xfe\n\n"),
    "empty": only(),
    "nothing said": only(b"data: [DONE]\n\n"),
    "no JSON": only(b"data: {no: secret question}\n\n"),
    "deep": only(b"data: " + b"[" * 100_000 + b"\n\n"),
    "a list": only(b'data: ["secret question"]\n\n'),
    "null": only(b"data: null\n\n"),
    "of no kind": only(b'data: {"secret question": 1}\n\n'),
    "of another kind": only(b'data: {"type": 7, "choices": "secret question", "delta": []}\n\n'),
    "on two lines": only(b'data: {"type": "content-start", "choices": [],\ndata: "secret question": 1}\n\n'),
    "two in one": only(b'data: {"type": "content-start", "choices": [], "secret question": 1}\ndata: {"type": "content-start"}\n\n'),
    "two in one, the end": only(b'data: {"type": "content-start", "choices": [], "secret question": 1}\ndata: [DONE]\n\n'),
    "wrong content type": lambda handler, body: handler.reply(
        200, b"".join(handler.server.provider.events(body)), Content_Type="text/html"
    ),
    "compressed": compressed,
    "an error told": only(
        b'data: {"error": {"message": "secret question"}, "type": "message-end", "delta": {"finish_reason": "ERROR"}}\n\n'
    ),
    "as given": lambda handler, body: only(*handler.server.provider.given)(handler, body),
    "half": half(lambda handler, _body: end(handler)),
    "half, then reset": half(reset),
    "half, then silence": half(silence),
    "half, then no JSON": half(event(b"{no: secret question}")),
    "half, then a list": half(event(b'["secret question"]')),
    "half, then an error": half(
        event(b'{"error": {"message": "secret question"}, "type": "message-end", "delta": {"finish_reason": "ERROR"}}')
    ),
    "half, then huge": half(event(b'"' + b"x" * 5_000_000 + b'"')),
}
RIGHT, GIVEN = "right", "as given"
SLOW = frozenset({"slow", "dripping", "humming", "half, then silence", "murmuring"})
"""What ends by the caller's deadline only."""
HALVES = frozenset({name for name in FAULTS if name.startswith("half")} | {"endless", "murmuring"})
"""What hands on some of the text before it fails."""
WRONG = tuple(sorted(FAULTS.keys() - SLOW - {RIGHT, GIVEN}))
"""What fails by itself at once."""
