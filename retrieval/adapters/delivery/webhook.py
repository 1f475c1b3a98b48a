"""Telling an application by a signed POST. It names the escalation or the source only: the application then asks, as whoever it is for.

No redirect is followed, no proxy or credential comes from the environment, nothing of the answer is read but its status, and every
address is checked when it is connected to.
"""

import json
import ssl
from functools import cache

import httpcore
import httpx

from retrieval.adapters.delivery.secrets import key_of
from retrieval.adapters.delivery.signing import signed_headers
from retrieval.adapters.network.guarded import GuardedNetwork, Resolver, resolve, seconds_left, within
from retrieval.adapters.network.urls import UrlRefused, check_url
from retrieval.domain.clock import Clock
from retrieval.domain.errors import InvalidInput
from retrieval.ports.delivery import Message, Undelivered, Webhooks
from retrieval.settings import Settings

_GONE = 410


class WebhookSender:
    """`Sender` to webhooks. `close` gives its connections back."""

    def __init__(self, webhooks: Webhooks, settings: Settings, clock: Clock, *, resolver: Resolver = resolve) -> None:
        self._webhooks = webhooks
        self._settings = settings
        self._clock = clock
        network = GuardedNetwork(allow_private=settings.webhook_allow_private_addresses, resolver=resolver)
        self._pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=network, keepalive_expiry=5.0)

    def send(self, message: Message) -> None:
        registered = self._webhooks.find(message.application) if message.application is not None else None
        if registered is None:
            raise Undelivered("the application has no webhook any more", is_final=True)
        url, secret = registered
        try:
            target, key = checked_url(url, self._settings), key_of(secret)
            with within(self._settings.webhook_timeout_seconds):
                status = self._post(target, key, message)
        except (UrlRefused, InvalidInput) as refused:
            raise Undelivered(str(refused)) from refused
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Undelivered(f"the application cannot be reached: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise Undelivered(f"the application answered {status}", is_final=status == _GONE)

    def close(self) -> None:
        self._pool.close()

    def _post(self, url: httpx.URL, key: bytes, message: Message) -> int:
        body = body_of(message)
        headers: dict[bytes | str, bytes | str] = {
            "Host": url.netloc,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "User-Agent": "Archivist",
        }
        headers.update(signed_headers(key, message.id, int(self._clock.now().timestamp()), body).items())
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), seconds_left())
        with self._pool.stream("POST", target, headers=headers, content=body, extensions={"timeout": timeouts}) as response:
            return response.status


def checked_url(url: str, settings: Settings) -> httpx.URL:
    """Raises UrlRefused: says which part of the URL is not allowed."""
    checked = check_url(url, any_port=True)
    if checked.scheme != "https" and not settings.webhook_allow_private_addresses:
        raise UrlRefused("a webhook is called by https")
    return checked


def body_of(message: Message) -> bytes:
    """The same bytes for the same message, however often it is sent."""
    data = {"id": message.about, "state": message.occasion.rpartition(".")[2], **message.details}
    told = {"type": message.occasion.value, "timestamp": message.created_at, "data": data}
    return json.dumps(told, separators=(",", ":")).encode()


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
