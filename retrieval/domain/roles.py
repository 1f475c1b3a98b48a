"""What a principal may do, apart from what it may read. Roles are scopes of a credential, not a hierarchy."""

from collections.abc import Iterable
from enum import StrEnum

from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import PrincipalKind


class Role(StrEnum):
    """One thing a credential is good for.

    Attributes:
        APP: call for users; alone, read what everyone may read.
        USER: ask and read as oneself.
        DATA_OWNER: see the state of one's own sources.
        REVIEWER: work on escalations.
        AUDITOR: read the audit log.
        ADMIN: keys, directory and health; reads no content.
        PUBLISHER: push documents into the sources that the credential names; reads no content.
    """

    APP = "app"
    USER = "user"
    DATA_OWNER = "data_owner"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    ADMIN = "admin"
    PUBLISHER = "publisher"


DEFAULT_ROLES = {PrincipalKind.USER: frozenset({Role.USER}), PrincipalKind.APP: frozenset({Role.APP})}
NOT_FOR = {PrincipalKind.USER: frozenset({Role.APP}), PrincipalKind.APP: frozenset({Role.USER})}
"""A person does not call for others, and an application does not ask as itself."""


def roles_named(names: Iterable[str]) -> frozenset[Role]:
    """Raises InvalidInput naming `roles` for a name that is none."""
    try:
        return frozenset(Role(name) for name in names)
    except ValueError as error:
        raise InvalidInput.of("roles", "not a role", limit="one of " + ", ".join(role.value for role in Role)) from error


def check_roles(kind: PrincipalKind, roles: frozenset[Role]) -> None:
    """Raises InvalidInput naming `roles` for a role that principals of the kind cannot have."""
    if roles & NOT_FOR[kind]:
        raise InvalidInput.of("roles", f"'{Role.APP.value}' is for applications and '{Role.USER.value}' for people")


def delegated(user: frozenset[Role], application: frozenset[Role]) -> frozenset[Role]:
    """What a user's credential is good for through an application: to ask, and beyond that only what both are good for.

    Nothing at all when the user may not ask or the application may not call for users.
    """
    if Role.USER not in user or Role.APP not in application:
        return frozenset()
    return (user & application) | {Role.USER}
