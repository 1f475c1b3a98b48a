"""Cohere's reranking on loopback: its wire format over real HTTP, what it was sent, and the ways in which it can fail.

After https://docs.cohere.com/v2/reference/rerank: `POST /v2/rerank` with a bearer token; results sorted by score; errors as `id` and
`message`.
"""

import gzip
import json
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

KEY = "co-K3y-that-nobody-may-see"
PATH = "/v2/rerank"
FIELDS = {"model", "query", "documents", "top_n", "max_tokens_per_doc", "priority", "relevant_spans"}


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: Any


def relevance(query: str, document: str) -> float:
    """The share of the query's words that the document has: a reranker worked by hand."""
    words = set(query.lower().split())
    return len(words & set(document.lower().split())) / len(words)


def ranking(query: str, documents: Sequence[str]) -> list[dict[str, Any]]:
    scored = [{"index": place, "relevance_score": relevance(query, text)} for place, text in enumerate(documents)]
    return sorted(scored, key=lambda result: -result["relevance_score"])


def answer(results: object) -> bytes:
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return json.dumps({"id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "results": results, "meta": meta}).encode()


def complaint(message: str) -> bytes:
    return json.dumps({"id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "message": message}).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "CohereServer"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.server.cohere.next(Request(self.path, dict(self.headers), body))
        FAULTS[fault](self, body)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def left_within(self, seconds: float) -> bool:
        """Whether the other side closes the connection by then."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def log_message(self, *_arguments: object) -> None:
        """Nothing on standard error."""


def right(handler: Handler, body: Any) -> None:
    if handler.path != PATH:
        handler.reply(404, complaint("not found"))
    elif handler.headers["Authorization"] != f"Bearer {KEY}":
        handler.reply(401, complaint("invalid api token"))
    elif unknown := set(body) - FIELDS:
        handler.reply(422, complaint(f"unknown field: parameter '{unknown.pop()}' is not a valid field"))
    else:
        handler.reply(200, answer(ranking(body["query"], body["documents"])))


def changed(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Handler, Any], None]:
    """The right ranking, except that."""
    return lambda handler, body: handler.reply(200, answer(change(ranking(body["query"], body["documents"]))))


def status(code: int, **headers: str) -> Callable[[Handler, Any], None]:
    """An error whose message repeats what was sent, as validation errors may."""
    return lambda handler, body: handler.reply(code, complaint(f"no: {body['query']} {body['documents']} {handler.headers}"), **headers)


def slow(handler: Handler, body: Any) -> None:
    """Answers when `Cohere.seconds` are over, unless nobody waits any more."""
    cohere = handler.server.cohere
    if handler.left_within(cohere.seconds):
        cohere.abandoned()
        handler.close_connection = True
    else:
        right(handler, body)


def dripping(handler: Handler, body: Any) -> None:
    """One byte of a header at a time: never silent for long, never done."""
    cohere = handler.server.cohere
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    end = time.monotonic() + 20 * cohere.seconds
    while time.monotonic() < end:
        handler.wfile.write(b".")
        if handler.left_within(cohere.seconds / 20):
            cohere.abandoned()
            break
    handler.close_connection = True


def truncated(handler: Handler, body: Any) -> None:
    content = answer(ranking(body["query"], body["documents"]))
    handler.reply(200, content[: len(content) // 2], Content_Length=str(len(content)))
    handler.close_connection = True


def huge(handler: Handler, _body: Any) -> None:
    piece = b" " * 65_536
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(piece) * 10_000))
    handler.end_headers()
    try:
        for _ in range(10_000):
            handler.wfile.write(piece)
            handler.server.cohere.huge_bytes += len(piece)
    finally:
        handler.close_connection = True


def scored(score: str) -> Callable[[Handler, Any], None]:
    """The right ranking, except that the last score is this piece of JSON."""

    def fault(handler: Handler, body: Any) -> None:
        results = ranking(body["query"], body["documents"])
        content = answer([*results[:-1], {"index": results[-1]["index"], "relevance_score": "SCORE"}])
        handler.reply(200, content.replace(b'"SCORE"', score.encode()))

    return fault


FAULTS: Mapping[str, Callable[[Handler, Any], None]] = {
    "right": right,
    "slow": slow,
    "dripping": dripping,
    "reset": lambda handler, _body: handler.reset(),
    "truncated": truncated,
    "huge": huge,
    "429": status(429),
    "429 with Retry-After": status(429, Retry_After="7"),
    "500": status(500),
    "503": status(503),
    "400": status(400),
    "401": status(401),
    "404": status(404),
    "498": status(498),
    "418": status(418),
    "redirect": status(307, Location="/elsewhere"),
    "garbage": lambda handler, _body: handler.reply(200, b"<html>\xff\xfe"),
    "empty": lambda handler, _body: handler.reply(200, b""),
    "deep": lambda handler, _body: handler.reply(200, b"[" * 100_000),
    "a list": lambda handler, _body: handler.reply(200, b"[1, 2]"),
    "null": lambda handler, _body: handler.reply(200, b"null"),
    "no results": lambda handler, _body: handler.reply(200, b'{"id": "x"}'),
    "results of another kind": lambda handler, _body: handler.reply(200, answer([1, None, "x"])),
    "wrong content type": lambda handler, body: handler.reply(
        200, answer(ranking(body["query"], body["documents"])), Content_Type="text/html"
    ),
    "compressed": lambda handler, body: handler.reply(
        200, gzip.compress(answer(ranking(body["query"], body["documents"]))), Content_Encoding="gzip"
    ),
    "missing index": changed(lambda results: results[:-1]),
    "duplicate index": changed(lambda results: [*results[:-1], results[0]]),
    "one too many": changed(lambda results: [*results, results[0]]),
    "out of range": changed(lambda results: [*results[:-1], {**results[-1], "index": len(results)}]),
    "below range": changed(lambda results: [*results[:-1], {**results[-1], "index": -1}]),
    "no score": changed(lambda results: [*results[:-1], {"index": results[-1]["index"]}]),
    "NaN": scored("NaN"),
    "Infinity": scored("Infinity"),
    "beyond any number": scored("1" + "0" * 400),
    "a word for a score": scored('"high"'),
    "true for a score": scored("true"),
    "null for a score": scored("null"),
    "as given": lambda handler, _body: handler.reply(200, handler.server.cohere.given),
}
RIGHT, SLOW, GIVEN = "right", frozenset({"slow", "dripping"}), "as given"
WRONG = tuple(sorted(FAULTS.keys() - SLOW - {RIGHT, GIVEN}))
"""What is answered at once and is no ranking."""


@dataclass
class Cohere:
    """What the server does next and what it has been asked."""

    url: str = ""
    fault: str = "right"
    script: list[str] = field(default_factory=list)
    """Taken first, one for each request."""
    seconds: float = 0.0
    given: bytes = b""
    requests: list[Request] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    given_up: int = 0
    huge_bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    def next(self, request: Request) -> str:
        with self._lock:
            fault = self.script.pop(0) if self.script else self.fault
            self.requests.append(request)
            self.fired[fault] += 1
            return fault

    def abandoned(self) -> None:
        with self._lock:
            self.given_up += 1


class CohereServer(ThreadingHTTPServer):
    cohere: Cohere
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_arguments: object) -> None:
        """Callers that leave are what is tested."""


@contextmanager
def serving_cohere() -> Iterator[Cohere]:
    with CohereServer(("127.0.0.1", 0), Handler) as server:
        server.cohere = Cohere(url=f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.cohere
        finally:
            server.shutdown()
            thread.join()
