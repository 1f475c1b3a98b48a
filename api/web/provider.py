"""Signing in at the identity provider: OpenID Connect's authorization code flow with PKCE (RFC 7636), state and nonce.

What has to be remembered until the provider sends the person back is sealed in a cookie of its own, which ends with the sign-in.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from api.identity.accepted import access_tokens, oidc_provider
from api.sealing import Seal, derived_key
from api.web.sessions import PATH
from retrieval.domain.clock import Clock
from retrieval.domain.errors import InvalidInput, NotAuthenticated
from retrieval.settings import ENV_PREFIX, Settings

CALLBACK = f"{PATH}/sign-in/callback"
_PURPOSE = b"console sign-in"
_BOUND_TO = b"archivist console sign-in 1"


@dataclass(frozen=True)
class Leaving:
    """Somebody on the way to the provider. `next` is the page that they wanted; `started` in seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    next: str
    started: int


class SignInProvider:
    """The provider of `oidc_issuer`, as the console's own client."""

    def __init__(self, settings: Settings, token_key: bytes, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._seal = Seal(derived_key(token_key, _PURPOSE))
        self._provider = oidc_provider(settings)
        self._id_tokens = access_tokens(settings, clock, audience=settings.console_oidc_client_id)
        self._access_tokens = access_tokens(settings, clock)
        self._secret = _secret(settings.console_oidc_client_secret_file)

    def leave(self, wanted: str) -> tuple[str, str]:
        """The provider's address to go to, and what to remember, sealed. Raises IdentityUnavailable."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._settings.console_oidc_client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._settings.console_oidc_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._provider.endpoint("authorization_endpoint")
        leaving = Leaving(state, nonce, verifier, wanted, int(self._clock.now().timestamp()))
        joint = "&" if "?" in endpoint else "?"
        return f"{endpoint}{joint}{urlencode(asked)}", self._seal.close(json.dumps(asdict(leaving)).encode(), _BOUND_TO)

    def arrive(self, remembered: str, *, state: str, code: str, issuer: str | None) -> tuple[str, str]:
        """The access token of whoever comes back, and the page that they wanted.

        Raises:
            NotAuthenticated: they did not leave from here, took too long, or the provider's tokens are not for them and us.
            IdentityUnavailable: the provider does not answer.
        """
        leaving = self._remembered(remembered)
        if not hmac.compare_digest(leaving.state.encode(), state.encode()) or issuer not in (None, self._settings.oidc_issuer):
            raise NotAuthenticated("another sign-in than the one that was begun here")
        given = self._tokens(code, leaving.verifier)
        access_token, id_token = given.get("access_token"), given.get("id_token")
        if not isinstance(access_token, str) or not isinstance(id_token, str):
            raise NotAuthenticated("the provider gave no tokens")
        claims = self._id_tokens.claims(id_token)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), leaving.nonce.encode()):
            raise NotAuthenticated("the tokens are of another sign-in")
        if claims.get("azp", self._settings.console_oidc_client_id) != self._settings.console_oidc_client_id:
            raise NotAuthenticated("the tokens are another client's")
        if self._access_tokens.claims(access_token).get("sub") != claims.get("sub"):
            raise NotAuthenticated("the two tokens are not of one person")
        return access_token, leaving.next

    def _remembered(self, sealed: str) -> Leaving:
        try:
            leaving = Leaving(**json.loads(self._seal.open(sealed, _BOUND_TO)))
        except ValueError as error:
            raise NotAuthenticated("no sign-in was begun here") from error
        if self._clock.now().timestamp() - leaving.started >= self._settings.console_sign_in_seconds:
            raise NotAuthenticated("the sign-in took too long")
        return leaving

    def _tokens(self, code: str, verifier: str) -> Mapping[str, Any]:
        client = self._settings.console_oidc_client_id
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri, "code_verifier": verifier}
        if self._secret:
            return self._provider.exchange(form, client=(client, self._secret))
        return self._provider.exchange({**form, "client_id": client}, client=None)

    @property
    def _redirect_uri(self) -> str:
        return self._settings.console_url.rstrip("/") + CALLBACK


def _secret(file: str) -> str:
    """Empty for no file."""
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.of(f"{ENV_PREFIX}CONSOLE_OIDC_CLIENT_SECRET_FILE", "cannot be read") from error
