"""The outbound client against a real site: limits, redirects, compression, busy sites."""

import gzip
import socket
import threading
import time
import tracemalloc
import zlib

import pytest

from pipelines.connectors.outbound import Outbound
from pipelines.connectors.port import FileRefused
from retrieval.domain.documents import QuarantineCode
from retrieval.domain.errors import SourceUnavailable
from retrieval.settings import Settings
from tests.slack import FAR_SECONDS, SLACK_SECONDS, within

DRIPS = round(FAR_SECONDS / 0.1)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(pauses):
    made = []

    def make(**settings) -> Outbound:
        made.append(Outbound(Settings(web_allow_private_addresses=True, **settings), sleep=pauses.append))
        return made[-1]

    yield make
    for outbound in made:
        outbound.close()


def test_a_page_comes_with_its_headers(site, answer, client):
    site.pages["/a?b=c"] = answer(body=b"hello", headers={"Content-Type": "text/html"})

    reply = client().get(f"{site.url}/a?b=c", max_bytes=100)

    assert (reply.url, reply.status, reply.body, reply.headers["content-type"]) == (f"{site.url}/a?b=c", 200, b"hello", "text/html")
    assert site.requests[0][1]["host"] == site.url.removeprefix("http://")
    assert site.requests[0][1]["user-agent"] == "Archivist/0.1"


def test_a_site_on_loopback_is_refused_unless_allowed(site):
    outbound = Outbound(Settings(web_allow_private_addresses=False))

    with pytest.raises(FileRefused):
        outbound.get(f"{site.url}/", max_bytes=100)
    outbound.close()

    assert site.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(site, answer, client, status):
    site.pages |= {"/a": answer(status, headers={"Location": "/b"}), "/b": answer(body=b"there")}

    reply = client().get(f"{site.url}/a", max_bytes=100)

    assert (reply.url, reply.body) == (f"{site.url}/b", b"there")


def test_redirects_without_end_are_refused(site, answer, client):
    site.pages["/a"] = answer(302, headers={"Location": "/a"})

    with pytest.raises(FileRefused, match="more than 2 redirects"):
        client(web_max_redirects=2).get(f"{site.url}/a", max_bytes=100)

    assert len(site.requests) == 3


def test_cookies_are_not_kept(site, answer, client):
    site.pages |= {"/a": answer(302, headers={"Location": "/b", "Set-Cookie": "id=1"}), "/b": answer(body=b"there")}

    client().get(f"{site.url}/a", max_bytes=100)

    assert "cookie" not in site.requests[1][1]


def _endless(piece: bytes):
    def pieces():
        while True:
            yield piece

    return pieces


_BOMB = zlib.compressobj(wbits=31)
_BOMB_BYTES = b"".join(_BOMB.compress(bytes(1_000_000)) for _ in range(200)) + _BOMB.flush()


@pytest.mark.parametrize(
    ("limit", "page"),
    [
        pytest.param(100, {"body": b"x" * 101}, id="a body that says its length"),
        pytest.param(100, {"pieces": _endless(b"x" * 1000)}, id="a body without end"),
        pytest.param(100, {"body": gzip.compress(b"x" * 101), "headers": {"Content-Encoding": "gzip"}}, id="a body that expands"),
        pytest.param(1_000_000, {"body": _BOMB_BYTES, "headers": {"Content-Encoding": "gzip"}}, id="a bomb"),
    ],
)
def test_a_body_over_the_limit_is_refused(site, answer, client, limit, page):
    site.pages["/a"] = answer(**page)

    with pytest.raises(FileRefused) as refused:
        client().get(f"{site.url}/a", max_bytes=limit)

    assert refused.value.rejection.code is QuarantineCode.TOO_LARGE


def test_a_bomb_is_stopped_before_it_fills_the_memory(site, answer, client):
    site.pages["/a"] = answer(body=_BOMB_BYTES, headers={"Content-Encoding": "gzip"})
    outbound = client()
    tracemalloc.start()

    with pytest.raises(FileRefused):
        outbound.get(f"{site.url}/a", max_bytes=1_000_000)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < 10_000_000


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress, lambda body: body], ids=["gzip", "deflate", "none"])
def test_a_body_at_the_limit_is_taken(site, answer, client, compress):
    encoding = {gzip.compress: "gzip", zlib.compress: "deflate"}.get(compress, "identity")
    site.pages["/a"] = answer(body=compress(b"ab" * 50_000), headers={"Content-Encoding": encoding})

    reply = client().get(f"{site.url}/a", max_bytes=100_000)

    assert reply.body == b"ab" * 50_000


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"x" * 1000)[:-4], "gzip"),
        (b"not gzip", "gzip"),
        (gzip.compress(b"x") + b"more", "gzip"),
        (b"x", "br"),
        (b"x", "gzip, gzip"),
    ],
    ids=["cut off", "not compressed", "more behind it", "not asked for", "twice"],
)
def test_a_body_that_cannot_be_decompressed_is_refused(site, answer, client, body, encoding):
    site.pages["/a"] = answer(body=body, headers={"Content-Encoding": encoding})

    with pytest.raises(FileRefused, match="compress"):
        client().get(f"{site.url}/a", max_bytes=10_000)


def _dripping():
    yield b""
    for _ in range(DRIPS):
        time.sleep(0.1)
        yield b"x"


def test_the_time_limit_holds_for_a_site_that_drips(site, answer, client):
    site.pages["/a"] = answer(pieces=_dripping)

    with within(1), pytest.raises(SourceUnavailable, match="within 1 seconds"):
        client(web_timeout_seconds=1, web_attempts=1).get(f"{site.url}/a", max_bytes=1000)


def test_the_time_limit_holds_for_headers_that_drip(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n")
                    for number in range(DRIPS):
                        time.sleep(0.1)
                        connection.sendall(f"X-{number}: y\r\n".encode())
                except OSError:
                    pass

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with within(1), pytest.raises(SourceUnavailable, match="within 1 seconds"):
            client(web_timeout_seconds=1, web_attempts=1).get(f"http://127.0.0.1:{listener.getsockname()[1]}/", max_bytes=1000)
    thread.join(SLACK_SECONDS)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_site_is_asked_again(site, answer, client, pauses, status):
    site.pages["/a"] = [answer(status), answer(status), answer(body=b"at last")]

    reply = client().get(f"{site.url}/a", max_bytes=100)

    assert (reply.body, pauses) == (b"at last", [0.5, 1.0])


def test_a_site_that_stays_busy_is_unavailable(site, answer, client, pauses):
    site.pages["/a"] = answer(503)

    with pytest.raises(SourceUnavailable, match="503"):
        client(web_attempts=2).get(f"{site.url}/a", max_bytes=100)

    assert (len(site.requests), len(pauses)) == (2, 1)


def test_a_site_is_given_the_time_it_asks_for(site, answer, client, pauses):
    site.pages["/a"] = [answer(429, headers={"Retry-After": "7"}), answer(body=b"at last")]

    client().get(f"{site.url}/a", max_bytes=100)

    assert pauses == [7]


def test_a_site_that_asks_for_too_much_time_is_left_for_a_later_run(site, answer, client, pauses):
    site.pages["/a"] = answer(429, headers={"Retry-After": "3600"})

    with pytest.raises(SourceUnavailable) as unavailable:
        client().get(f"{site.url}/a", max_bytes=100)

    assert unavailable.value.retry_after_seconds == 3600
    assert (len(site.requests), pauses) == (1, [])


def test_a_site_that_is_not_there_is_unavailable(client):
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        client(web_attempts=1).get("http://127.0.0.1:1/", max_bytes=100)


def test_a_body_that_breaks_off_is_unavailable_and_not_a_page(site, answer, client):
    site.pages["/a"] = answer(headers={"Content-Length": "100"}, pieces=lambda: iter([b"half"]))

    with pytest.raises(SourceUnavailable, match="breaks off"):
        client(web_attempts=1).get(f"{site.url}/a", max_bytes=1000)
