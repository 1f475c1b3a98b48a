"""Every route of the application, asked by everybody. What each must answer follows from the roles that the table below requires.

The table is written by hand and compared with what the routes declare: a new route, or another requirement, is a decision made twice.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from httpx2 import Response

from api.declared import OpenRoute, RoleRoute
from api.web.guarded import SessionRoute
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.roles import Role
from retrieval.settings import Settings
from tests.api.conftest import FILES, FakeEmbedder, ScanIndex, World
from tests.api.identity.provider import AUDIENCE, ISSUER, Provider, serving_provider
from tests.permissions.identities import Identity, identities
from tests.story import Story

pytestmark = pytest.mark.permissions

OPEN: frozenset[Role] = frozenset()
CONTENT = frozenset({Role.USER, Role.APP})
CURATORS, REVIEWER = frozenset({Role.REVIEWER, Role.DATA_OWNER}), frozenset({Role.REVIEWER})
DATA_OWNER, AUDITOR, ADMIN = frozenset({Role.DATA_OWNER}), frozenset({Role.AUDITOR}), frozenset({Role.ADMIN})
PUBLISHER = frozenset({Role.PUBLISHER})


@dataclass(frozen=True)
class Call:
    """A request of a route: its path's id, its body, its parameters, and the status for whoever may call it."""

    status: int = 200
    id: str = "absent"
    body: object = None
    query: str = ""


@dataclass(frozen=True)
class Requirement:
    """Which roles open a route, and what it is asked. `OPEN`: anybody."""

    roles: frozenset[Role]
    calls: tuple[Call, ...] = field(default_factory=lambda: (Call(),))


def _of(roles: frozenset[Role], *calls: Call) -> Requirement:
    return Requirement(roles, calls or (Call(),))


_QUERY = {"query": "merger abroad"}
_EMPTY = Call(400, body={})
ROUTES = {
    "GET /healthz": _of(OPEN),
    "GET /readyz": _of(OPEN),
    "GET /openapi.json": _of(OPEN),
    "GET /docs": _of(OPEN),
    "POST /retrieve": _of(CONTENT, Call(body=_QUERY), Call(422, body={"query": ""}), Call(422, body={})),
    "POST /answer": _of(CONTENT, Call(body=_QUERY), Call(422, body={})),
    "POST /answer/stream": _of(CONTENT, Call(body=_QUERY), Call(422, body={})),
    "GET /documents": _of(CONTENT),
    "GET /documents/{id}": _of(CONTENT, Call(200, "travel.txt"), Call(404, "nightingale.txt"), Call(404), Call(404, "a b")),
    "GET /documents/{id}/versions": _of(CONTENT, Call(200, "travel.txt"), Call(404, "nightingale.txt"), Call(404), Call(404, "a b")),
    "GET /documents/{id}/diff": _of(
        CONTENT,
        Call(200, "travel.txt", query="from=1&to=1"),
        Call(404, "travel.txt", query="from=1&to=9"),
        Call(404, "nightingale.txt", query="from=1&to=1"),
        Call(404, query="from=1&to=1"),
        Call(422, "travel.txt"),
    ),
    "GET /citations/{id}": _of(CONTENT, Call(404), Call(404, "cit_0123456789abcdef01234567"), Call(404, "a b")),
    "GET /citations/{id}/verify": _of(CONTENT, Call(404), Call(404, "cit_0123456789abcdef01234567"), Call(404, "a b")),
    "GET /graph/entities": _of(CONTENT, Call(200, query="name=nightingale"), Call(422)),
    "GET /graph/entities/{id}": _of(CONTENT, Call(404), Call(404, "a b")),
    "GET /graph/neighbourhood": _of(CONTENT, Call(404, query="entity=absent"), Call(422, query="entity=absent&depth=9"), Call(422)),
    "POST /feedback": _of(CONTENT, Call(404, body={"answer": "absent", "kind": "wrong"}), Call(422, body={})),
    "DELETE /feedback/{id}": _of(CONTENT, Call(404, query="kind=wrong"), Call(422)),
    "GET /escalations": _of(CONTENT),
    "GET /escalations/{id}": _of(CONTENT, Call(404), Call(404, "a b")),
    "DELETE /escalations/{id}": _of(CONTENT, Call(404)),
    "GET /reviews": _of(REVIEWER, Call(200), Call(422, query="state=lost")),
    "GET /reviews/statistics": _of(REVIEWER, Call(200), Call(422, query="days=9999")),
    "GET /reviews/{id}": _of(REVIEWER, Call(404), Call(404, "a b")),
    "GET /reviews/{id}/history": _of(REVIEWER, Call(404)),
    "POST /reviews/{id}/claim": _of(REVIEWER, Call(404, body={"expected": 1}), Call(422, body={})),
    "POST /reviews/{id}/renew": _of(REVIEWER, Call(404, body={"expected": 1}), Call(422, body={})),
    "POST /reviews/{id}/release": _of(REVIEWER, Call(404, body={"expected": 1}), Call(422, body={})),
    "POST /reviews/{id}/decide": _of(REVIEWER, Call(404, body={"expected": 1, "judgement": "approve"}), Call(422, body={"expected": 1})),
    "POST /reviews/{id}/reassign": _of(REVIEWER, Call(404, body={"expected": 1}), Call(422, body={})),
    "GET /sources": _of(DATA_OWNER),
    "PUT /sources/{id}/documents/{key:path}": _of(
        PUBLISHER, Call(404, body={"text": "Nightingale"}), Call(404, "handbook", body={"text": "a"}), Call(422, body={})
    ),
    "DELETE /sources/{id}/documents/{key:path}": _of(PUBLISHER, Call(404), Call(404, "handbook"), Call(422, query="sequence=-1")),
    "GET /sources/{id}/documents/{key:path}": _of(PUBLISHER, Call(404), Call(404, "handbook"), Call(422, query="text=1")),
    "GET /access-requests": _of(DATA_OWNER),
    "GET /gaps": _of(DATA_OWNER, Call(200), Call(422, query="month=2026-13")),
    "GET /curated": _of(CURATORS, Call(200), Call(422, query="state=lost")),
    "POST /curated/{id}/retire": _of(CURATORS, Call(404, body={}), Call(404, "cur_0123456789abcdef01234567", body={})),
    "POST /curated/{id}/renew": _of(CURATORS, Call(404, body={}), Call(422, body={"days": 0})),
    "PUT /curated/{id}/paraphrases": _of(CURATORS, Call(404, body={"paraphrases": []}), Call(422, body={})),
    "GET /audit": _of(AUDITOR),
    "GET /lineage/answers/{id}": _of(AUDITOR, Call(404), Call(404, "a b"), Call(422, query="limit=1")),
    "GET /lineage/runs/{id}": _of(AUDITOR, Call(404), Call(200, "handbook-run-1"), Call(422, query="limit=0")),
    "GET /lineage/documents/{id}": _of(AUDITOR, Call(404), Call(200, "nightingale.txt"), Call(422, query="limit=9999")),
    "POST /recalls": _of(AUDITOR | ADMIN, Call(404, body={"document": "absent", "reason": "a"}), Call(422, body={"reason": "a"})),
    "GET /recalls/{id}": _of(AUDITOR, Call(404), Call(404, "a b"), Call(422, query="limit=0")),
    "GET /usage": _of(ADMIN, Call(), Call(422, query="by=person")),
    "GET /keys": _of(ADMIN),
    "POST /keys": _of(ADMIN, Call(201, body={"principal": "app:new"}), Call(422, body={})),
    "DELETE /keys/{id}": _of(ADMIN, Call(404), Call(404, "abcdefgh12345678")),
    "GET /scim/v2/Users": _of(ADMIN),
    "POST /scim/v2/Users": _of(ADMIN, _EMPTY),
    "GET /scim/v2/Users/{id}": _of(ADMIN, Call(404)),
    "PUT /scim/v2/Users/{id}": _of(ADMIN, Call(404, body={})),
    "PATCH /scim/v2/Users/{id}": _of(ADMIN, _EMPTY),
    "DELETE /scim/v2/Users/{id}": _of(ADMIN, Call(404)),
    "GET /scim/v2/Groups": _of(ADMIN),
    "POST /scim/v2/Groups": _of(ADMIN, _EMPTY),
    "GET /scim/v2/Groups/{id}": _of(ADMIN, Call(404)),
    "PUT /scim/v2/Groups/{id}": _of(ADMIN, _EMPTY),
    "PATCH /scim/v2/Groups/{id}": _of(ADMIN, _EMPTY),
    "DELETE /scim/v2/Groups/{id}": _of(ADMIN, Call(404)),
    "GET /scim/v2/ServiceProviderConfig": _of(ADMIN),
    "GET /scim/v2/ResourceTypes": _of(ADMIN),
    "GET /scim/v2/ResourceTypes/{id}": _of(ADMIN, Call(200, "User"), Call(404)),
    "GET /scim/v2/Schemas": _of(ADMIN),
    "GET /scim/v2/Schemas/{id}": _of(ADMIN, Call(404)),
}
_FORM_FROM_NOWHERE = Call(403)
CONSOLE = {
    "GET /console/static/{name}": _of(OPEN, Call(404)),
    "GET /console/sign-in": _of(OPEN),
    "POST /console/sign-in": _of(OPEN, _FORM_FROM_NOWHERE),
    "GET /console/sign-in/provider": _of(OPEN, Call(404)),
    "GET /console/sign-in/callback": _of(OPEN, Call(404)),
    "GET /console/{path:path}": _of(OPEN, Call(404)),
}
USER, MEMBERS = frozenset({Role.USER}), frozenset({Role.USER, Role.REVIEWER, Role.DATA_OWNER})
SESSIONS = {
    "POST /console/sign-out": MEMBERS,
    "GET /console": MEMBERS,
    "GET /console/": MEMBERS,
    "GET /console/search": USER,
    "POST /console/ask": USER,
    "POST /console/search": USER,
    "GET /console/answer": USER,
    "GET /console/found": USER,
    "GET /console/documents/{id}": USER,
    "POST /console/escalate": USER,
    "POST /console/feedback": USER,
    "GET /console/questions": USER,
    "GET /console/questions/{id}": USER,
    "POST /console/questions/{id}/withdraw": USER,
    "GET /console/reviews": REVIEWER,
    "GET /console/reviews.csv": REVIEWER,
    "GET /console/reviews/{id}": REVIEWER,
    "GET /console/reviews/{id}/history.csv": REVIEWER,
    "POST /console/reviews/{id}/claim": REVIEWER,
    "POST /console/reviews/{id}/renew": REVIEWER,
    "POST /console/reviews/{id}/release": REVIEWER,
    "POST /console/reviews/{id}/reassign": REVIEWER,
    "POST /console/reviews/{id}/rows": REVIEWER,
    "POST /console/reviews/{id}/approve": REVIEWER,
    "POST /console/reviews/{id}/answer": REVIEWER,
    "POST /console/reviews/{id}/reject": REVIEWER,
    "GET /console/statistics": REVIEWER,
    "GET /console/sources": DATA_OWNER,
    "GET /console/sources/{id}": DATA_OWNER,
}
"""Routes of the console that are opened by a session, and by no credential that a request brings itself."""
TITLES_AND_TEXTS = [*FILES, *(sentence for text, _ in FILES.values() for sentence in text.split(". "))]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with serving_provider() as serving:
        yield serving


@pytest.fixture(scope="module")
def world(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    settings = Settings(
        data_directory=tmp_path_factory.mktemp("matrix"),
        oidc_issuer=ISSUER,
        oidc_audience=AUDIENCE,
        oidc_jwks_url=provider.jwks_url,
        oidc_groups_claim="groups",
        rate_limit_requests=0,
        rate_limit_application_requests=0,
        rate_limit_failed_authentications=0,
    )
    catalog = open_catalog(settings)
    story = Story(catalog)
    story.sync(FILES)
    yield World(settings, catalog, story, ScanIndex(story, FakeEmbedder()))
    catalog.close()


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def everybody(world: World, provider: Provider) -> list[Identity]:
    return list(identities(world, provider))


def test_every_route_is_in_the_table_and_requires_what_it_says(world: World):
    by_session, by_header = declared(world, SessionRoute), declared(world, RoleRoute) | declared(world, OpenRoute)

    assert by_header == {route: requirement.roles for route, requirement in (ROUTES | CONSOLE).items()}
    assert by_session == SESSIONS


@pytest.mark.parametrize("route", SESSIONS)
def test_no_credential_of_a_request_opens_what_a_session_opens(route: str, api: TestClient, world: World, everybody: list[Identity]):
    api.cookies.clear()
    for identity in everybody:
        response = ask(api, world, route, Call(id="travel.txt"), identity, follow_redirects=False)

        assert response.status_code == (303 if route.startswith("GET") else 401), f"{identity.name}: {route}"
        assert not [words for words in TITLES_AND_TEXTS if words in response.text], f"{identity.name}: {route}"


@pytest.mark.parametrize("route", CONSOLE)
def test_everybody_is_answered_alike_where_nobody_need_sign_in(route: str, api: TestClient, world: World, everybody: list[Identity]):
    for identity in everybody:
        assert ask(api, world, route, CONSOLE[route].calls[0], identity).status_code == CONSOLE[route].calls[0].status


def test_no_role_but_user_and_application_opens_content():
    content = [requirement.roles for requirement in ROUTES.values() if requirement.roles & CONTENT]

    assert set(content) == {CONTENT}


@pytest.mark.parametrize("route", ROUTES)
def test_everybody_is_answered_as_the_route_requires(route: str, api: TestClient, world: World, everybody: list[Identity]):
    requirement = ROUTES[route]
    refusals: dict[int, set[bytes]] = {401: set(), 403: set()}
    for identity in everybody:
        for call in requirement.calls:
            response = ask(api, world, route, call, identity)
            wanted = expected(requirement, call, identity)

            assert response.status_code == wanted, f"{identity.name}: {route} {call}"
            if wanted in refusals:
                refusals[wanted].add(without_id(response.content, response.json()["request_id"]))
                assert response.headers["content-type"] == "application/problem+json"
            if wanted >= 400:
                assert not [words for words in TITLES_AND_TEXTS if words in response.text], f"{identity.name}: {route} {call}"
            assert "Nightingale" not in response.text

    if requirement.roles:
        assert refusals == {status: {fixed_body(status)} for status in (401, 403)}


def test_an_absent_document_a_hidden_one_and_an_unknown_path_are_one_404(api: TestClient, world: World, everybody: list[Identity]):
    readers = [identity for identity in everybody if identity.refusal is None and identity.roles & CONTENT]
    calls = (Call(404, "nightingale.txt"), Call(404), Call(404, "a b"))
    answers = [ask(api, world, "GET /documents/{id}", call, reader) for reader in readers for call in calls]
    answers.append(api.get("/nowhere"))

    bodies = {without_id(answer.content, answer.json()["request_id"]) for answer in answers}
    headers = {tuple(sorted((name, value) for name, value in answer.headers.items() if name != "x-request-id")) for answer in answers}

    assert len(readers) >= 10
    assert len(bodies) == 1
    assert len(headers) == 1


def test_a_faulty_token_leads_to_the_provider_for_nothing_but_its_keys(provider: Provider, everybody: list[Identity], api: TestClient):
    for identity in everybody:
        api.get("/keys", headers=identity.headers)  # type: ignore[arg-type]

    assert set(provider.asked) == {"/keys"}


def expected(requirement: Requirement, call: Call, identity: Identity) -> int:
    if not requirement.roles:
        return call.status
    if identity.refusal is not None:
        return identity.refusal
    return call.status if identity.roles & requirement.roles else 403


def declared(world: World, kind: type[APIRoute]) -> dict[str, frozenset[Role]]:
    return {
        f"{method} {context.path}": getattr(context.original_route, "roles", OPEN)
        for context in iter_route_contexts(world.app().routes)
        if isinstance(context.original_route, kind)
        for method in context.original_route.methods
    }


def ask(api: TestClient, world: World, route: str, call: Call, identity: Identity, **options: bool) -> Response:
    method, path = route.split(" ")
    id_ = world.document(call.id) if call.id in FILES else call.id
    address = path.replace("{id}", id_).replace("{key:path}", "offers/4711.txt")
    return api.request(method, address, params=call.query, json=call.body, headers=identity.headers, **options)  # type: ignore[arg-type]


def fixed_body(status: int) -> bytes:
    kind, title, detail = {
        401: ("not-authenticated", "Unauthorized", "Send a valid API key or access token as 'Authorization: Bearer …'."),
        403: ("not-authorised", "Forbidden", "This credential is not good for this request."),
    }[status]
    body = {"type": f"urn:archivist:problem:{kind}", "title": title, "status": status, "detail": detail, "errors": [], "request_id": ""}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def without_id(content: bytes, request_id: str) -> bytes:
    return content.replace(request_id.encode(), b"")
