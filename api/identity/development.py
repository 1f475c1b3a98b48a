"""Credentials for trying things out on one's own machine: `dev:ann` or `dev:ann:finance,board`. Whoever can reach the port is anybody.

Only `archivist serve --dev` accepts them, only on a loopback address, and only for a request that names the machine as its host: a web
page elsewhere that rebinds its name to 127.0.0.1 names itself.
"""

from fastapi import Request

from api.authentication import Authenticated
from api.loopback import is_loopback
from retrieval.domain.errors import InvalidInput, NotAuthenticated
from retrieval.domain.keys import group_subjects
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import DEFAULT_ROLES

PREFIX = "dev:"


def is_for_this_machine(request: Request) -> bool:
    return is_loopback(request.url.hostname or "")


class DevelopmentCredentials:
    """Believes what it is told. A credential kind of `Authentication`."""

    def verify(self, credential: str) -> Authenticated:
        name, _, groups = credential.removeprefix(PREFIX).partition(":")
        try:
            principal = Principal(name, groups=group_subjects(group for group in groups.split(",") if group))
        except InvalidInput as error:
            raise NotAuthenticated("not a development credential") from error
        return Authenticated(principal, DEFAULT_ROLES[PrincipalKind.USER], f"{PREFIX}{name}")
