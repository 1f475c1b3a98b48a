"""An IMAP connection to checked addresses, over TLS from its first byte, that takes no answer larger than it may be."""

import imaplib
import socket
import ssl
from collections.abc import Sequence


class GuardedImap(imaplib.IMAP4):
    """Like `IMAP4_SSL`, but connects to the first of `addresses` that answers. The certificate must be the host's."""

    def __init__(self, host: str, port: int, *, addresses: Sequence[str], trusted: ssl.SSLContext, seconds: int, max_bytes: int) -> None:
        self._addresses = addresses
        self._trusted = trusted
        self._max_bytes = max_bytes
        super().__init__(host, port, timeout=seconds)

    def open(self, host: str = "", port: int = 993, timeout: float | None = None) -> None:
        self.host = host
        self.port = port
        plain = self._first_answering(port, timeout)
        try:
            self.sock = self._trusted.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise
        self.file = self.sock.makefile("rb")

    def read(self, size: int) -> bytes:
        """A literal, whose size the server has said."""
        if size > self._max_bytes:
            raise self.abort("an answer is larger than it may be")
        return super().read(size)

    def _first_answering(self, port: int, timeout: float | None) -> socket.socket:
        for address in self._addresses[:-1]:
            try:
                return socket.create_connection((address, port), timeout)
            except OSError:
                continue
        return socket.create_connection((self._addresses[-1], port), timeout)
