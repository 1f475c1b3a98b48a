"""The keys that access tokens may be signed with: published by the provider, kept for a while, looked for again when one is unknown.

Anybody can make up a key id, so unknown ones lead to the provider at most once in an interval. While the provider is down the keys
that are known go on serving; a token that names another can then be neither accepted nor refused, and the answer is to try again.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from retrieval.domain.errors import IdentityUnavailable, NotAuthenticated

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", None)),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Signature algorithms that can be allowed, each with the type and curve of its keys. All have a public key; none is a shared secret."""
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
"""Longer ones make each verification dear."""
BRIEF_WAIT_SECONDS = 0.25
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e")

_logger = structlog.get_logger("api.identity")

KeyName = tuple[str, str]
"""A key id and the algorithm that the key is for."""


class KeyProvider(Protocol):
    def keys(self) -> list[Mapping[str, Any]]:
        """Raises IdentityUnavailable."""


@dataclass(frozen=True)
class KeyTimes:
    """How long keys are believed.

    Attributes:
        keep_seconds: age at which the provider is asked again although every key is known.
        pause_seconds: shortest time between two questions to the provider.
        wait_seconds: longest wait for another request that is asking it.
    """

    keep_seconds: float
    pause_seconds: float
    wait_seconds: float


class SigningKeys:
    """The provider's keys by id and algorithm."""

    def __init__(
        self, provider: KeyProvider, algorithms: Iterable[str], times: KeyTimes, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._provider = provider
        self._algorithms = frozenset(algorithms)
        self._times = times
        self._monotonic = monotonic
        self._known: Mapping[KeyName, PyJWK] = {}
        self._read_at = self._asked_at = float("-inf")
        self._answered = False
        self._asking = Lock()

    def find(self, kid: str, algorithm: str) -> PyJWK:
        """The key of that id for that algorithm.

        Raises:
            NotAuthenticated: the provider has none.
            IdentityUnavailable: none is known, and the provider does not say.
        """
        name = (kid, algorithm)
        known = self._known.get(name)
        if known is None:
            return self._sought(name)
        if self._monotonic() - self._read_at < self._times.keep_seconds or not self._asking.acquire(blocking=False):
            return known  # young enough, or another request is asking just now and this one need not wait
        try:
            return self._asked(name)
        finally:
            self._asking.release()

    def _sought(self, name: KeyName) -> PyJWK:
        """An unknown key, waited for while another request asks for the keys: it may be among them.

        Once keys are known the wait is brief. Who makes up key ids while the provider is slow must not hold every thread.
        """
        wait_seconds = min(self._times.wait_seconds, BRIEF_WAIT_SECONDS) if self._known else self._times.wait_seconds
        if not self._asking.acquire(timeout=wait_seconds):
            raise IdentityUnavailable("the identity provider is being asked for its keys")
        try:
            return self._known.get(name) or self._asked(name)
        finally:
            self._asking.release()

    def _asked(self, name: KeyName) -> PyJWK:
        """The key after asking again. Only ever by one request at a time."""
        self._ask()
        if name in self._known:
            return self._known[name]
        if not self._answered:
            raise IdentityUnavailable("the identity provider's keys cannot be read")
        raise NotAuthenticated("the identity provider has no such key, or no longer")

    def _ask(self) -> None:
        """Read the keys, unless that was tried just now. What is known stays when they cannot be read."""
        if self._monotonic() - self._asked_at < self._times.pause_seconds:
            return
        self._asked_at = self._monotonic()
        self._answered = False
        try:
            published = self._provider.keys()
        except IdentityUnavailable as error:
            _logger.warning("signing_keys_unavailable", reason=str(error), known=len(self._known))
            return
        self._known = usable(published, self._algorithms)
        self._read_at = self._asked_at
        self._answered = True
        _logger.info("signing_keys_read", published=len(published), usable=len(self._known))


def usable(published: Iterable[Mapping[str, Any]], algorithms: Iterable[str]) -> dict[KeyName, PyJWK]:
    """The keys that may verify a signature: with an id, of a known type, strong enough, and each only for algorithms of its type."""
    found: dict[KeyName, PyJWK] = {}
    for key in published:
        kid = key.get("kid")
        if not isinstance(kid, str) or not kid or not _may_verify(key):
            continue
        for algorithm in algorithms:
            made = _made(key, algorithm)
            if made is not None:
                found.setdefault((kid, algorithm), made)
    return found


def _may_verify(key: Mapping[str, Any]) -> bool:
    operations = key.get("key_ops", ["verify"])
    return key.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _made(key: Mapping[str, Any], algorithm: str) -> PyJWK | None:
    """None where the key is not for the algorithm. Only the public members are looked at."""
    kind, curve = ALGORITHMS[algorithm]
    if key.get("kty") != kind or (curve is not None and key.get("crv") != curve) or key.get("alg", algorithm) != algorithm:
        return None
    try:
        made = PyJWK({name: key[name] for name in _PUBLIC_MEMBERS if name in key}, algorithm)
    except (PyJWTError, ValueError, TypeError, AttributeError):
        _logger.warning("signing_key_unusable", algorithm=algorithm)
        return None
    if kind == "RSA" and not MIN_RSA_BITS <= made.key.key_size <= MAX_RSA_BITS:
        _logger.warning("signing_key_unusable", algorithm=algorithm)
        return None
    return made
