"""API keys for administrators: list, create, revoke. A key is shown once, when it is made."""

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.cursors import list_fingerprint
from api.declared import requires
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.idempotency import idempotent
from api.pages import Place
from api.responses.keys import CreatedKeyResponse, KeyListResponse, KeyOut
from api.schemas import CreateKeyRequest, PageParameters
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.keys import ID_PATTERN, KeyTerms, StoredApiKey, issue, key_holder
from retrieval.domain.roles import Role, roles_named

router = APIRouter(route_class=idempotent(requires(Role.ADMIN)), tags=["administration"])
"""An administrator gives and takes keys; with that role alone none of these, and no other route, shows a document."""


@router.get("/keys", summary="API keys")
def list_keys(wanted: Annotated[PageParameters, Query()], caller: Caller, parts: Wired, request: Request) -> KeyListResponse:
    """All keys, newest first: for whom, for what, until when, and whether they still work. Never the keys themselves."""
    place = Place.asked(parts, caller, list_fingerprint("keys"), wanted)
    following = _after(parts.wiring.catalog.keys.list(), place.after)
    shown = following[: place.count]
    return KeyListResponse(
        request_id=request_id_of(request),
        keys=[KeyOut.of(key, parts.clock.now()) for key in shown],
        next_cursor=place.next(shown[-1].id) if len(following) > place.count else None,
    )


@router.post("/keys", summary="Create an API key", status_code=HTTPStatus.CREATED)
def create_key(body: CreateKeyRequest, caller: Caller, parts: Wired, request: Request) -> CreatedKeyResponse:
    """Make a key and return it. It is shown this once; only a hash of it is kept.

    Keys for applications, and for people in roles that read no document: administrators must not read by way of a key they made.
    """
    if len(body.sources or ()) > parts.settings.request_max_sources:
        raise InvalidInput.of("sources", "has too many entries", limit=f"{parts.settings.request_max_sources} sources")
    terms = KeyTerms(
        roles=roles_named(body.roles),
        sources=None if body.sources is None else frozenset(body.sources),
        label=body.label,
        days=body.expires_days,
    )
    now = parts.clock.now()
    key, stored = issue(key_holder(body.principal), terms, now=now)
    if Role.USER in stored.roles:
        raise InvalidInput.of("roles", "a key that reads as a person is made on the service's own machine, by archivist keys create")
    parts.wiring.catalog.keys.add(stored, by=caller.subject)
    return CreatedKeyResponse(request_id=request_id_of(request), key=key.written, created=KeyOut.of(stored, now))


@router.delete("/keys/{id}", summary="Revoke an API key", status_code=HTTPStatus.NO_CONTENT)
def revoke_key(id: str, caller: Caller, parts: Wired) -> None:
    """It stops working with the next request. Revoking a revoked key changes nothing; a key that is not there is a 404."""
    keys = parts.wiring.catalog.keys
    if not re.fullmatch(ID_PATTERN, id) or keys.find(id) is None:
        raise NotReadable("no such key")
    keys.revoke(id, parts.clock.now(), by=caller.subject)


def _after(keys: list[StoredApiKey], key_id: str) -> list[StoredApiKey]:
    """Those that follow the key in the list; all of them for no key. Keys are never deleted, so a place in the list stays one."""
    places = {key.id: place for place, key in enumerate(keys, 1)}
    return keys[places.get(key_id, 0) :]
