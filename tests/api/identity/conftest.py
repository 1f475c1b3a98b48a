"""The application of the other API tests, with an identity provider configured."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from api.authentication import Authenticated, Authentication
from api.identity.accepted import AcceptedCredentials
from retrieval.domain.directory import Entry
from retrieval.domain.keys import KeyTerms, issue, key_holder
from retrieval.domain.roles import Role
from retrieval.settings import Settings
from tests.api.conftest import World
from tests.api.identity.provider import AUDIENCE, ISSUER, Provider, Signer, claims, serving_provider, signers

Token = Callable[..., str]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving_provider() as serving:
        yield serving


@pytest.fixture
def trusting(world: World, provider: Provider) -> World:
    """The world, believing the provider's tokens."""
    configure(world, oidc_issuer=ISSUER, oidc_audience=AUDIENCE, oidc_jwks_url=provider.jwks_url)
    return world


@pytest.fixture
def signer() -> Signer:
    return signers()["ES256"]


@pytest.fixture
def token(trusting: World, signer: Signer) -> Token:
    """A good token with these claims changed."""
    return lambda **changed: signer.token(claims(trusting.clock.at, **changed))


def configure(world: World, **settings: object) -> None:
    world.settings = Settings(**{**world.settings.model_dump(), **settings})


def client_of(world: World, *, app: FastAPI | None = None, base_url: str = "http://testserver") -> TestClient:
    return TestClient(app or world.app(), base_url=base_url, raise_server_exceptions=False)


def authentication(world: World, *, development: bool = False) -> Authentication:
    """The application's, without its rate limits."""
    accepted = AcceptedCredentials(world.settings, world.catalog.keys, world.clock, development=development)
    return Authentication(accepted.kind_of, world.catalog.directory)


def authenticated(authentication: Authentication, headers: Mapping[str, str]) -> Authenticated:
    """What is made of a request's headers. Raises as the routes do."""
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw, "server": ("127.0.0.1", 80)})
    return authentication.authenticate(request)


def bearer(credential: str, *, on_behalf_of: str | None = None) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {credential}"}
    return headers if on_behalf_of is None else headers | {"X-On-Behalf-Of": on_behalf_of}


def key_of(world: World, subject: str, *roles: Role, sources: frozenset[str] | None = None) -> str:
    key, stored = issue(key_holder(subject), KeyTerms(frozenset(roles), sources), now=world.clock.at)
    world.catalog.keys.add(stored)
    return key.written


def deactivate(world: World, subject: str) -> None:
    directory = world.catalog.directory
    if directory.find(subject) is None:
        directory.add(Entry(subject, subject))
    directory.update(subject, lambda entry: replace(entry, active=False))
