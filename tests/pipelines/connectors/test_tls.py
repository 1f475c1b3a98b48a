"""The outbound client talks to nobody whose certificate it cannot verify."""

import socket
import threading

import pytest

from pipelines.connectors.outbound import Outbound
from retrieval.domain.errors import SourceUnavailable
from retrieval.settings import Settings
from tests.certificates import self_signed


def test_a_site_with_a_certificate_of_its_own_making_is_unavailable(tmp_path, monkeypatch):
    context = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "site.pem"))
    client = Outbound(Settings(web_allow_private_addresses=True, web_attempts=1, web_timeout_seconds=5))
    asked = []

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    asked.append(secure.recv(1000))
            except OSError:
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(SourceUnavailable, match="certificate"):
            client.get(f"https://localhost:{listener.getsockname()[1]}/", max_bytes=100)
        thread.join(5)
    client.close()

    assert asked in ([], [b""]), "nothing was sent"
