"""What a verified token says of its principal: groups, roles, the application that acts."""

import pytest

from retrieval.domain.errors import NotAuthenticated
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import Role
from tests.api.conftest import FILES, World
from tests.api.identity.conftest import Token, authenticated, authentication, bearer, client_of, configure
from tests.api.identity.provider import ISSUER
from tests.story import allow

BOARD = f"group:{ISSUER}|board"


@pytest.fixture
def grouped(trusting: World) -> World:
    """Groups are taken from the token, and the board of the issuer reads one more document."""
    configure(trusting, oidc_groups_claim="groups")
    minutes = ("The board met in March. It agreed.", allow(BOARD, deny=(f"group:{ISSUER}|guests",)))
    trusting.story.sync({**FILES, "minutes.txt": minutes})
    return trusting


@pytest.mark.permissions
@pytest.mark.parametrize(
    ("groups", "status"),
    [
        pytest.param(["board"], 200, id="in the group"),
        pytest.param(["board", "guests"], 404, id="in a denied one too"),
        pytest.param(["Board"], 404, id="written otherwise"),
        pytest.param([], 404, id="in none"),
        pytest.param(["group:board", "all staff", ""], 404, id="names that no grant can have"),
    ],
)
def test_groups_of_the_token_are_those_of_its_issuer(grouped: World, token: Token, groups: list[str], status: int):
    path = f"/documents/{grouped.document('minutes.txt')}"

    assert client_of(grouped).get(path, headers=bearer(token(groups=groups))).status_code == status


@pytest.mark.permissions
def test_a_group_of_the_issuer_is_not_the_local_group_of_that_name(grouped: World, token: Token):
    path = f"/documents/{grouped.document('nightingale.txt')}"

    assert client_of(grouped).get(path, headers=bearer(token(groups=["board"]))).status_code == 404


@pytest.mark.permissions
@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"groups": [f"g{n}" for n in range(201)]}, id="more than are taken"),
        pytest.param({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph"}}}, id="kept elsewhere"),
        pytest.param({"hasgroups": True}, id="left out"),
        pytest.param({"groups": "board"}, id="not a list"),
        pytest.param({"groups": ["board", 7]}, id="not all names"),
        pytest.param({"_claim_names": "groups"}, id="not understood"),
    ],
)
def test_a_token_that_may_not_list_every_group_is_refused_since_one_could_deny(grouped: World, token: Token, changed: dict[str, object]):
    gate = authentication(grouped)

    with pytest.raises(NotAuthenticated, match="groups"):
        authenticated(gate, bearer(token(**changed)))


def test_two_hundred_groups_are_taken(grouped: World, token: Token):
    found = authenticated(authentication(grouped), bearer(token(groups=[f"g{n}" for n in range(200)])))

    assert len(found.principal.groups) == 200


def test_groups_of_the_token_do_not_count_unless_they_are_configured(trusting: World, token: Token):
    found = authenticated(authentication(trusting), bearer(token(groups=["board"], hasgroups=True)))

    assert found.principal.groups == frozenset()


def test_the_directory_can_put_a_principal_of_the_issuer_into_a_group(trusting: World, token: Token):
    trusting.catalog.directory.set_groups(f"user:{ISSUER}|ann", ["group:board"])
    path = f"/documents/{trusting.document('nightingale.txt')}"

    assert client_of(trusting).get(path, headers=bearer(token())).status_code == 200


@pytest.mark.parametrize(
    ("changed", "roles"),
    [
        pytest.param({}, {Role.USER}, id="none named"),
        pytest.param({"roles": []}, {Role.USER}, id="an empty list"),
        pytest.param({"roles": ["Portal.Read", "Auditor"]}, {Role.USER}, id="none of ours"),
        pytest.param({"roles": ["auditor", "admin"]}, {Role.AUDITOR, Role.ADMIN}, id="ours"),
        pytest.param({"roles": ["app"]}, {Role.USER}, id="one that no person has"),
        pytest.param({"idtyp": "app"}, {Role.APP}, id="an application"),
        pytest.param({"idtyp": "app", "roles": ["user", "auditor"]}, {Role.AUDITOR}, id="an application with another role"),
    ],
)
def test_only_names_of_roles_count_as_roles(trusting: World, token: Token, changed: dict[str, object], roles: set[Role]):
    assert authenticated(authentication(trusting), bearer(token(**changed))).roles == roles


def test_roles_do_not_count_when_the_claim_is_switched_off(trusting: World, token: Token):
    configure(trusting, oidc_roles_claim="")

    assert authenticated(authentication(trusting), bearer(token(roles=["admin"]))).roles == {Role.USER}


def test_a_token_with_an_actor_is_the_user_through_the_application(trusting: World, token: Token):
    found = authenticated(
        authentication(trusting), bearer(token(act={"sub": "portal", "act": {"sub": "earlier"}}, roles=["user", "admin"]))
    )

    assert found.principal == Principal("ann", issuer=ISSUER, through=Principal("portal", PrincipalKind.APP, ISSUER))
    assert found.roles == {Role.USER}


@pytest.mark.permissions
def test_what_denies_the_actor_denies_the_user(trusting: World, token: Token):
    trusting.story.sync({**FILES, "shy.txt": ("Not for portals. Never.", allow("everyone", deny=(f"app:{ISSUER}|portal",)))})
    path, client = f"/documents/{trusting.document('shy.txt')}", client_of(trusting)

    assert client.get(path, headers=bearer(token())).status_code == 200
    assert client.get(path, headers=bearer(token(act={"sub": "portal"}))).status_code == 404
