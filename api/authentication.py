"""Who is asking: a bearer API key becomes a principal. Other ways of authenticating, such as OIDC, go beside `ApiKeys`."""

from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from retrieval.domain.clock import Clock
from retrieval.domain.errors import NotAuthenticated
from retrieval.domain.keys import NO_KEY, ApiKey, accepts
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role
from retrieval.ports.keys import ApiKeyStore

MAX_HEADER_LENGTH = 1024


@dataclass(frozen=True)
class Authenticated:
    """A principal, what its credential is good for, and the credential's id, which may be logged."""

    principal: Principal
    roles: frozenset[Role]
    credential: str


class Authenticator(Protocol):
    def authenticate(self, request: Request) -> Authenticated:
        """Raises NotAuthenticated; CatalogUnavailable when that cannot be found out."""


class ApiKeys:
    """`Authenticator` by API key. Unknown, wrong, expired and revoked keys are one answer and take one path."""

    def __init__(self, store: ApiKeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def authenticate(self, request: Request) -> Authenticated:
        presented = ApiKey.parse(bearer_token(request))
        if presented is None:
            raise NotAuthenticated("no API key")
        stored = self._store.find(presented.id) or NO_KEY
        if not accepts(stored, presented, self._clock.now()):
            raise NotAuthenticated("not a live API key")
        return Authenticated(stored.principal, stored.roles, stored.id)


def bearer_token(request: Request) -> str:
    """The token of the one Authorization header. Raises NotAuthenticated when there is none, two, or another scheme."""
    headers = request.headers.getlist("authorization")
    if len(headers) != 1 or len(headers[0]) > MAX_HEADER_LENGTH:
        raise NotAuthenticated("no bearer token")
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated("no bearer token")
    return token.strip()
