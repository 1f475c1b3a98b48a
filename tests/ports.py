"""Where servers of tests listen."""

import socket


def free_port() -> int:
    """A port of loopback that nothing listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
