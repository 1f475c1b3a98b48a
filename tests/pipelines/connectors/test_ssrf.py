"""No URL, redirect or name makes the outbound client connect into a private network.

Every connection that the guard lets through ends at a canary, whatever its address: the canary must never be called.
"""

import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest
import yaml

from pipelines.connectors.outbound import Outbound
from pipelines.connectors.port import FileRefused
from retrieval.adapters.network.addresses import Address
from retrieval.adapters.network.guarded import resolve
from retrieval.domain.errors import SourceUnavailable
from retrieval.settings import Settings

_PUBLIC = "93.184.216.34"


@dataclass
class Canary(httpcore.NetworkBackend):
    """A listening server on loopback, and a network in which every address leads to it."""

    port: int
    answers: list[bytes] = field(default_factory=lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"])
    asked_for: list[str] = field(default_factory=list)
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.asked_for.append(host)
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout, local_address, socket_options)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                self.connections += 1
                self.requests.append(connection.recv(65536))
                connection.sendall(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


@pytest.fixture
def canary() -> Iterator[Canary]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        canary = Canary(listener.getsockname()[1])
        thread = threading.Thread(target=canary.serve, args=(listener,), daemon=True)
        thread.start()
        yield canary
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _names(host: str, port: int) -> Sequence[Address]:
    """A few names as an attacker's DNS would answer; numbers as the system reads them."""
    known = {
        "public.test": [_PUBLIC],
        "localhost": ["127.0.0.1", "::1"],
        "localhost.": ["127.0.0.1"],
        "localtest.me": ["127.0.0.1"],
        "169.254.169.254.nip.test": ["169.254.169.254"],
        "metadata.google.internal": ["169.254.169.254"],
        "mixed.test": [_PUBLIC, "10.0.0.1"],
        "mapped.test": ["::ffff:10.0.0.1"],
        "nat64.test": ["64:ff9b::a00:1"],
        "sixtofour.test": ["2002:a00:1::"],
        "intranet": ["10.1.2.3"],
        "xn--bcher-kva.test": ["192.168.0.9"],
        "zero.test": ["0.0.0.0"],
        "ula.test": ["fd12::1"],
        "cgnat.test": ["100.64.1.1"],
        "empty.test": [],
    }
    if host in known:
        return [ip_address(address) for address in known[host]]
    if not any(char.isalpha() and char not in "abcdefx" for char in host):
        return resolve(host, port)
    raise OSError("no such host")


_TRICKS = [url for urls in yaml.safe_load((Path(__file__).parent / "ssrf_urls.yaml").read_text("utf-8")).values() for url in urls]


@pytest.fixture
def outbound(canary):
    client = Outbound(Settings(web_attempts=1, web_timeout_seconds=5), resolver=_names, network=canary)
    yield client
    client.close()


def test_the_canary_is_called_for_what_is_allowed(canary, outbound):
    reply = outbound.get("http://public.test/page", max_bytes=100)

    assert reply.body == b"hi"
    assert (canary.connections, canary.asked_for) == (1, [_PUBLIC])
    assert b"Host: public.test\r\n" in canary.requests[0]


@pytest.mark.parametrize("url", _TRICKS, ids=[f"{n}" for n in range(len(_TRICKS))])
def test_no_url_reaches_a_private_network(canary, outbound, url):
    with pytest.raises(FileRefused):
        outbound.get(url, max_bytes=100)

    assert canary.connections == 0


@pytest.mark.parametrize("url", _TRICKS, ids=[f"{n}" for n in range(len(_TRICKS))])
def test_no_redirect_reaches_a_private_network(canary, outbound, url):
    location = url.encode("latin-1", "ignore").replace(b"\r", b"").replace(b"\n", b"").strip()
    canary.answers = [b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " + location + b"\r\n\r\n"]

    with pytest.raises((FileRefused, SourceUnavailable)):
        outbound.get("http://public.test/", max_bytes=100)

    assert set(canary.asked_for) == {_PUBLIC}


def test_a_name_that_turns_private_after_it_was_checked_is_refused(canary):
    turns = iter([[ip_address(_PUBLIC)], [ip_address("127.0.0.1")]])
    client = Outbound(Settings(), resolver=lambda _host, _port: next(turns), network=canary)

    client.get("http://rebinding.test/", max_bytes=100)
    with pytest.raises(FileRefused, match="private"):
        client.get("http://rebinding.test/", max_bytes=100)
    client.close()

    assert canary.asked_for == [_PUBLIC], "connected to the address that was checked, and to no other"


def test_a_redirect_to_the_same_name_is_resolved_and_checked_again(canary):
    canary.answers = [b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: /again\r\n\r\n"]
    turns = iter([[ip_address(_PUBLIC)], [ip_address("169.254.169.254")]])
    client = Outbound(Settings(), resolver=lambda _host, _port: next(turns), network=canary)

    with pytest.raises(FileRefused, match="private"):
        client.get("http://rebinding.test/", max_bytes=100)
    client.close()

    assert canary.asked_for == [_PUBLIC]


def test_a_name_without_an_address_is_unavailable(canary, outbound):
    for url in ("http://empty.test/", "http://unknown.test/"):
        with pytest.raises(SourceUnavailable, match="host name"):
            outbound.get(url, max_bytes=100)

    assert canary.connections == 0


def test_no_proxy_of_the_environment_is_used(canary, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    client = Outbound(Settings(web_attempts=1), resolver=_names, network=canary)

    client.get("http://public.test/", max_bytes=100)
    client.close()

    assert canary.asked_for == [_PUBLIC]
    assert canary.requests[0].startswith(b"GET / HTTP/1.1\r\n")
