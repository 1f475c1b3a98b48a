"""A provider of models on loopback: real HTTP, what it was asked, and the ways in which any provider can fail.

What it says when it does not fail is its vendor's matter: `cohere_server`, `chat_servers`.
"""

import json
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, ClassVar, TypeVar


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Provider:
    """What the server does next and what it has been asked."""

    faults: ClassVar[Mapping[str, "Fault"]]
    url: str = ""
    fault: str = "right"
    script: list[str] = field(default_factory=list)
    """Taken first, one for each request."""
    seconds: float = 0.0
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


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "ProviderServer"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.server.provider.next(Request(self.path, dict(self.headers), body))
        try:
            self.server.provider.faults[fault](self, body)
        except ConnectionError:
            self.server.provider.abandoned()
            self.close_connection = True

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def left_within(self, seconds: float) -> bool:
        """Whether the other side closes the connection by then, or has."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def log_message(self, *_arguments: object) -> None:
        """Nothing on standard error."""


Fault = Callable[[Handler, Any], None]


def status(code: int, complaint: Callable[[str], bytes], **headers: str) -> Fault:
    """An error whose message repeats what was sent, as validation errors may."""
    return lambda handler, body: handler.reply(code, complaint(f"no: {body} {handler.headers}"), **headers)


def slow(right: Fault) -> Fault:
    """Answers when `Provider.seconds` are over, unless nobody waits any more."""

    def fault(handler: Handler, body: Any) -> None:
        if handler.left_within(handler.server.provider.seconds):
            handler.server.provider.abandoned()
            handler.close_connection = True
        else:
            right(handler, body)

    return fault


def dripping(handler: Handler, _body: Any) -> None:
    """One byte of a header at a time: never silent for long, never done."""
    provider = handler.server.provider
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    end = time.monotonic() + 20 * provider.seconds
    while time.monotonic() < end:
        handler.wfile.write(b".")
        if handler.left_within(provider.seconds / 20):
            provider.abandoned()
            break
    handler.close_connection = True


def huge(content_type: str) -> Fault:
    """650 million bytes that say nothing."""

    def fault(handler: Handler, _body: Any) -> None:
        piece = b" " * 65_536
        handler.send_response(200)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(piece) * 10_000))
        handler.end_headers()
        try:
            for _ in range(10_000):
                handler.wfile.write(piece)
                handler.server.provider.huge_bytes += len(piece)
        finally:
            handler.close_connection = True

    return fault


class ProviderServer(ThreadingHTTPServer):
    provider: Provider
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_arguments: object) -> None:
        """Callers that leave are what is tested."""


P = TypeVar("P", bound=Provider)


@contextmanager
def serving(provider: P) -> Iterator[P]:
    with ProviderServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        server.provider = provider
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
