"""What SCIM's routes share: who may call them, how they fail, and what they are given."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.declared import Handler, RoleRoute
from api.dependencies import parts_of
from api.scim.errors import ScimError, not_found, scim_error
from api.scim.schemas import GROUPS, ResourceType
from retrieval.domain.directory import Entry, EntryKind, EntryQuery, VersionMoved
from retrieval.domain.errors import ArchivistError, NotAuthenticated, NotAuthorised
from retrieval.domain.permissions import LOCAL_ISSUER, Principal
from retrieval.domain.roles import Role
from retrieval.ports.directory import Directory
from retrieval.settings import Settings

_ID = re.compile(r"[0-9a-z-]{1,64}", re.ASCII)
_ETAG = re.compile(r'\s*(?:W/)?"(\d{1,18})"\s*', re.ASCII)


class ScimRoute(RoleRoute):
    """For administrators: an identity provider's key has that role and no other.

    Errors are SCIM's, but for one: who is refused at the door is told so, and recorded, as on every other route.
    """

    roles = frozenset({Role.ADMIN})

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except (NotAuthenticated, NotAuthorised):
                raise
            except ScimError as error:
                return error.response()
            except (ArchivistError, HTTPException) as error:
                return scim_error(error).response()

        return answered


class ScimCall:
    """One request: the directory, the settings, and who asks."""

    def __init__(self, request: Request) -> None:
        parts = parts_of(request)
        principal: Principal = request.state.principal
        self.request = request
        self.settings: Settings = parts.settings
        self.directory: Directory = parts.wiring.catalog.directory
        self.by = principal.subject

    @property
    def issuer(self) -> str:
        """Whose people and groups these are."""
        return self.settings.resolved_directory_issuer or LOCAL_ISSUER

    def entry(self, id_: str, kind: ResourceType) -> Entry:
        """The entry of a resource, of the version that the request wants to change if it says so.

        Raises:
            ScimError: there is none.
            VersionMoved: it is of another version.
        """
        wanted = frozenset({EntryKind.GROUP if kind is GROUPS else EntryKind.USER})
        found = self.directory.search(EntryQuery(wanted, scim_id=id_, known_to_scim=True, limit=1)).entries if _ID.fullmatch(id_) else ()
        if not found:
            raise not_found()
        expected = self._expected()
        if expected is not None and found[0].version not in expected:
            raise VersionMoved("the resource has changed since it was read")
        return found[0]

    def expected(self, entry: Entry) -> int | None:
        """The version that a change depends on; None: it takes whichever is there."""
        return None if self._expected() is None else entry.version

    def _expected(self) -> frozenset[int] | None:
        written = self.request.headers.get("if-match")
        if written is None or written.strip() == "*":
            return None
        tags = (_ETAG.fullmatch(tag) for tag in written.split(","))
        return frozenset(int(tag[1]) for tag in tags if tag is not None)


async def _call(request: Request) -> ScimCall:
    return ScimCall(request)


Call = Annotated[ScimCall, Depends(_call)]


def scim_router(path: str) -> APIRouter:
    """Not in the OpenAPI document: SCIM describes itself, under `/Schemas`."""
    return APIRouter(prefix=path, route_class=ScimRoute, include_in_schema=False)
