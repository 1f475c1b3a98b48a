"""Sessions: what the cookie holds, when it ends, and which forms are taken."""

import json
from dataclasses import replace

import pytest

from api.web.sessions import Session
from retrieval.domain.audit import AuditAction, AuditFilter
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.identity.conftest import configure, deactivate, key_of
from tests.web.desk import ORIGIN, QUESTION, browser, later, signed_in

pytestmark = pytest.mark.permissions


def test_a_key_opens_a_session_and_the_page_that_was_wanted(world: World):
    at = browser(world)
    at.open("/console/search")

    response = at.send("/console/sign-in", {"key": key_of(world, "user:ann")})

    assert response.url == f"{ORIGIN}/console/search"
    assert "Sign out" in at.text


def test_the_cookie_is_sealed_and_for_the_console_alone(world: World):
    at = browser(world)
    key = key_of(world, "user:ann")
    response = at.client.post("/console/sign-in", data={"key": key}, headers={"Origin": ORIGIN}, follow_redirects=False)

    (cookie,) = response.headers.get_list("set-cookie")
    assert cookie.startswith("archivist-session=")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"HttpOnly", "Path=/console", "SameSite=strict"}
    assert key not in cookie
    assert key.split("_")[2] not in response.text


def test_behind_https_the_cookie_goes_by_https_only(world: World):
    configure(world, api_behind_https=True)
    at = browser(world)
    response = at.client.post(
        "/console/sign-in", data={"key": key_of(world, "user:ann")}, headers={"Origin": "https://testserver"}, follow_redirects=False
    )

    (cookie,) = response.headers.get_list("set-cookie")
    assert cookie.startswith("__Secure-archivist-session=")
    assert "; Secure" in cookie


@pytest.mark.parametrize("written", ["", "nonsense", "ak_abcdefgh12345678_" + "a" * 32, "dev:ann", "é" * 10, "a" * 100_000])
def test_what_is_no_key_opens_none(world: World, written: str):
    configure(world, request_max_bytes=1_000_000)
    at = browser(world)
    at.open("/console/sign-in")
    response = at.send("/console/sign-in", {"key": written})

    assert response.status_code in {401, 422}
    assert not at.client.cookies


def test_a_key_that_neither_asks_nor_reviews_is_told_so(world: World):
    at = browser(world)
    response = at.send("/console/sign-in", {"key": key_of(world, "user:ann", Role.AUDITOR)})

    assert response.status_code == 403
    assert "no page here for it" in at.text
    assert not at.client.cookies


def test_whoever_only_reviews_begins_at_the_queue_and_asks_nothing(world: World):
    at = signed_in(world, "user:dana", Role.REVIEWER)

    assert at.page is not None
    assert at.page.url == f"{ORIGIN}/console/reviews"
    assert at.open("/console/search").status_code == 403
    assert at.open(f"/console/documents/{world.document('travel.txt')}").status_code == 403


def test_a_revoked_key_ends_its_sessions(world: World):
    key = key_of(world, "user:ann")
    at = browser(world)
    at.send("/console/sign-in", {"key": key})
    world.catalog.keys.revoke(key.split("_")[1], world.clock.at)

    assert at.open("/console/search").url.path == "/console/sign-in"


def test_whoever_is_deactivated_has_no_session_any_more(world: World):
    at = signed_in(world, "user:ann")
    deactivate(world, "user:ann")

    assert at.open("/console/search").url.path == "/console/sign-in"


def test_a_session_ends_when_it_is_idle(world: World):
    at = signed_in(world, "user:ann")
    later(world, seconds=world.settings.console_idle_seconds - 1)
    assert at.open("/console/search").url.path == "/console/search"
    later(world, seconds=world.settings.console_idle_seconds - 1)
    assert at.open("/console/search").url.path == "/console/search", "a request counts the idle time anew"
    later(world, seconds=world.settings.console_idle_seconds)

    assert at.open("/console/search").url.path == "/console/sign-in"


def test_a_session_ends_after_its_longest_time_however_busy(world: World):
    at = signed_in(world, "user:ann")
    for _ in range(world.settings.console_session_seconds // 1_800 - 1):
        later(world, minutes=30)
        assert at.open("/console/search").url.path == "/console/search"
    later(world, minutes=30)

    assert at.open("/console/search").url.path == "/console/sign-in"


def test_signing_out_ends_the_session_also_for_who_kept_the_cookie(world: World):
    at = signed_in(world, "user:ann")
    kept = dict(at.client.cookies)
    later(world, minutes=5)
    at.send("/console/sign-out")
    assert not at.client.cookies
    at.client.cookies.update(kept)

    assert at.open("/console/search").url.path == "/console/sign-in"


def test_a_session_that_somebody_made_up_is_none(world: World):
    at = browser(world)
    made_up = Session("id", key_of(world, "user:ann"), "csrf", int(world.clock.at.timestamp()), int(world.clock.at.timestamp()))
    for cookie in (json.dumps(made_up.__dict__), "", "AAAA", replace(made_up, id="x").credential):
        at.client.cookies.set("archivist-session", cookie.replace('"', "'").replace(" ", ""))
        assert at.open("/console/search").url.path == "/console/sign-in"


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        pytest.param({}, "https://evil.example", id="from elsewhere"),
        pytest.param({}, "null", id="from nowhere"),
        pytest.param({}, None, id="does not say from where"),
        pytest.param({}, "http://testserver.evil.example", id="a name that begins as ours"),
        pytest.param({"csrf": ""}, ORIGIN, id="without the token"),
        pytest.param({"csrf": "a" * 32}, ORIGIN, id="with another token"),
    ],
)
def test_a_form_from_elsewhere_does_nothing(world: World, fields: dict[str, str], origin: str | None):
    at = signed_in(world, "user:ann")
    at.open("/console")

    assert at.send("/console/ask", {"question": QUESTION, **fields}, origin=origin).status_code == 403
    at.open("/console")
    assert at.send("/console/sign-out", fields, origin=origin).status_code == 403
    assert at.open("/console/search").url.path == "/console/search"


def test_the_token_of_one_session_is_no_good_in_another(world: World):
    ann, bea = signed_in(world, "user:ann"), signed_in(world, "user:bea")
    token = ann.hidden("/console/ask")["csrf"]

    assert bea.send("/console/ask", {"question": QUESTION, "csrf": token}).status_code == 403


def test_a_body_that_is_no_form_does_nothing(world: World):
    at = signed_in(world, "user:ann")
    token = at.hidden("/console/ask")["csrf"]
    response = at.client.post("/console/ask", json={"csrf": token, "question": QUESTION}, headers={"Origin": ORIGIN})

    assert response.status_code == 422
    assert "application/x-www-form-urlencoded" in response.text


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/console/../keys", "/keys", "/console\\@evil.example", "javascript:alert(1)", "/consolex"],
)
def test_nobody_is_sent_elsewhere_after_signing_in(world: World, wanted: str):
    at = browser(world)
    at.client.get("/console/sign-in", params={"next": wanted})
    response = at.client.post(
        "/console/sign-in", data={"key": key_of(world, "user:ann"), "next": wanted}, headers={"Origin": ORIGIN}, follow_redirects=False
    )

    assert response.headers["location"] == "/console"


def test_failed_sign_ins_are_counted_as_failed_authentications_are(world: World):
    configure(world, rate_limit_failed_authentications=2)
    at = browser(world)
    codes = [at.send("/console/sign-in", {"key": "ak_nonsense"}).status_code for _ in range(4)]

    assert codes == [401, 401, 429, 429]


def test_requests_of_a_session_count_for_its_principal(world: World):
    configure(world, rate_limit_requests=3)
    at = signed_in(world, "user:ann")  # signs in, and is shown the first page

    assert [at.open("/console/search").status_code for _ in range(2)] == [200, 429]


def test_a_credential_in_a_header_opens_no_page_and_changes_no_session(world: World):
    at = browser(world)
    bearer = {"Authorization": f"Bearer {key_of(world, 'user:bea')}"}
    assert at.client.get("/console/search", headers=bearer).url.path == "/console/sign-in"

    at = signed_in(world, "user:ann")
    assert ">ann<" in at.client.get("/console/search", headers=bearer | {"X-On-Behalf-Of": "x"}).text


def test_a_refusal_for_want_of_a_role_is_recorded(world: World):
    at = signed_in(world, "user:ann")
    before = len(refusals(world))
    at.open("/console/reviews")

    assert len(refusals(world)) == before + 1


def refusals(world: World) -> list[object]:
    return list(world.catalog.audit.read(Principal("auditor"), AuditFilter(action=AuditAction.ROLE_REFUSED), before=None, limit=100))
