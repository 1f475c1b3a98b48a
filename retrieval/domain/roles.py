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
    """

    APP = "app"
    USER = "user"
    DATA_OWNER = "data_owner"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    ADMIN = "admin"


DEFAULT_ROLES = {PrincipalKind.USER: frozenset({Role.USER}), PrincipalKind.APP: frozenset({Role.APP})}


def roles_named(names: Iterable[str]) -> frozenset[Role]:
    """Raises InvalidInput naming `role` for a name that is none."""
    try:
        return frozenset(Role(name) for name in names)
    except ValueError as error:
        raise InvalidInput.of("role", "not a role", limit="one of " + ", ".join(role.value for role in Role)) from error
