"""What a verified token says of its principal: who it is, in which groups, through which application, and with which roles.

A group that is left out could be one that is denied, so a token that says it does not list them all is refused, not trimmed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retrieval.domain.errors import InvalidInput, NotAuthenticated
from retrieval.domain.permissions import Principal, PrincipalKind, check_subject, subject_of
from retrieval.domain.roles import DEFAULT_ROLES, NOT_FOR, Role, delegated

MAX_GROUPS = 200
MAX_ID_CHARACTERS = 255
"""OpenID Connect's own limit on `sub`."""


@dataclass(frozen=True)
class ClaimNames:
    """Where the provider writes what Archivist reads. Empty: it is not read from tokens."""

    subject: str = "sub"
    groups: str = ""
    roles: str = "roles"


def principal_of(claims: Mapping[str, Any], names: ClaimNames, *, issuer: str) -> Principal:
    """Raises NotAuthenticated for claims that are not fit to make a principal of."""
    kind = _kind(claims)
    try:
        return Principal(
            _id(claims.get(names.subject)), kind, issuer, groups=_groups(claims, names.groups, issuer), through=_through(claims, issuer)
        )
    except InvalidInput as error:
        raise NotAuthenticated("the token's subject cannot be a principal") from error


def roles_of(claims: Mapping[str, Any], names: ClaimNames, principal: Principal) -> frozenset[Role]:
    """The roles among those that the token names; none: those that such a principal has by default."""
    named = claims.get(names.roles, []) if names.roles else []
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise NotAuthenticated("the token's roles are not a list of names")
    held = {role for role in Role if role.value in named} - NOT_FOR[principal.kind]
    roles = frozenset(held) or DEFAULT_ROLES[principal.kind]
    return roles if principal.through is None else delegated(roles, DEFAULT_ROLES[PrincipalKind.APP])


def _kind(claims: Mapping[str, Any]) -> PrincipalKind:
    """An application's own token: it names itself as its subject (RFC 9068, section 5), or the provider calls it one (Entra ID)."""
    is_own = claims.get("client_id") is not None and claims["client_id"] == claims.get("sub")
    return PrincipalKind.APP if is_own or claims.get("idtyp") == "app" else PrincipalKind.USER


def _id(claimed: object) -> str:
    if not isinstance(claimed, str) or not 0 < len(claimed) <= MAX_ID_CHARACTERS or not claimed.isprintable():
        raise NotAuthenticated("the token names no subject")
    return claimed


def _groups(claims: Mapping[str, Any], name: str, issuer: str) -> frozenset[str]:
    if not name:
        return frozenset()
    elsewhere = claims.get("_claim_names", {})
    if not isinstance(elsewhere, dict) or name in elsewhere or "groups" in elsewhere or "hasgroups" in claims:
        raise NotAuthenticated("the token does not list all groups of its subject")
    listed = claims.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(group, str) for group in listed):
        raise NotAuthenticated("the token's groups are not a list of names")
    if len(listed) > MAX_GROUPS:
        raise NotAuthenticated("the token lists more groups than are taken from one")
    return frozenset(subject_of("group", group, issuer=issuer) for group in listed if _can_be_granted(group, issuer))


def _can_be_granted(group: str, issuer: str) -> bool:
    """False for a name with a space or the like: no grant can name it, neither to allow nor to deny."""
    try:
        check_subject(subject_of("group", group, issuer=issuer))
    except InvalidInput:
        return False
    return bool(group)


def _through(claims: Mapping[str, Any], issuer: str) -> Principal | None:
    """The application that acts for the subject (RFC 8693, section 4.1). Earlier actors in a chain decide nothing, as it says."""
    if "act" not in claims:
        return None
    actor = claims["act"]
    if not isinstance(actor, dict) or actor.get("iss", issuer) != issuer:
        raise NotAuthenticated("the token's actor is not an application of its issuer")
    return Principal(_id(actor.get("sub")), PrincipalKind.APP, issuer)
