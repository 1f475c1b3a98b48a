"""The API against its own description, by Schemathesis: what it is sent, what it answers, and who is shown whose documents."""

import json
import os
import re
from pathlib import Path

import pytest
import schemathesis
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.declared import RoleRoute
from api.idempotency import READS, IdempotentRoute
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.story import allow

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"),
    *("response_headers_conformance", "negative_data_rejection", "unsupported_method"),
    *("allow_header_conformance", "ignored_auth", "use_after_free", "object_level_authorization"),
)
REFUSALS = ["400", "401", "403", "404", "405", "413", "414", "415", "422", "431"]
READING_WRITES = {"/retrieve", "/answer", "/answer/stream"}
"""POST because a query is long, not because it changes anything."""


def key(world: World, name: str, *roles: Role) -> str:
    made = ApiKey.generate()
    stored = StoredApiKey(made.id, made.secret_hash, Principal(name), "", world.clock.at, roles=frozenset(roles))
    world.catalog.keys.add(stored)
    return made.written


def same_request_id(app: ASGIApp) -> ASGIApp:
    """The application with one request id in all bodies. Schemathesis takes two bodies for one document only if nothing differs."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_alike(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": re.sub(rb'"request_id":"[0-9a-f]{16}"', b'"request_id":"0000000000000000"', message["body"])}
            await send(message)

        await app(scope, receive, send_alike)

    return wrapped


@pytest.fixture
def people(world: World, tmp_path: Path) -> Path:
    """One principal for each role, in the form that Schemathesis reads."""
    world.story.sync({f"{who}-{n}.txt": (f"{who}'s own {n}.", allow(f"user:{who}")) for who in ("ann", "bob") for n in range(8)})
    roles = {"ann": Role.USER, "bob": Role.USER, "dana": Role.DATA_OWNER, "ada": Role.ADMIN, "olga": Role.AUDITOR}
    headers = {name: [{"name": "Authorization", "value": f"Bearer {key(world, name, role)}"}] for name, role in roles.items()}
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"auth": [{"name": name, "fixedHeaders": each} for name, each in headers.items()]}))
    return path


@pytest.mark.slow
@pytest.mark.permissions
def test_the_api_keeps_to_its_description_whatever_it_is_sent(world: World, people: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(people.parent)  # Schemathesis remembers things in a folder of the working directory
    unlimited = {f"rate_limit_{name}": 0 for name in ("requests", "failed_authentications", "concurrent")}
    world.settings = world.settings.model_copy(update=unlimited)
    config = SchemathesisConfig.from_dict(
        {
            "auth": {"wfc": {"path": str(people), "peers": ["ann", "bob"]}},
            "checks": {
                "enabled": False,
                **{name: {"enabled": True} for name in CHECKS},
                "negative_data_rejection": {"enabled": True, "expected-statuses": REFUSALS},
            },
            "generation": {"max-examples": EXAMPLES, "deterministic": True},
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", same_request_id(world.app()), config=config)
    failures, tested = [], set()

    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            tested |= set(event.recorder.cases)
            for checks in event.recorder.checks.values():
                failed = [check for check in checks if check.failure_info is not None]
                failures += [f"{check.name}: {check.failure_info.failure}\n{check.failure_info.code_sample}" for check in failed]
        if isinstance(event, events.NonFatalError | events.FatalError):
            failures.append(str(event))

    assert not failures, "\n\n".join(sorted(set(failures)))
    assert len(tested) > 100


def test_every_route_that_reads_refuses_parameters_that_it_does_not_know(world: World):
    who = key(world, "root", *(set(Role) - {Role.APP}))
    app = world.app()
    client = TestClient(app)
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, str(context.path)
        assert isinstance(route, APIRoute)
        if "GET" not in route.methods or not isinstance(route, RoleRoute) or path.startswith("/scim/"):
            continue

        response = client.get(path.replace("{id}", "doc_x"), params={"surplus": "1"}, headers={"Authorization": f"Bearer {who}"})

        assert response.status_code == 422, path
        assert "surplus" in {error["field"] for error in response.json()["errors"]}, path


def test_a_wrong_method_names_those_of_all_routes_with_the_path(world: World):
    response = TestClient(world.app()).put("/keys")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


def test_every_write_may_be_sent_again(world: World):
    """SCIM has its own rules for that: identifiers and versions."""
    for context in iter_route_contexts(world.app().routes):
        route, path = context.original_route, str(context.path)
        if isinstance(route, RoleRoute) and route.methods - READS and path not in READING_WRITES and not path.startswith("/scim/"):
            assert isinstance(route, IdempotentRoute), path
