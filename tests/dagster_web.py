"""The Dagster UI's server over real HTTP in this process, and a reverse proxy before it that says who asks."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import uvicorn

SECRET = "between the proxy and the web server alone"
LOCATION = "pipelines.definitions"
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId status tags { key value } } }
  ... on PythonError { message errorChain { error { message stack } } } ... on RunConfigValidationInvalid { errors { message } } } }"""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The application's address, until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", proxy_headers=False, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def launch(job: str, config: Mapping[str, Any] | None = None, **tags: str) -> dict[str, Any]:
    """The body of a request that launches a job, as the UI sends it."""
    selector = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", "jobName": job}
    metadata = {"tags": [{"key": key.replace("__", "/"), "value": value} for key, value in tags.items()]}
    return {"query": LAUNCH, "variables": {"params": {"selector": selector, "runConfigData": config or {}, "executionMetadata": metadata}}}


def through_proxy(user: str, groups: str = "") -> list[tuple[str, str]]:
    """What the proxy's requests look like."""
    return [("X-Archivist-Proxy", SECRET), ("X-Forwarded-User", user), ("X-Forwarded-Groups", groups)]


@dataclass
class Proxy:
    """Forwards to `behind` and says who is signed in; what a client says of itself is thrown away."""

    behind: str
    url: str = ""
    sessions: dict[str, tuple[str, str]] = field(default_factory=dict)

    def headers(self, sent: Mapping[str, str]) -> list[tuple[str, str]]:
        kept = [
            (name, value) for name, value in sent.items() if not name.lower().startswith("x-") and name.lower() not in ("host", "cookie")
        ]
        user, groups = self.sessions.get(sent.get("Cookie", ""), ("", ""))
        return kept + through_proxy(user, groups)


@contextmanager
def proxying(behind: str) -> Iterator[Proxy]:
    proxy = Proxy(behind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = httpx.post(proxy.behind + self.path, content=body, headers=proxy.headers(self.headers), timeout=60, trust_env=False)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["content-type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Tests read what is answered."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield proxy
    server.shutdown()
    server.server_close()
    thread.join(5)
