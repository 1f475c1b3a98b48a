"""OIDC access tokens: signed by the one configured issuer, for this service, now.

PyJWT checks signature, issuer and audience. What is looked at before the signature is only what chooses the key, and a key comes from
the configured provider alone: whatever a token says of keys (`jwk`, `jku`, `x5u`, `x5c`) is not read.
"""

import base64
import binascii
import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt.exceptions import PyJWTError
from jwt.types import Options

from api.authentication import Authenticated
from api.identity.claims import ClaimNames, principal_of, roles_of
from api.identity.signing_keys import SigningKeys
from retrieval.domain.clock import Clock
from retrieval.domain.errors import NotAuthenticated

TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
MAX_KEY_ID_CHARACTERS = 256
_WRITTEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+", re.ASCII)
_CHECKED: Options = {"require": ["iss", "aud", "exp"], "verify_exp": False, "verify_nbf": False, "verify_iat": False}
"""The times are checked here, by the service's own clock."""


@dataclass(frozen=True)
class TokenRules:
    """What a token must be.

    Attributes:
        issuer: the only one whose tokens are accepted, compared byte by byte.
        audience: must be among the token's audiences.
        algorithms: the only ones that a signature may be made with.
        leeway_seconds: how far the issuer's clock may differ from ours.
        max_characters: a longer token is not looked at.
    """

    issuer: str
    audience: str
    algorithms: frozenset[str]
    leeway_seconds: int = 60
    max_characters: int = 16 * 1024
    names: ClaimNames = field(default_factory=ClaimNames)


class AccessTokens:
    """Verifies tokens. A credential kind of `Authentication`."""

    def __init__(self, rules: TokenRules, keys: SigningKeys, clock: Clock) -> None:
        self._rules = rules
        self._keys = keys
        self._clock = clock

    def verify(self, credential: str) -> Authenticated:
        """Raises NotAuthenticated; IdentityUnavailable when the provider's keys cannot be read."""
        claims = self.claims(credential)
        principal = principal_of(claims, self._rules.names, issuer=self._rules.issuer)
        return Authenticated(principal, roles_of(claims, self._rules.names, principal), _credential_id(credential))

    def claims(self, credential: str) -> dict[str, Any]:
        """What the issuer says in it. Raises like `verify`."""
        if len(credential) > self._rules.max_characters:
            raise NotAuthenticated("the credential is too long")
        match = _WRITTEN.fullmatch(credential)
        if match is None:
            raise NotAuthenticated("the credential is not a token")
        kid, algorithm = self._chosen(_object(match[1]))
        claims = self._signed(credential, kid, algorithm)
        if _object(match[2]) != claims:
            raise NotAuthenticated("the token can be read in two ways")
        self._check_times(claims)
        return claims

    def _chosen(self, header: dict[str, Any]) -> tuple[str, str]:
        """Key id and algorithm, from a header that asks for nothing we do not do."""
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
        if not isinstance(algorithm, str) or algorithm not in self._rules.algorithms:
            raise NotAuthenticated("the token's algorithm is not allowed")
        if "crit" in header or "b64" in header:
            raise NotAuthenticated("the token's header asks for an extension")
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            raise NotAuthenticated("the token is not an access token")
        if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KEY_ID_CHARACTERS:
            raise NotAuthenticated("the token names no key")
        return kid, algorithm

    def _signed(self, token: str, kid: str, algorithm: str) -> dict[str, Any]:
        key = self._keys.find(kid, algorithm)
        rules = self._rules
        try:
            return jwt.decode(token, key, [algorithm], _CHECKED, issuer=rules.issuer, audience=rules.audience)
        except (PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise NotAuthenticated(f"the token does not verify ({type(error).__name__})") from error

    def _check_times(self, claims: dict[str, Any]) -> None:
        now, leeway = self._clock.now().timestamp(), self._rules.leeway_seconds
        if now >= _moment(claims["exp"]) + leeway:
            raise NotAuthenticated("the token has expired")
        if any(name in claims and _moment(claims[name]) > now + leeway for name in ("nbf", "iat")):
            raise NotAuthenticated("the token is not valid yet")


def _object(segment: str) -> dict[str, Any]:
    """A segment's JSON object. A member that is there twice, NaN and Infinity make it none: readers differ on what they mean."""
    try:
        text = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        found = json.loads(text.decode(), object_pairs_hook=_once_each, parse_constant=_no_constant)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise NotAuthenticated("the token is not JSON, or not plain JSON") from error
    if not isinstance(found, dict):
        raise NotAuthenticated("the token is not made of JSON objects")
    return found


def _once_each(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    pairs = list(members)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _moment(claimed: object) -> float:
    """Seconds since 1970. Raises NotAuthenticated for what is not a number, or not one that a moment can be."""
    if isinstance(claimed, bool) or not isinstance(claimed, int | float):
        raise NotAuthenticated("the token's times are not numbers")
    try:
        moment = float(claimed)
    except OverflowError as error:
        raise NotAuthenticated("the token's times are not moments") from error
    if not math.isfinite(moment):
        raise NotAuthenticated("the token's times are not moments")
    return moment


def _credential_id(token: str) -> str:
    """Tells tokens apart in the log; nobody can make the token of it."""
    return "at_" + hashlib.blake2b(token.encode(), digest_size=8, person=b"archivist token").hexdigest()
