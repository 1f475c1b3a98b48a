"""Who stands behind a request to the Dagster UI: what the authenticating proxy says, and why nothing else is believed."""

import hashlib
import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from retrieval.domain.errors import InvalidInput, NotAuthenticated, NotAuthorised
from retrieval.domain.permissions import LOCAL_ISSUER, Principal, PrincipalKind, subject_of
from retrieval.settings import Settings

MIN_SECRET_CHARACTERS = 32
MAX_GROUPS = 500
MAX_HEADER_CHARACTERS = 16_384
FOR_ADMINS = frozenset(
    {
        "import_directory",
        "register_embedding_model",
        "model_backfill",
        "promote_embedding_model",
        "reverse_embedding_model",
        "retire_embedding_model",
    }
)
"""Jobs that change what every source's readers get. Those on one source look at who owns it (`pipelines/who.py`)."""
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Headers that a proxy adds: where one stands in between, a loopback connection is not this machine's own."""


class Headers(Protocol):
    """Of one request, as Starlette has them. Names are compared without case."""

    def get(self, key: str, /) -> str | None: ...

    def getlist(self, key: str, /) -> list[str]: ...


@dataclass(frozen=True)
class Caller:
    """A person in front of the Dagster UI. `principal` is None where nobody is authenticated."""

    principal: Principal | None
    is_owner: bool
    is_admin: bool


UNAUTHENTICATED = Caller(None, is_owner=True, is_admin=True)
"""Whoever sits at the machine, where no proxy stands in front: everything is theirs already."""


def caller_of(headers: Headers, client: str | None, settings: Settings) -> Caller:
    """Who asks.

    Args:
        headers: of the request.
        client: address of the other end of the connection.
        settings: whose names of headers and groups count.

    Raises:
        NotAuthenticated: nobody whom the settings let in. The message says which rule was broken and repeats no value.
    """
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise NotAuthenticated("the request was made by another site's page")
    if settings.dagster_people == "nobody":
        return _at_the_machine(headers, client)
    _check_proxy(headers, settings)
    person = _single(headers, settings.dagster_person_header)
    if person is None or not person.strip():
        raise NotAuthenticated("the proxy names nobody")
    groups = _groups(_single(headers, settings.dagster_groups_header) or "")
    issuer = settings.resolved_directory_issuer or LOCAL_ISSUER
    try:
        subjects = frozenset(subject_of("group", group, issuer=issuer) for group in groups)
        principal = Principal(person.strip(), PrincipalKind.USER, issuer, subjects)
    except InvalidInput as error:
        raise NotAuthenticated(f"{settings.dagster_person_header} names nobody: it is no id") from error
    is_admin = settings.dagster_admin_group in groups
    return Caller(principal, is_owner=is_admin or settings.dagster_owner_group in groups, is_admin=is_admin)


def check_may_launch(caller: Caller, job: str, settings: Settings) -> None:
    """Raises NotAuthorised for somebody who is neither a data owner nor an administrator, or not the latter where the job is about all."""
    if not caller.is_owner:
        raise NotAuthorised(f"runs are launched by members of {settings.dagster_owner_group}")
    if job in FOR_ADMINS and not caller.is_admin:
        raise NotAuthorised(f"this job is launched by members of {settings.dagster_admin_group}")


def _at_the_machine(headers: Headers, client: str | None) -> Caller:
    if any(headers.get(name) is not None for name in FORWARDED) or not _is_loopback(client):
        raise NotAuthenticated("nobody is authenticated and the request comes from elsewhere: set ARCHIVIST_DAGSTER_PEOPLE=proxy")
    return UNAUTHENTICATED


def _is_loopback(client: str | None) -> bool:
    try:
        return client is not None and ip_address(client).is_loopback
    except ValueError:
        return False


def _check_proxy(headers: Headers, settings: Settings) -> None:
    """The request came through the proxy, which alone knows the secret."""
    wanted = settings.dagster_proxy_secret
    if len(wanted) < MIN_SECRET_CHARACTERS:
        raise NotAuthenticated(f"ARCHIVIST_DAGSTER_PROXY_SECRET has fewer than {MIN_SECRET_CHARACTERS} characters: nobody is let in")
    given = _single(headers, settings.dagster_proxy_secret_header) or ""
    if not hmac.compare_digest(hashlib.sha256(given.encode()).digest(), hashlib.sha256(wanted.encode()).digest()):
        raise NotAuthenticated("the request did not come through the authenticating proxy")


def _single(headers: Headers, name: str) -> str | None:
    """The header's value; a proxy that sets it leaves exactly one.

    Raises:
        NotAuthenticated: there are two, one of which the proxy did not write, or it is too long.
    """
    values = headers.getlist(name)
    if len(values) > 1:
        raise NotAuthenticated(f"{name} came more than once: the proxy must replace it, not add to it")
    if values and len(values[0]) > MAX_HEADER_CHARACTERS:
        raise NotAuthenticated(f"{name} is too long")
    return values[0] if values else None


def _groups(value: str) -> frozenset[str]:
    groups = frozenset(group.strip() for group in value.split(",") if group.strip())
    if len(groups) > MAX_GROUPS or any(any(character.isspace() for character in group) for group in groups):
        raise NotAuthenticated(f"the groups are no list of at most {MAX_GROUPS} names joined by commas")
    return groups
