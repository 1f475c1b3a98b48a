"""Signing in at the identity provider: a real authorization code flow against a provider on loopback."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import Response
from selenium.webdriver.support.expected_conditions import url_contains
from selenium.webdriver.support.ui import WebDriverWait

from api.app import create_app
from retrieval.domain.errors import InvalidInput
from tests.api.conftest import World
from tests.api.identity.conftest import configure
from tests.api.identity.provider import AUDIENCE, DISCOVERY_PATH, JWKS_PATH, Provider, claims, serving_provider, signers
from tests.ports import free_port
from tests.web.chromium import chromium, missing, served
from tests.web.desk import Browser, browser, later
from tests.web.test_browser import see

pytestmark = pytest.mark.permissions

CLIENT, SECRET = "console", "s3cret/with+signs"


@dataclass
class Tenant:
    """The provider, and what its token endpoint was sent and gives."""

    world: World
    provider: Provider
    given: dict[str, Any] = field(default_factory=dict)

    def approve(self, address: str, **changed: Any) -> str:
        """Somebody signs in there as ann. What the tokens say can be `changed`; the code to come back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        at, issuer, signer = self.world.clock.at, self.provider.url, signers()["ES256"]
        id_claims = {"iss": issuer, "aud": CLIENT, "nonce": asked["nonce"], "client_id": None, **changed.pop("id_token", {})}
        access_claims = {"iss": issuer, "aud": AUDIENCE, **changed.pop("access_token", {})}
        self.given = {
            "access_token": signer.token(claims(at, **access_claims)),
            "id_token": signer.token(claims(at, **id_claims)),
            "token_type": "Bearer",
            **changed,
        }
        self.provider.answer("/token", {name: value for name, value in self.given.items() if value is not None})
        return asked["state"]


@pytest.fixture
def tenant(world: World, tmp_path) -> Iterator[Tenant]:
    (tmp_path / "secret").write_text(SECRET + "\n")
    with serving_provider() as provider:
        endpoints = {"issuer": provider.url, "jwks_uri": provider.url + JWKS_PATH}
        endpoints |= {"authorization_endpoint": f"{provider.url}/authorize", "token_endpoint": f"{provider.url}/token"}
        provider.answer(DISCOVERY_PATH, endpoints)
        configure(
            world,
            oidc_issuer=provider.url,
            oidc_audience=AUDIENCE,
            console_url="http://localhost:8000",
            console_oidc_client_id=CLIENT,
            console_oidc_client_secret_file=str(tmp_path / "secret"),
        )
        yield Tenant(world, provider)


def test_somebody_signs_in_at_the_provider_and_is_on_the_page_they_wanted(world: World, tenant: Tenant):
    at = visitor(world)
    at.open("/console/search")
    assert "Sign in with your organisation" in at.text

    address = leave(at, wanted="/console/search")
    arrived = arrive(at, tenant.approve(address))

    assert arrived.status_code == 200
    assert 'content="0;url=/console/search"' in arrived.text
    assert ">ann<" in at.open("/console/search").text


def test_the_provider_is_asked_as_the_standard_says(world: World, tenant: Tenant):
    at = visitor(world)
    address = leave(at)
    asked = parse_qs(urlsplit(address).query)
    arrive(at, tenant.approve(address))

    sent = tenant.provider.posted["/token"]
    form = parse_qs(sent.body.decode())
    challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest()).decode().rstrip("=")
    assert address.startswith(f"{tenant.provider.url}/authorize?")
    assert asked["code_challenge"] == [challenge]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == form["redirect_uri"] == ["http://localhost:8000/console/sign-in/callback"]
    assert form["grant_type"] == ["authorization_code"]
    assert base64.b64decode(sent.authorization.removeprefix("Basic ")).decode() == f"{CLIENT}:{SECRET}"


def test_the_way_back_is_remembered_sealed_and_for_the_way_back_alone(world: World, tenant: Tenant):
    at = visitor(world)
    response = at.client.get("/console/sign-in/provider", follow_redirects=False)

    (cookie,) = response.headers.get_list("set-cookie")
    assert "SameSite=lax" in cookie
    assert "HttpOnly" in cookie
    assert "Path=/console/sign-in/callback" in cookie
    state = parse_qs(urlsplit(response.headers["location"]).query)["state"][0]
    assert state not in cookie


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"id_token": {"nonce": "another"}}, id="another sign-in's nonce"),
        pytest.param({"id_token": {"aud": "another"}}, id="another client's id token"),
        pytest.param({"id_token": {"aud": [CLIENT, "x"], "azp": "another"}}, id="made for another party"),
        pytest.param({"id_token": {"sub": "bea"}}, id="two people's tokens"),
        pytest.param({"id_token": {"iss": "https://evil.example"}}, id="another issuer's id token"),
        pytest.param({"access_token": {"aud": "another"}}, id="another service's access token"),
        pytest.param({"access_token": {"exp": 1}}, id="an expired access token"),
        pytest.param({"access_token": None}, id="no access token"),
        pytest.param({"id_token": None}, id="no id token"),
    ],
)
def test_tokens_that_are_not_for_this_person_here_and_now_open_nothing(world: World, tenant: Tenant, changed: dict[str, Any]):
    at = visitor(world)
    address = leave(at)
    missing = {name: None for name, value in changed.items() if value is None}
    state = tenant.approve(address, **{name: value for name, value in changed.items() if value is not None})
    if missing:
        tenant.provider.answer("/token", {name: value for name, value in tenant.given.items() if name not in missing})

    refused(at, arrive(at, state))


def test_a_state_that_was_not_given_here_opens_nothing(world: World, tenant: Tenant):
    at = visitor(world)
    tenant.approve(leave(at))

    refused(at, arrive(at, "another"))


def test_whoever_did_not_leave_from_here_does_not_arrive(world: World, tenant: Tenant):
    leaving, at = visitor(world), visitor(world)
    state = tenant.approve(leave(leaving))

    refused(at, arrive(at, state))


def test_a_sign_in_that_took_too_long_opens_nothing(world: World, tenant: Tenant):
    at = visitor(world)
    address = leave(at)
    later(world, seconds=world.settings.console_sign_in_seconds)

    refused(at, arrive(at, tenant.approve(address)))


def test_a_response_of_another_issuer_opens_nothing(world: World, tenant: Tenant):
    at = visitor(world)
    state = tenant.approve(leave(at))

    refused(at, at.client.get("/console/sign-in/callback", params={"state": state, "code": "c", "iss": "https://evil.example"}))


def test_a_provider_that_does_not_answer_is_told_of_without_a_session(world: World, tenant: Tenant):
    at = visitor(world)
    address = leave(at)
    state = tenant.approve(address)
    tenant.provider.fail("/token")
    response = arrive(at, state)

    assert response.status_code == 503
    assert "archivist-session" not in at.client.cookies


def test_a_session_is_over_when_its_token_has_expired(world: World, tenant: Tenant):
    at = visitor(world)
    arrive(at, tenant.approve(leave(at)))
    later(world, minutes=4)
    assert at.open("/console/search").url.path == "/console/search"
    later(world, minutes=2, seconds=world.settings.oidc_leeway_seconds)

    assert at.open("/console/search").url.path == "/console/sign-in"


def test_a_token_that_fits_no_cookie_is_told_of(world: World, tenant: Tenant):
    at = visitor(world)
    state = tenant.approve(leave(at), access_token={"padding": "x" * 4_000})
    response = arrive(at, state)

    assert response.status_code == 422
    assert "too long to be kept" in response.text


@pytest.mark.slow
@pytest.mark.skipif(bool(missing()), reason=missing() or "installed")
def test_a_browser_that_another_site_sends_back_has_its_strict_session(world: World, tenant: Tenant, tmp_path: Path):
    """The provider is another site: what it sends the browser to comes without the session's cookie, what our own page opens has it."""
    port = free_port()
    configure(world, console_url=f"http://localhost:{port}")
    with served(world, port=port), chromium(tmp_path / "profile") as driver:
        driver.get(f"http://localhost:{port}/console/search")
        see(driver, "a.button").click()
        WebDriverWait(driver, 10).until(url_contains("/authorize?"))
        state = tenant.approve(driver.current_url)
        back = f"http://localhost:{port}/console/sign-in/callback?state={state}&code=the-code"
        driver.execute_script("location = arguments[0]", back)  # type: ignore[no-untyped-call]

        assert see(driver, ".who").text == "ann"
        assert driver.current_url == f"http://localhost:{port}/console/search"
        assert {cookie["name"] for cookie in driver.get_cookies()} == {"archivist-session"}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"console_url": ""}, "CONSOLE_URL"),
        ({"console_url": "http://desk.example"}, "CONSOLE_URL"),
        ({"console_url": "https://desk.example/below"}, "CONSOLE_URL"),
        ({"oidc_issuer": "", "oidc_audience": ""}, "OIDC_ISSUER"),
        ({"console_oidc_client_secret_file": "/nowhere"}, "CLIENT_SECRET_FILE"),
    ],
)
def test_it_does_not_start_with_settings_that_send_people_nowhere(world: World, tenant: Tenant, settings: dict[str, str], named: str):
    configure(world, **settings)

    with pytest.raises(InvalidInput, match=named):
        create_app(world, clock=world.clock)


def visitor(world: World) -> Browser:
    return browser(world)


def leave(at: Browser, *, wanted: str = "/console") -> str:
    response = at.client.get("/console/sign-in/provider", params={"next": wanted}, follow_redirects=False)
    assert response.status_code == 303
    return response.headers["location"]


def arrive(at: Browser, state: str) -> Response:
    return at.client.get("/console/sign-in/callback", params={"state": state, "code": "the-code"})


def refused(at: Browser, response: Response) -> None:
    assert response.status_code == 401
    assert "did not succeed" in response.text
    assert "archivist-session" not in at.client.cookies
    assert at.open("/console/search").url.path == "/console/sign-in"
