"""Saying where an application wants to be told, checked before it is kept."""

from retrieval.adapters.delivery.secrets import is_reference, key_of
from retrieval.adapters.delivery.signing import new_secret
from retrieval.adapters.delivery.webhook import checked_url
from retrieval.adapters.network.urls import UrlRefused
from retrieval.domain.audit import OPERATOR
from retrieval.domain.errors import InvalidInput
from retrieval.ports.delivery import Webhooks
from retrieval.settings import Settings


def register_webhook(webhooks: Webhooks, settings: Settings, application: str, url: str, *, secret: str) -> str | None:
    """Without a secret one is made and returned; it cannot be read again. With one, which must be a reference, None.

    Raises:
        InvalidInput: names `url` or `secret`.
    """
    try:
        checked_url(url, settings)
    except UrlRefused as refused:
        raise InvalidInput.of("url", str(refused)) from refused
    if secret and not is_reference(secret):
        raise InvalidInput.of("secret", "says where the secret is", limit="env:ARCHIVIST_WEBHOOK_… or file:PATH")
    made = None if secret else new_secret()
    key_of(made or secret)
    webhooks.register(application, url, secret=made or secret, by=OPERATOR.subject)
    return made
