"""An application asks on behalf of a user: two credentials, and what both may see."""

import pytest

from api.authentication import Authenticated
from retrieval.domain.errors import NotAuthenticated, NotAuthorised
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.identity.conftest import Token, authenticated, authentication, bearer, client_of, deactivate, key_of
from tests.api.identity.provider import ISSUER, Provider, other_tenant

PORTAL = "app:portal"


def asked(world: World, application: str, user: str) -> Authenticated:
    return authenticated(authentication(world), bearer(application, on_behalf_of=user))


def test_the_users_key_beside_the_applications_is_the_user_through_it(world: World):
    found = asked(world, key_of(world, PORTAL), key_of(world, "user:ann"))

    assert found.principal == Principal("ann", through=Principal("portal", PrincipalKind.APP))
    assert found.roles == {Role.USER}
    assert found.credential.count("+") == 1


def test_the_users_token_beside_the_applications_key_is_the_user_through_it(trusting: World, token: Token):
    found = asked(trusting, key_of(trusting, PORTAL), token())

    assert found.principal == Principal("ann", issuer=ISSUER, through=Principal("portal", PrincipalKind.APP))


def test_an_application_may_come_with_a_token_of_its_own(trusting: World, token: Token):
    found = asked(trusting, token(sub="portal"), token())

    assert found.principal.through == Principal("portal", PrincipalKind.APP, ISSUER)


@pytest.mark.permissions
def test_through_an_application_a_user_sees_what_both_may_and_alone_it_sees_what_everyone_may(world: World):
    hidden, public = (f"/documents/{world.document(key)}" for key in ("nightingale.txt", "travel.txt"))
    portal, elsewhere = key_of(world, PORTAL), key_of(world, PORTAL, sources=frozenset({"wiki"}))
    bea = world.key("bea", "group:board")
    world.catalog.directory.set_groups(PORTAL, ["group:board"])

    def statuses(headers: dict[str, str]) -> list[int]:
        with client_of(world) as client:
            return [client.get(path, headers=headers).status_code for path in (hidden, public)]

    assert statuses(bearer(bea)) == [200, 200]
    assert statuses(bearer(portal, on_behalf_of=bea)) == [200, 200]
    assert statuses(bearer(portal)) == [404, 200]
    assert statuses(bearer(elsewhere, on_behalf_of=bea)) == [404, 404]
    assert statuses(bearer(portal, on_behalf_of=world.key("ann"))) == [404, 200]


@pytest.mark.permissions
@pytest.mark.parametrize(
    "presented",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="a space"),
        pytest.param("ann", id="a name"),
        pytest.param("user:ann", id="a subject"),
        pytest.param("dev:ann", id="a development credential"),
        pytest.param("Bearer KEY", id="with a scheme"),
        pytest.param("KEY, KEY", id="two in one"),
        pytest.param("x" * 70_000, id="too long"),
        pytest.param("FORGED", id="another tenant's token"),
        pytest.param("EXPIRED", id="an expired token"),
        pytest.param("REVOKED", id="a revoked key"),
        pytest.param("APP", id="an application's key"),
        pytest.param("SELF", id="the application's own key"),
        pytest.param("THROUGH", id="a token that is through an application already"),
    ],
)
def test_whatever_is_wrong_with_the_users_credential_the_application_is_not_heard_alone(trusting: World, token: Token, presented: str):
    portal, ann, revoked = key_of(trusting, PORTAL), key_of(trusting, "user:ann"), key_of(trusting, "user:ann")
    trusting.catalog.keys.revoke(revoked.split("_")[1], trusting.clock.at)
    written = {
        "FORGED": other_tenant().token({"sub": "ann"}),
        "EXPIRED": token(exp=1),
        "REVOKED": revoked,
        "APP": key_of(trusting, "app:other"),
        "SELF": portal,
        "THROUGH": token(act={"sub": "portal"}),
    }
    credential = written.get(presented, presented.replace("KEY", ann))
    gate = authentication(trusting)

    assert authenticated(gate, bearer(portal, on_behalf_of=ann)).principal.id == "ann"
    with pytest.raises(NotAuthenticated):
        authenticated(gate, bearer(portal, on_behalf_of=credential))


@pytest.mark.permissions
def test_two_headers_to_ask_on_behalf_are_none(world: World):
    portal, ann = key_of(world, PORTAL), key_of(world, "user:ann")
    headers = [("Authorization", f"Bearer {portal}"), ("X-On-Behalf-Of", ann), ("X-On-Behalf-Of", ann)]

    assert client_of(world).get("/documents/doc_x", headers=headers).status_code == 401


@pytest.mark.permissions
@pytest.mark.parametrize(
    ("subject", "roles"),
    [
        pytest.param("user:eve", (), id="a user"),
        pytest.param("user:root", (Role.ADMIN, Role.USER), id="an administrator"),
        pytest.param("app:robot", (Role.AUDITOR,), id="an application that does not call for users"),
    ],
)
def test_who_must_not_ask_for_others_is_refused_and_learns_nothing_of_the_other_credential(
    world: World, subject: str, roles: tuple[Role, ...]
):
    caller, ann, gate = key_of(world, subject, *roles), key_of(world, "user:ann"), authentication(world)

    for presented in (ann, "nonsense", ""):
        with pytest.raises(NotAuthorised):
            authenticated(gate, bearer(caller, on_behalf_of=presented))
    response = client_of(world).get("/documents/doc_x", headers=bearer(caller, on_behalf_of=ann))
    assert response.status_code == 403
    assert response.json()["type"] == "urn:archivist:problem:not-authorised"


@pytest.mark.parametrize(
    ("user", "application", "roles"),
    [
        pytest.param((Role.USER, Role.ADMIN), (Role.APP,), {Role.USER}, id="an administrator's user credential only asks"),
        pytest.param((Role.USER, Role.REVIEWER), (Role.APP, Role.REVIEWER), {Role.USER, Role.REVIEWER}, id="what both are good for"),
        pytest.param((Role.ADMIN,), (Role.APP, Role.ADMIN), set(), id="who may not ask may do nothing through an application"),
    ],
)
def test_through_an_application_a_credential_is_good_for_what_both_are(
    world: World, user: tuple[Role, ...], application: tuple[Role, ...], roles: set[Role]
):
    assert asked(world, key_of(world, PORTAL, *application), key_of(world, "user:ann", *user)).roles == roles


@pytest.mark.permissions
def test_a_bare_name_of_a_user_is_not_looked_at(world: World):
    portal = key_of(world, PORTAL)

    for header in ("X-User-Id", "X-User", "X-Forwarded-User", "X-Remote-User", "X-Act-As"):
        found = authenticated(authentication(world), {**bearer(portal), header: "bea"})

        assert found.principal == Principal("portal", PrincipalKind.APP)


@pytest.mark.permissions
@pytest.mark.parametrize("inactive", ["user:ann", PORTAL])
def test_who_the_directory_marks_inactive_is_nobody_whatever_the_credential(world: World, inactive: str):
    portal, ann, gate = key_of(world, PORTAL), key_of(world, "user:ann"), authentication(world)
    authenticated(gate, bearer(portal, on_behalf_of=ann))

    deactivate(world, inactive)

    with pytest.raises(NotAuthenticated, match="not active"):
        authenticated(gate, bearer(portal, on_behalf_of=ann))
    with pytest.raises(NotAuthenticated, match="not active"):
        authenticated(gate, bearer(ann if inactive == "user:ann" else portal))


@pytest.mark.permissions
def test_an_inactive_principal_of_the_issuer_is_nobody(trusting: World, token: Token, provider: Provider):
    assert provider.url
    deactivate(trusting, f"user:{ISSUER}|ann")

    with pytest.raises(NotAuthenticated, match="not active"):
        authenticated(authentication(trusting), bearer(token()))
