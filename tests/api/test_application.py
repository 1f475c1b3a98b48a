"""What holds for every route: its requirement, its headers, its limits, its errors, its log."""

import json
from collections.abc import Iterator

import anyio
import pytest
import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from starlette.types import Message

from api.consistency import TOKEN_CHARACTERS, ConsistencyTokens
from api.declared import GuardedRoute, OpenRoute, check_declared, requires
from api.web.guarded import SessionRoute
from retrieval.domain.errors import ArchivistError, InvalidInput
from retrieval.domain.roles import Role
from tests.api.conftest import World

OPEN = {"/healthz", "/readyz", "/openapi.json", "/docs"}
OPEN_PAGES = {
    "/console/static/{name}",
    "/console/sign-in",
    "/console/sign-in/provider",
    "/console/sign-in/callback",
    "/console/{path:path}",
}


def requirements(app: FastAPI) -> dict[str, type]:
    return {str(context.path): type(context.original_route) for context in iter_route_contexts(app.routes)}


def test_every_route_declares_who_may_call_it(world: World):
    declared = requirements(world.app())

    assert all(issubclass(kind, OpenRoute | GuardedRoute) for kind in declared.values())
    assert {path for path, kind in declared.items() if issubclass(kind, OpenRoute)} == OPEN | OPEN_PAGES


def test_the_application_does_not_start_with_a_route_that_declares_nothing(world: World):
    app = world.app()
    app.add_api_route("/secret", lambda: None)

    with pytest.raises(TypeError, match="/secret does not declare"):
        check_declared(app)


def test_a_requirement_names_a_role():
    assert requires(Role.ADMIN) is requires(Role.ADMIN)
    assert requires(Role.ADMIN).roles == {Role.ADMIN}
    with pytest.raises(ValueError, match="name one"):
        requires()


@pytest.mark.permissions
def test_every_route_that_is_not_open_refuses_an_anonymous_caller(world: World):
    app = world.app()
    client = TestClient(app)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        assert isinstance(route, APIRoute)
        for method in route.methods:
            status = client.request(method, str(context.path).replace("{id}", "doc_x"), follow_redirects=False).status_code
            to_sign_in = method == "GET" and isinstance(route, SessionRoute)

            assert (status == (303 if to_sign_in else 401)) == (context.path not in OPEN | OPEN_PAGES), f"{method} {context.path}"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/healthz", 200, id="success"),
        pytest.param("POST", "/retrieve", 401, id="anonymous"),
        pytest.param("GET", "/nowhere", 404, id="unknown path"),
        pytest.param("GET", "/healthz/", 404, id="a slash more"),
        pytest.param("DELETE", "/retrieve", 405, id="wrong method"),
    ],
)
def test_every_response_forbids_caching_and_carries_its_own_id(api: TestClient, method: str, path: str, status: int):
    response = api.request(method, path, headers={"X-Request-Id": "mine"})

    assert response.status_code == status
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert len(response.headers["x-request-id"]) == 16
    if status >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["request_id"] == response.headers["x-request-id"]
        assert response.json()["status"] == status


def test_a_wrong_method_names_the_right_one(api: TestClient):
    assert api.get("/retrieve").headers["allow"] == "POST"


def test_a_body_that_is_not_json_is_a_400(api: TestClient, ann: dict[str, str]):
    headers = {**ann, "Content-Type": "application/json"}
    bodies = [b"{", b"\xff\xfe\x00", b'{"query": NaN', b"[" * 1500, b"", b'{"query": "a", "top_k": ' + b"9" * 1500 + b"}"]

    responses = [api.post("/retrieve", content=body, headers=headers) for body in bodies]

    assert [response.status_code for response in responses] == [400, 400, 400, 400, 422, 422]
    assert all(response.json()["errors"] for response in responses)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_a_body_that_is_not_declared_as_json_is_a_415(api: TestClient, ann: dict[str, str], content_type: str):
    response = api.post("/retrieve", content=b'{"query": "a"}', headers={**ann, "Content-Type": content_type})

    assert response.status_code == 415
    assert response.json()["errors"] == [{"field": "Content-Type", "problem": "is not supported", "limit": "application/json"}]


def test_a_body_declared_too_large_is_refused_before_it_is_read(world: World):
    sent: list[Message] = []

    async def unread() -> Message:
        assert len(sent) == 2, "the body was read before it was refused"
        return {"type": "http.request", "body": b"a" * 2049}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", b"2049")]
    scope = {"type": "http", "method": "POST", "path": "/retrieve", "raw_path": b"/retrieve", "query_string": b"", "headers": headers}

    anyio.run(world.app(), scope, unread, send)

    assert sent[0]["status"] == 413
    assert (b"cache-control", b"no-store") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["errors"] == [{"field": "body", "problem": "is too large", "limit": "2048 bytes"}]


def test_a_body_that_grows_past_the_limit_is_refused(api: TestClient, ann: dict[str, str]):
    def body() -> Iterator[bytes]:
        yield b'{"query": "'
        for _ in range(40):
            yield b"a" * 100

    response = api.post("/retrieve", content=body(), headers={**ann, "Content-Type": "application/json"})

    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"][0]["limit"] == "2048 bytes"


@pytest.mark.parametrize(
    "failure", [pytest.param(ArchivistError("canary"), id="of the domain"), pytest.param(ZeroDivisionError("canary"), id="a defect")]
)
def test_an_unforeseen_error_is_a_500_that_tells_nothing(api: TestClient, world: World, ann: dict[str, str], failure: ArchivistError):
    world.index.failure = failure

    response = api.post("/retrieve", json={"query": "a"}, headers=ann)

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-request-id"] == response.json()["request_id"]
    assert "canary" not in response.text


def test_the_log_has_a_line_for_each_request_and_no_word_of_the_query(api: TestClient, world: World, ann: dict[str, str]):
    hidden = world.document("nightingale.txt")

    with structlog.testing.capture_logs() as lines:
        request_id = api.post("/retrieve", json={"query": "zanzibar"}, headers=ann).headers["x-request-id"]
        api.get(f"/documents/{hidden}?start=1", headers=ann)
        api.get("/nowhere/zanzibar")

    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("POST", "/retrieve", 200),
        ("GET", "/documents/{id}", 422),
        ("GET", "unknown", 404),
    ]
    assert lines[0]["request_id"] == request_id
    assert lines[0]["credential"] in ann["Authorization"]
    logged = json.dumps(lines)
    assert not any(secret in logged for secret in ("zanzibar", hidden, ann["Authorization"].rpartition("_")[2]))


def test_healthz_needs_nothing(api: TestClient):
    assert api.get("/healthz").json() == {"status": "ok"}


def test_readyz_names_the_part_that_is_not_ready(api: TestClient, world: World):
    ready = api.get("/readyz")
    world.parts = [("catalog", True, "readable"), ("index", False, "being built")]

    not_ready = api.get("/readyz")

    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert (not_ready.status_code, not_ready.json()["ready"]) == (503, False)
    assert not_ready.json()["parts"][1] == {"name": "index", "ready": False, "detail": "being built"}


def test_a_token_opens_only_under_its_own_key():
    ours, theirs = ConsistencyTokens(bytes(32)), ConsistencyTokens(bytes([1]) * 32)
    token = ours.seal(2**40 + 7)

    assert ours.open(token) == 2**40 + 7
    assert ours.open(None) == 0
    with pytest.raises(InvalidInput, match="at_least"):
        theirs.open(token)


def test_tokens_of_one_revision_differ_and_are_equally_long():
    tokens = ConsistencyTokens(bytes(32))

    sealed = {tokens.seal(revision) for revision in (0, 0, 1, 2**63)}

    assert len(sealed) == 4
    assert {len(token) for token in sealed} == {TOKEN_CHARACTERS}


def test_a_token_with_one_character_changed_does_not_open():
    tokens = ConsistencyTokens(bytes(32))
    token = tokens.seal(12)

    for place in range(TOKEN_CHARACTERS):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(InvalidInput):
            tokens.open(changed)
