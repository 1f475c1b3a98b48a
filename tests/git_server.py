"""A real git server over TLS on loopback, and what it was asked."""

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain


@dataclass
class GitHost:
    """One repository at `/handbook.git`.

    Attributes:
        token: that is asked for; empty: none.
        redirects_to: where every request is sent on; empty: nowhere.
    """

    port: int = 0
    token: str = ""
    redirects_to: str = ""
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/handbook.git"


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    trusted: ssl.SSLContext

    def finish_request(self, request, client_address) -> None:
        with self.trusted.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)
            with suppress(OSError):
                secure.unwrap()  # GnuTLS takes an answer without a proper end for a cut one

    def handle_error(self, *_: object) -> None:
        """The client hangs up on purpose in some tests."""


@contextmanager
def serving_git(repository: Path, trusted: ssl.SSLContext) -> Iterator[GitHost]:
    """The server, until the block ends."""
    host = GitHost()
    with Repo(str(repository)) as served:
        serve = make_wsgi_chain(DictBackend({"/handbook.git": served}))

        def answer(environ, start_response):
            host.requests.append(environ["PATH_INFO"])
            if host.redirects_to:
                start_response("302 Found", [("Location", host.redirects_to + environ["PATH_INFO"])])
                return [b""]
            proof = base64.b64encode(f"git:{host.token}".encode()).decode()
            if host.token and environ.get("HTTP_AUTHORIZATION") != f"Basic {proof}":
                start_response("401 Unauthorized", [("WWW-Authenticate", "Basic")])
                return [b""]
            return serve(environ, start_response)

        with make_server("127.0.0.1", 0, answer, server_class=_Server, handler_class=_Handler) as server:
            server.trusted = trusted
            host.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            yield host
            server.shutdown()
            thread.join()
