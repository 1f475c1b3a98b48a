"""The identity provider over HTTP: its discovery document, its signing keys, and tokens for the code that somebody who signs in brings."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from api.loopback import is_loopback, is_private_url
from retrieval.domain.errors import IdentityUnavailable

MAX_DOCUMENT_BYTES = 512 * 1024
MAX_KEYS = 100
DISCOVERY_PATH = "/.well-known/openid-configuration"


class OidcProvider:
    """Reads the keys anew each time. Follows no redirect: where keys come from is configured, not answered."""

    def __init__(self, issuer: str, *, jwks_url: str = "", timeout_seconds: float) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._timeout_seconds = timeout_seconds

    def keys(self) -> list[Mapping[str, Any]]:
        """The JSON Web Keys as they are published. Raises IdentityUnavailable."""
        found = self._read(self._jwks_url or self.endpoint("jwks_uri")).get("keys")
        if not isinstance(found, list) or len(found) > MAX_KEYS:
            raise IdentityUnavailable("the JWKS has no list of keys, or too long a one")
        return [key for key in found if isinstance(key, dict)]

    def endpoint(self, name: str) -> str:
        """An address that the discovery document tells, e.g. `token_endpoint`. Raises IdentityUnavailable."""
        document = self._read(self._issuer.rstrip("/") + DISCOVERY_PATH)
        if document.get("issuer") != self._issuer:
            raise IdentityUnavailable("the discovery document is another issuer's")
        url = document.get(name)
        if not isinstance(url, str) or not is_private_url(url):
            raise IdentityUnavailable(f"the discovery document names no {name} that can be trusted")
        return url

    def exchange(self, form: Mapping[str, str], *, client: tuple[str, str] | None) -> Mapping[str, Any]:
        """What the token endpoint gives for the form, sent with the client's id and secret if it has one. Raises IdentityUnavailable."""
        return self._read(self.endpoint("token_endpoint"), form=form, client=client)

    def _read(self, url: str, *, form: Mapping[str, str] | None = None, client: tuple[str, str] | None = None) -> Mapping[str, Any]:
        try:
            found = json.loads(self._bytes(url, form, client))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise IdentityUnavailable(f"the identity provider does not answer ({type(error).__name__})") from error
        except (ValueError, RecursionError) as error:
            raise IdentityUnavailable("the identity provider's answer is not JSON") from error
        if not isinstance(found, dict):
            raise IdentityUnavailable("the identity provider's answer is not a JSON object")
        return found

    def _bytes(self, url: str, form: Mapping[str, str] | None, credentials: tuple[str, str] | None) -> bytes:
        """The body, within the limits of time and size. Uncompressed, so that the limit is on what is really held."""
        deadline = time.monotonic() + self._timeout_seconds
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        uses_proxy = not is_loopback(urlsplit(url).hostname or "")
        body = b""
        with (
            httpx.Client(timeout=self._timeout_seconds, follow_redirects=False, trust_env=uses_proxy) as client,
            client.stream("GET" if form is None else "POST", url, headers=headers, data=form, auth=credentials) as response,
        ):
            if response.status_code != httpx.codes.OK or "content-encoding" in response.headers:
                raise IdentityUnavailable(f"the identity provider answers with status {response.status_code}, or compressed")
            for piece in response.iter_raw():
                body += piece
                if len(body) > MAX_DOCUMENT_BYTES or time.monotonic() > deadline:
                    raise IdentityUnavailable("the identity provider's answer is too long, or takes too long")
        return body
