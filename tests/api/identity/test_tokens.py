"""Which access tokens are accepted, and as whom."""

from collections.abc import Callable
from datetime import timedelta

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ed448, rsa

from retrieval.domain.errors import NotAuthenticated
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.identity.conftest import Token, authenticated, authentication, bearer, client_of, configure
from tests.api.identity.provider import AUDIENCE, DISCOVERY_PATH, ISSUER, JWKS_PATH, Provider, Signer, claims, signers


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_token_of_each_allowed_algorithm_is_its_subject(trusting: World, algorithm: str):
    token = signers()[algorithm].token(claims(trusting.clock.at))

    found = authenticated(authentication(trusting), bearer(token))

    assert found.principal == Principal("ann", issuer=ISSUER)
    assert found.principal.subject == f"user:{ISSUER}|ann"
    assert found.roles == {Role.USER}
    assert found.credential.startswith("at_")
    assert found.credential not in token


def test_an_algorithm_that_is_not_allowed_is_refused_however_good_the_signature(trusting: World):
    configure(trusting, oidc_algorithms="ES256")
    gate = authentication(trusting)
    allowed, refused = (signers()[name].token(claims(trusting.clock.at)) for name in ("ES256", "RS256"))

    assert authenticated(gate, bearer(allowed)).principal.id == "ann"
    with pytest.raises(NotAuthenticated, match="algorithm"):
        authenticated(gate, bearer(refused))


def test_a_probabilistic_rsa_signature_is_accepted_once_it_is_allowed(trusting: World, provider: Provider):
    configure(trusting, oidc_algorithms="PS256")
    rsa_signer = signers()["RS256"]
    jwk = {name: value for name, value in rsa_signer.jwk.items() if name != "alg"}
    provider.publish(jwk)
    token = jwt.encode(claims(trusting.clock.at), rsa_signer.key, "PS256", headers={"kid": rsa_signer.kid})

    assert authenticated(authentication(trusting), bearer(token)).principal.id == "ann"


def test_the_keys_are_found_by_discovery(trusting: World, provider: Provider, signer: Signer):
    configure(trusting, oidc_issuer=provider.url, oidc_jwks_url="")
    provider.answer(DISCOVERY_PATH, {"issuer": provider.url, "jwks_uri": provider.jwks_url})
    token = signer.token(claims(trusting.clock.at, iss=provider.url))

    found = authenticated(authentication(trusting), bearer(token))

    assert found.principal.issuer == provider.url
    assert provider.asked == [DISCOVERY_PATH, JWKS_PATH]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        pytest.param({"issuer": "https://else.example", "jwks_uri": "PROVIDER/keys"}, "another issuer's", id="another issuer's"),
        pytest.param({"issuer": "PROVIDER", "jwks_uri": "http://keys.example/keys"}, "be trusted", id="keys in clear over the network"),
        pytest.param({"issuer": "PROVIDER", "jwks_uri": "file:///etc/passwd"}, "be trusted", id="keys in a file"),
        pytest.param({"issuer": "PROVIDER"}, "be trusted", id="no keys"),
        pytest.param(["PROVIDER"], "not a JSON object", id="not an object"),
    ],
)
def test_a_discovery_document_that_cannot_be_trusted_is_as_good_as_none(
    trusting: World, provider: Provider, signer: Signer, written: object, reason: str
):
    configure(trusting, oidc_issuer=provider.url, oidc_jwks_url="")
    provider.answer(DISCOVERY_PATH, _with_url(written, provider.url))
    token = signer.token(claims(trusting.clock.at, iss=provider.url))

    with structlog.testing.capture_logs() as lines:
        response = client_of(trusting).get("/documents/doc_x", headers=bearer(token))

    assert response.status_code == 503
    assert response.json()["type"] == "urn:archivist:problem:identity-unavailable"
    assert [line["reason"] for line in lines if line["event"] == "signing_keys_unavailable" and reason in line["reason"]]
    assert JWKS_PATH not in provider.asked


def test_one_of_several_audiences_suffices(trusting: World, token: Token):
    gate = authentication(trusting)

    assert authenticated(gate, bearer(token(aud=["graph", AUDIENCE]))).principal.id == "ann"
    with pytest.raises(NotAuthenticated):
        authenticated(gate, bearer(token(aud=["graph"])))


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT"])
def test_the_types_of_access_tokens_are_accepted(trusting: World, signer: Signer, kind: str):
    assert authenticated(authentication(trusting), bearer(signer.token(claims(trusting.clock.at), typ=kind))).principal.id == "ann"


def test_a_token_is_good_until_it_expires_and_a_leeway_longer(trusting: World, token: Token):
    gate, sent = authentication(trusting), bearer(token(nbf=int((trusting.clock.at + timedelta(seconds=60)).timestamp())))

    assert authenticated(gate, sent).principal.id == "ann"
    trusting.clock.at += timedelta(minutes=6) - timedelta(microseconds=1)
    assert authenticated(gate, sent).principal.id == "ann"
    trusting.clock.at += timedelta(microseconds=1)
    with pytest.raises(NotAuthenticated, match="expired"):
        authenticated(gate, sent)


def test_a_token_that_starts_later_than_the_leeway_is_not_valid_yet(trusting: World, token: Token):
    later = int((trusting.clock.at + timedelta(seconds=61)).timestamp())

    for claim in ("nbf", "iat"):
        with pytest.raises(NotAuthenticated, match="not valid yet"):
            authenticated(authentication(trusting), bearer(token(**{claim: later})))


def test_a_token_that_is_too_long_is_not_looked_at(trusting: World, provider: Provider, token: Token):
    long = token(note="x" * 12_000)
    configure(trusting, oidc_token_max_characters=len(long))
    accepted = authenticated(authentication(trusting), bearer(long))
    configure(trusting, oidc_token_max_characters=len(long) - 1)
    provider.asked.clear()

    with pytest.raises(NotAuthenticated, match="too long"):
        authenticated(authentication(trusting), bearer(long))

    assert accepted.principal.id == "ann"
    assert provider.asked == []


def test_why_a_token_was_refused_is_in_the_log_alone_and_nothing_of_the_token_is(trusting: World, token: Token):
    sent = token(aud="graph", sub="canary")
    with structlog.testing.capture_logs() as lines:
        response = client_of(trusting).get("/keys", headers=bearer(sent))

    refused = next(line for line in lines if line["event"] == "request_refused")
    assert refused["reason"] == "the token does not verify (InvalidAudienceError)"
    assert refused["request_id"] == response.headers["x-request-id"]
    assert "verify" not in response.text
    assert not any(part in str(lines) for part in ("canary", *sent.split(".")))


def test_another_claim_may_name_the_subject(trusting: World, token: Token):
    configure(trusting, oidc_subject_claim="oid")
    gate = authentication(trusting)

    assert authenticated(gate, bearer(token(oid="7f3a"))).principal.id == "7f3a"
    with pytest.raises(NotAuthenticated, match="no subject"):
        authenticated(gate, bearer(token()))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"client_id": "ann"}, id="the subject is its own client"),
        pytest.param({"idtyp": "app"}, id="the provider says so"),
    ],
)
def test_a_token_of_an_application_itself_is_an_application(trusting: World, token: Token, changed: dict[str, str]):
    found = authenticated(authentication(trusting), bearer(token(**changed)))

    assert found.principal == Principal("ann", PrincipalKind.APP, ISSUER)
    assert found.roles == {Role.APP}


def test_a_local_principal_and_one_of_the_issuer_never_meet(trusting: World, token: Token):
    trusting.catalog.directory.set_groups("user:ann", ["group:board"])
    hidden = trusting.document("nightingale.txt")

    theirs = client_of(trusting).get(f"/documents/{hidden}", headers=bearer(token()))
    ours = client_of(trusting).get(f"/documents/{hidden}", headers=bearer(trusting.key("ann", "group:board")))

    assert (theirs.status_code, ours.status_code) == (404, 200)


def test_without_an_issuer_no_token_is_looked_at(world: World, provider: Provider, signer: Signer):
    with pytest.raises(NotAuthenticated):
        authenticated(authentication(world), bearer(signer.token(claims(world.clock.at))))

    assert provider.asked == []


@pytest.mark.parametrize(
    "weak",
    [
        pytest.param(lambda: Signer("weak", "RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024)), id="a short RSA key"),
        pytest.param(lambda: Signer("weak", "EdDSA", ed448.Ed448PrivateKey.generate()), id="another curve"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*below the minimum recommended.*")
def test_a_published_key_that_is_not_fit_for_its_algorithm_verifies_nothing(
    trusting: World, provider: Provider, weak: Callable[[], Signer]
):
    made = weak()
    provider.publish(made.jwk)
    with pytest.raises(NotAuthenticated, match="no such key"):
        authenticated(authentication(trusting), bearer(f"{made.signed(_header(made), '{}')}"))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"use": "enc"}, id="for encryption"),
        pytest.param({"key_ops": ["encrypt"]}, id="not for verification"),
        pytest.param({"kid": None}, id="without an id"),
        pytest.param({"alg": "ES384"}, id="for another algorithm"),
        pytest.param({"x": "AAAA"}, id="not on the curve"),
        pytest.param({"kty": "oct", "k": "c2VjcmV0"}, id="a shared secret"),
    ],
)
def test_a_published_key_that_is_not_for_signatures_verifies_nothing(
    trusting: World, provider: Provider, signer: Signer, changed: dict[str, object]
):
    provider.publish({**signer.jwk, **changed})

    with pytest.raises(NotAuthenticated, match="no such key"):
        authenticated(authentication(trusting), bearer(signer.token(claims(trusting.clock.at))))


def _header(signer: Signer) -> str:
    return f'{{"alg":"{signer.algorithm}","kid":"{signer.kid}"}}'


def _with_url(document: object, url: str) -> object:
    if isinstance(document, dict):
        return {name: value.replace("PROVIDER", url) for name, value in document.items()}
    return document
