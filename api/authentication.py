"""Who is asking: a bearer credential becomes a principal; an application may add the credential of the user it asks for.

Each kind of credential verifies its own form: API keys here, access tokens in `identity/tokens.py`. What holds for all of them is in
`Authentication`, so that no kind can forget it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from fastapi import Request

from retrieval.domain.clock import Clock
from retrieval.domain.errors import NotAuthenticated, NotAuthorised
from retrieval.domain.keys import NO_KEY, ApiKey, accepts
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import Role, delegated
from retrieval.ports.keys import ApiKeyStore

AUTHORIZATION = "authorization"
ON_BEHALF_OF = "x-on-behalf-of"
MAX_HEADER_LENGTH = 64 * 1024
"""Characters. Above what any kind of credential takes; each has its own limit."""


@dataclass(frozen=True)
class Authenticated:
    """A principal, what its credential is good for, and the credential's id, which may be logged."""

    principal: Principal
    roles: frozenset[Role]
    credential: str


class Authenticator(Protocol):
    def authenticate(self, request: Request) -> Authenticated:
        """Who asks.

        Raises:
            NotAuthenticated: no valid credential, or one of a principal that is not active.
            NotAuthorised: the credential must not speak for somebody else.
            Unavailable: that cannot be found out.
        """


class CredentialKind(Protocol):
    def verify(self, credential: str) -> Authenticated:
        """Raises NotAuthenticated; Unavailable when that cannot be found out."""


class ActiveSubjects(Protocol):
    """The part of the directory that authentication asks."""

    def is_active(self, subject: str) -> bool:
        """False only for a subject that the directory marks inactive. Raises CatalogUnavailable."""


class Authentication:
    """`Authenticator` by a credential in `Authorization` and, from an application, a user's in `X-On-Behalf-Of`.

    `kind_of` says which kind a credential is of by its form alone, so each has one verifier and none is tried after another.
    """

    def __init__(self, kind_of: Callable[[Request, str], CredentialKind], directory: ActiveSubjects) -> None:
        self._kind_of = kind_of
        self._directory = directory

    def authenticate(self, request: Request) -> Authenticated:
        found = self._verified(request, bearer_token(request))
        on_behalf = request.headers.getlist(ON_BEHALF_OF)
        if on_behalf:
            found = self._delegated(request, found, on_behalf)
        self._check_active(found.principal)
        return found

    def _verified(self, request: Request, credential: str) -> Authenticated:
        return self._kind_of(request, credential).verify(credential)

    def _delegated(self, request: Request, application: Authenticated, presented: list[str]) -> Authenticated:
        """The user, asking through the application. A header that is there is meant: nothing falls back to the application alone."""
        if application.principal.kind is not PrincipalKind.APP or Role.APP not in application.roles:
            raise NotAuthorised("only an application with the role app asks on behalf of a user")
        if len(presented) != 1 or len(presented[0]) > MAX_HEADER_LENGTH:
            raise NotAuthenticated("not one credential to ask on behalf of")
        user = self._verified(request, presented[0])
        if user.principal.kind is not PrincipalKind.USER or user.principal.through is not None:
            raise NotAuthenticated("the credential to ask on behalf of is not a user's own")
        principal = replace(user.principal, through=application.principal)
        roles = delegated(user.roles, application.roles)
        return Authenticated(principal, roles, f"{application.credential}+{user.credential}")

    def _check_active(self, principal: Principal) -> None:
        for each in (principal, principal.through):
            if each is not None and not self._directory.is_active(each.subject):
                raise NotAuthenticated("the principal is not active")


class ApiKeys:
    """API keys. Unknown, wrong, expired and revoked ones are one answer and take one path."""

    def __init__(self, store: ApiKeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def verify(self, credential: str) -> Authenticated:
        presented = ApiKey.parse(credential)
        if presented is None:
            raise NotAuthenticated("no API key")
        stored = self._store.find(presented.id) or NO_KEY
        if not accepts(stored, presented, self._clock.now()):
            raise NotAuthenticated("not a live API key")
        return Authenticated(stored.principal, stored.roles, stored.id)


def bearer_token(request: Request) -> str:
    """The token of the one Authorization header. Raises NotAuthenticated when there is none, two, or another scheme."""
    headers = request.headers.getlist(AUTHORIZATION)
    if len(headers) != 1 or len(headers[0]) > MAX_HEADER_LENGTH:
        raise NotAuthenticated("no bearer token")
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated("no bearer token")
    return token.strip()
