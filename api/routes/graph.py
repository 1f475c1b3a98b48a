"""GET /graph/...: entities, the passages that mention them, and what surrounds them, as far as the caller may read."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.cursors import list_fingerprint
from api.declared import CONTENT
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.pages import Place
from api.responses.graph import EntityListResponse, EntityResponse, NeighbourhoodResponse
from api.schemas import EntityListParameters, NeighbourhoodParameters, PageParameters
from retrieval.domain.errors import NotReadable
from retrieval.domain.graph import entity_key

router = APIRouter(route_class=CONTENT, tags=["knowledge graph"])

_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,100}")


@router.get("/graph/entities", summary="Entities by name")
def entities(wanted: Annotated[EntityListParameters, Query()], caller: Caller, parts: Wired, request: Request) -> EntityListResponse:
    """Entities of which a passage that you may read writes a name that begins so, in the order of their names."""
    request_id = request_id_of(request)
    place = Place.asked(parts, caller, list_fingerprint("entities", begins=entity_key(wanted.name)), wanted)
    page = parts.wiring.graph.named(caller, wanted.name, after=place.after, count=place.count, request_id=request_id)
    return EntityListResponse.of(
        page,
        request_id=request_id,
        next_cursor=None if page.last is None else place.next(page.last),
        consistency_token=parts.tokens.seal(page.revision),
    )


@router.get("/graph/entities/{id}", summary="An entity and the passages that mention it")
def entity(id: str, wanted: Annotated[PageParameters, Query()], caller: Caller, parts: Wired, request: Request) -> EntityResponse:
    """Its names, kinds and definitions, how often it is mentioned, and a page of the passages that do, each cited.

    All of it from passages that you may read. An entity that none of those mentions, one that is not there and an id that cannot be
    one are the same 404.
    """
    if not _WELL_FORMED.fullmatch(id):
        raise NotReadable("not an id")
    request_id = request_id_of(request)
    place = Place.asked(parts, caller, list_fingerprint("entity", id=id), wanted)
    page = parts.wiring.graph.entity(caller, id, after=place.after, count=place.count, request_id=request_id)
    return EntityResponse.of(
        page,
        request_id=request_id,
        next_cursor=None if page.last is None else place.next(page.last),
        consistency_token=parts.tokens.seal(page.revision),
    )


@router.get("/graph/neighbourhood", summary="What surrounds an entity")
def neighbourhood(
    wanted: Annotated[NeighbourhoodParameters, Query()], caller: Caller, parts: Wired, request: Request
) -> NeighbourhoodResponse:
    """Entities that passages which you may read mention together with it, or with what was found so far, up to `depth` relations away.

    Counts, weights and order are those of a graph without anything that you may not read. 404 as for the entity itself.
    """
    request_id = request_id_of(request)
    found = parts.wiring.graph.neighbourhood(caller, wanted.entity, depth=wanted.depth, entities=wanted.limit, request_id=request_id)
    return NeighbourhoodResponse.of(found, request_id=request_id, consistency_token=parts.tokens.seal(found.revision))
