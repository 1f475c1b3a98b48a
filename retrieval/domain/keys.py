"""API keys: made once, shown once, kept only as a hash.

A key is written `ak_<id>_<secret>`. The id finds the row; the secret, 43 characters of 62, holds 256 random bits, so a fast
hash is enough: there is nothing to guess. The hash is keyed by the id, so that a row's hash proves nothing in another row.
"""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import Principal, PrincipalKind, check_subject
from retrieval.domain.roles import DEFAULT_ROLES, Role, check_roles
from retrieval.domain.sources import SOURCE_ID

MAX_LABEL_LENGTH = 200
MAX_DAYS = 3650
ID_CHARACTERS = 16
SECRET_CHARACTERS = 43
_HASH_BYTES = 32
_PERSON = b"archivist apikey"
_ID_ALPHABET = string.ascii_lowercase + string.digits
_SECRET_ALPHABET = string.ascii_letters + string.digits
ID_PATTERN = rf"[a-z0-9]{{{ID_CHARACTERS}}}"
_WRITTEN = re.compile(rf"ak_({ID_PATTERN})_([A-Za-z0-9]{{{SECRET_CHARACTERS}}})", re.ASCII)


@dataclass(frozen=True)
class ApiKey:
    """A key in clear: what its holder sends. Neither printing nor logging it shows the secret."""

    id: str
    secret: str = field(repr=False)

    @classmethod
    def generate(cls) -> "ApiKey":
        return cls(_random(_ID_ALPHABET, ID_CHARACTERS), _random(_SECRET_ALPHABET, SECRET_CHARACTERS))

    @classmethod
    def parse(cls, written: str) -> "ApiKey | None":
        """None for anything that is not written like a key."""
        match = _WRITTEN.fullmatch(written)
        return None if match is None else cls(match[1], match[2])

    @property
    def written(self) -> str:
        return f"ak_{self.id}_{self.secret}"

    @property
    def secret_hash(self) -> bytes:
        """BLAKE2b-256 of the secret, keyed by the id: 32 bytes."""
        return hashlib.blake2b(self.secret.encode(), digest_size=_HASH_BYTES, key=self.id.encode(), person=_PERSON).digest()


class KeyState(StrEnum):
    """Whether a key is accepted, and why not."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class StoredApiKey:
    """What is kept of a key. Times are in UTC.

    Attributes:
        secret_hash: `ApiKey.secret_hash`, 32 bytes.
        principal: for whom it speaks; `principal.sources` are the only sources it is good for.
        roles: what it is good for.
        expires_at: the first moment at which the key is not accepted; None: it does not expire.
        revoked_at: None while the key has not been revoked.
    """

    id: str
    secret_hash: bytes = field(repr=False)
    principal: Principal
    label: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    roles: frozenset[Role] = frozenset()

    def __post_init__(self) -> None:
        if not self.roles:
            object.__setattr__(self, "roles", DEFAULT_ROLES[self.principal.kind])
        check_roles(self.principal.kind, self.roles)
        if len(self.label) > MAX_LABEL_LENGTH:
            raise InvalidInput.of("label", "is too long", limit=f"{MAX_LABEL_LENGTH} characters")

    def is_live(self, now: datetime) -> bool:
        return self.state(now) is KeyState.LIVE

    def state(self, now: datetime) -> KeyState:
        if self.revoked_at is not None:
            return KeyState.REVOKED
        return KeyState.LIVE if self.expires_at is None or now < self.expires_at else KeyState.EXPIRED


@dataclass(frozen=True)
class KeyTerms:
    """What a new key is to be good for.

    Attributes:
        roles: none: those that its principal has by default.
        sources: None: every one that its principal may read.
        days: until it expires; None: it does not.

    Raises:
        InvalidInput: names `source`, also where a key that publishes names none.
    """

    roles: frozenset[Role] = frozenset()
    sources: frozenset[str] | None = None
    label: str = ""
    days: int | None = None

    def __post_init__(self) -> None:
        for source in self.sources or ():
            if not SOURCE_ID.fullmatch(source):
                raise InvalidInput.of("source", "is not the id of a source")
        if Role.PUBLISHER in self.roles and not self.sources:
            raise InvalidInput.of("sources", f"a key with the role '{Role.PUBLISHER}' names the sources that it fills")


def issue(principal: Principal, terms: KeyTerms, *, now: datetime) -> tuple[ApiKey, StoredApiKey]:
    """A new key: what its holder is given, and what is kept. Raises InvalidInput naming `roles`, or `label`."""
    key = ApiKey.generate()
    expires_at = None if terms.days is None else now + timedelta(days=terms.days)
    limited = replace(principal, sources=terms.sources)
    return key, StoredApiKey(key.id, key.secret_hash, limited, terms.label, now, expires_at, roles=terms.roles)


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

NO_KEY = StoredApiKey("", bytes(_HASH_BYTES), Principal("nobody"), "", _LONG_AGO, expires_at=_LONG_AGO)
"""Stands in for an unknown id, so that it costs what a wrong secret costs. No secret has this hash, and it has expired."""


def accepts(stored: StoredApiKey, presented: ApiKey, now: datetime) -> bool:
    """Whether the presented key is this row's and still live. Compares in constant time, the secret before anything else."""
    is_its_secret = hmac.compare_digest(stored.secret_hash, presented.secret_hash)
    return is_its_secret and stored.id == presented.id and stored.is_live(now)


def member(name: str, *, kind: PrincipalKind) -> Principal:
    """A local principal from `alice` or `user:alice`. Raises InvalidInput naming `principal`."""
    return Principal(name.removeprefix(f"{kind.value}:"), kind)


def key_holder(subject: str) -> Principal:
    """A local principal from `user:alice` or `app:intranet`. Raises InvalidInput naming `principal`."""
    kind, separator, name = subject.partition(":")
    if not separator or kind not in set(PrincipalKind):
        raise InvalidInput.of("principal", "a key speaks for 'user:<id>' or 'app:<id>'")
    return Principal(name, PrincipalKind(kind))


def group_subjects(names: Iterable[str]) -> frozenset[str]:
    """`engineering` and `group:engineering` are both the subject `group:engineering`. Raises InvalidInput naming `group`."""
    return frozenset(check_subject("group:" + name.removeprefix("group:"), field="group") for name in names)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
