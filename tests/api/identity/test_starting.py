"""Settings with which the service does not start, and `--dev`."""

import pytest

from api.app import create_app
from api.preflight import check_startable
from retrieval.domain.errors import InvalidInput, NotAuthenticated
from retrieval.domain.permissions import Principal
from retrieval.settings import Settings
from tests.api.conftest import World
from tests.api.identity.conftest import authenticated, authentication, bearer, client_of, configure
from tests.api.identity.provider import AUDIENCE, ISSUER

OIDC = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({"oidc_issuer": ISSUER}, "OIDC_AUDIENCE", id="an issuer without an audience"),
        pytest.param({"oidc_audience": AUDIENCE}, "OIDC_ISSUER", id="an audience without an issuer"),
        pytest.param({**OIDC, "oidc_issuer": "http://login.example"}, "OIDC_ISSUER", id="an issuer in clear"),
        pytest.param({**OIDC, "oidc_issuer": "login.example"}, "OIDC_ISSUER", id="an issuer that is no URL"),
        pytest.param({**OIDC, "oidc_issuer": "archivist"}, "OIDC_ISSUER", id="the name of local principals"),
        pytest.param({**OIDC, "oidc_issuer": "https://login.example|x"}, "OIDC_ISSUER", id="an issuer with the separator"),
        pytest.param({**OIDC, "oidc_issuer": "https://login.example/?a=b"}, "OIDC_ISSUER", id="an issuer with a query"),
        pytest.param({**OIDC, "oidc_jwks_url": "http://login.example/keys"}, "OIDC_JWKS_URL", id="keys in clear"),
        pytest.param({**OIDC, "oidc_jwks_url": "file:///keys"}, "OIDC_JWKS_URL", id="keys in a file"),
        pytest.param({**OIDC, "oidc_jwks_url": "http://localhost.example.com/keys"}, "OIDC_JWKS_URL", id="nearly localhost"),
        pytest.param({"oidc_algorithms": ""}, "OIDC_ALGORITHMS", id="no algorithm"),
        pytest.param({"oidc_algorithms": " , "}, "OIDC_ALGORITHMS", id="no algorithm but commas"),
        pytest.param({"oidc_algorithms": "RS256,HS256"}, "OIDC_ALGORITHMS", id="a shared secret"),
        pytest.param({"oidc_algorithms": "none"}, "OIDC_ALGORITHMS", id="none"),
        pytest.param({"oidc_algorithms": "RS256,None"}, "OIDC_ALGORITHMS", id="none in another spelling"),
        pytest.param({"oidc_algorithms": "ES256K"}, "OIDC_ALGORITHMS", id="one that is not known"),
        pytest.param({"oidc_subject_claim": "email"}, "OIDC_SUBJECT_CLAIM", id="an e-mail address"),
        pytest.param({"oidc_subject_claim": ""}, "OIDC_SUBJECT_CLAIM", id="no subject"),
        pytest.param({"index_backend": "server", "qdrant_url": "http://qdrant:6333"}, "QDRANT_API_KEY", id="Qdrant without a key"),
        pytest.param({"index_backend": "server", "qdrant_url": "https://10.0.0.5"}, "QDRANT_API_KEY", id="Qdrant at another address"),
    ],
)
def test_the_service_does_not_start_and_names_the_setting(world: World, settings: dict[str, str], named: str):
    configure(world, **settings)

    with pytest.raises(InvalidInput, match=f"ARCHIVIST_{named}: "):
        create_app(world)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="nothing set"),
        pytest.param(OIDC, id="an issuer with an audience"),
        pytest.param({**OIDC, "oidc_issuer": "http://127.0.0.1:8080/realm"}, id="an issuer on this machine"),
        pytest.param({**OIDC, "oidc_jwks_url": "http://[::1]:8080/keys"}, id="keys from this machine"),
        pytest.param({"oidc_algorithms": "PS512, EdDSA"}, id="other algorithms"),
        pytest.param({"index_backend": "server", "qdrant_url": "http://localhost:6333"}, id="Qdrant on this machine"),
        pytest.param({"index_backend": "server", "qdrant_url": "https://qdrant.example", "qdrant_api_key": "k"}, id="Qdrant with a key"),
    ],
)
def test_the_service_starts(settings: dict[str, str]):
    check_startable(Settings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "archivist.example", "", "127.0.0.1.example.com"])
def test_development_credentials_are_for_loopback_only(world: World, host: str):
    configure(world, host=host)

    with pytest.raises(InvalidInput, match="ARCHIVIST_HOST: must be a loopback address"):
        create_app(world, development=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_they_are_accepted_on_every_loopback_address(host: str):
    check_startable(Settings(host=host), development=True)


@pytest.mark.permissions
@pytest.mark.parametrize("credential", ["dev:ann", "dev:ann:board", "dev:", "dev:root:admin"])
def test_without_dev_a_development_credential_is_none(world: World, credential: str):
    client = client_of(world, base_url="http://127.0.0.1:8000")

    assert client.get("/documents/doc_x", headers=bearer(credential)).status_code == 401


def test_with_dev_a_name_and_groups_are_believed(world: World):
    gate = authentication(world, development=True)

    found = authenticated(gate, bearer("dev:ann:board,staff"))

    assert found.principal == Principal("ann", groups=frozenset({"group:board", "group:staff"}))
    assert found.credential == "dev:ann"


@pytest.mark.parametrize("credential", ["dev:", "dev::board", "dev:a b", "dev:ann:a b", "dev:x|y", "DEV:ann"])
def test_with_dev_a_credential_that_names_nobody_is_none(world: World, credential: str):
    with pytest.raises(NotAuthenticated):
        authenticated(authentication(world, development=True), bearer(credential))


def test_with_dev_keys_are_still_checked(world: World):
    gate = authentication(world, development=True)

    assert authenticated(gate, bearer(world.key("ann"))).principal == Principal("ann")
    with pytest.raises(NotAuthenticated):
        authenticated(gate, bearer("ak_" + "a" * 16 + "_" + "a" * 43))


@pytest.mark.permissions
def test_with_dev_a_page_that_rebinds_its_name_to_this_machine_is_refused(world: World):
    path = f"/documents/{world.document('travel.txt')}"
    app = create_app(world, clock=world.clock, development=True)

    statuses = [client_of(world, app=app, base_url=url).get(path, headers=bearer("dev:ann")).status_code for url in HOSTS]

    assert statuses == [200, 200, 200, 401, 401]


HOSTS = (
    "http://127.0.0.1:8000",
    "http://localhost:8000",
    "http://[::1]:8000",
    "http://rebound.example",
    "http://127.0.0.1.rebound.example",
)
