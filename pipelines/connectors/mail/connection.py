"""An IMAP connection to one checked address, over TLS from its first byte, that takes no answer larger than it may be."""

import imaplib
import socket
import ssl


class GuardedImap(imaplib.IMAP4):
    """Like `IMAP4_SSL`, but connects to `address` whatever the host's name means by then. The certificate must be the host's."""

    def __init__(self, host: str, port: int, *, address: str, trusted: ssl.SSLContext, seconds: int, max_bytes: int) -> None:
        self._address = address
        self._trusted = trusted
        self._max_bytes = max_bytes
        super().__init__(host, port, timeout=seconds)

    def open(self, host: str = "", port: int = 993, timeout: float | None = None) -> None:
        self.host = host
        self.port = port
        plain = socket.create_connection((self._address, port), timeout)
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
