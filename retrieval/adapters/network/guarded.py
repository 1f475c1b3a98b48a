"""Where outgoing connections are made: resolved once, every address checked, and the checked address connected to.

httpcore calls this for each new connection, so no name, redirect or second resolution gets around it. The host name stays in the
request, so that certificates and virtual hosts are those of the name. Time spent resolving counts, but a resolution cannot be cut short.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import httpcore

from retrieval.adapters.network.addresses import Address, as_address, may_connect
from retrieval.adapters.network.urls import UrlRefused

Resolver = Callable[[str, int], Sequence[Address]]
"""All addresses of a host name. Raises OSError when there is none."""

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Everything that this thread sends and receives inside ends by then, or raises httpcore.TimeoutException."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left(timeout: float | None = None) -> float:
    """Until the deadline, at most `timeout`.

    Raises:
        httpcore.ReadTimeout: the deadline has passed.
    """
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the request is over")
    return left if timeout is None else min(left, timeout)


def resolve(host: str, port: int) -> Sequence[Address]:
    """What the system's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = (as_address(str(sockaddr[0])) for *_, sockaddr in found)
    return list(dict.fromkeys(address for address in addresses if address is not None))


def allowed_addresses(host: str, port: int, *, allow_private: bool, resolver: Resolver = resolve) -> Sequence[Address]:
    """The addresses of a host. One that is not allowed refuses the whole name: a mixed answer is an attack or a mistake.

    Raises:
        UrlRefused: the host leads where nothing may connect to.
        OSError: it cannot be resolved.
    """
    written = as_address(host)
    try:
        addresses = [written] if written is not None else resolver(host, port)
    except UnicodeError as error:
        raise OSError("not a host name") from error
    if not all(may_connect(address, allow_private=allow_private) for address in addresses):
        raise UrlRefused("the address leads into a private or reserved network")
    return addresses


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects to allowed addresses only."""

    def __init__(self, *, allow_private: bool, resolver: Resolver = resolve, network: httpcore.NetworkBackend | None = None) -> None:
        self._allow_private = allow_private
        self._resolver = resolver
        self._network = network or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._allowed_addresses(host, port)
        for number, address in enumerate(addresses, 1):
            try:
                stream = self._network.connect_tcp(str(address), port, seconds_left(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _TimedStream(stream)
        raise httpcore.ConnectError("the host name has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        raise UrlRefused("nothing connects to local sockets")

    def _allowed_addresses(self, host: str, port: int) -> Sequence[Address]:
        try:
            return allowed_addresses(host, port, allow_private=self._allow_private, resolver=self._resolver)
        except OSError as error:
            raise httpcore.ConnectError("the host name cannot be resolved") from error


class _TimedStream(httpcore.NetworkStream):
    """A connection on which every operation ends by the deadline of the request that uses it then."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, seconds_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, seconds_left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, seconds_left(timeout)))

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
