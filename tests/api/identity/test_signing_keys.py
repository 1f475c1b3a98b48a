"""When the provider is asked for its keys, and what holds while it does not answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Barrier, Event, Thread

import pytest

from api.identity.provider import MAX_DOCUMENT_BYTES, MAX_KEYS, OidcProvider
from api.identity.signing_keys import KeyTimes, SigningKeys
from retrieval.domain.errors import IdentityUnavailable, NotAuthenticated
from tests.api.conftest import World
from tests.api.identity.conftest import Token, bearer, client_of
from tests.api.identity.provider import ISSUER, JWKS_PATH, Provider, Signer, claims, signers

TIMES = KeyTimes(keep_seconds=3600, pause_seconds=10, wait_seconds=5)


@dataclass
class Seconds:
    """A clock that runs when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def keys(provider: Provider, seconds: Seconds) -> SigningKeys:
    reader = OidcProvider(ISSUER, jwks_url=provider.jwks_url, timeout_seconds=5)
    return SigningKeys(reader, ["RS256", "ES256", "EdDSA"], TIMES, monotonic=seconds)


def test_keys_are_read_once_and_kept(keys: SigningKeys, provider: Provider, seconds: Seconds):
    assert keys.find("ec-1", "ES256").key_type == "EC"
    seconds.now += TIMES.keep_seconds - 1
    assert keys.find("rsa-1", "RS256").key_type == "RSA"

    assert provider.asked == [JWKS_PATH]


def test_old_keys_are_read_again_and_a_withdrawn_one_is_none(keys: SigningKeys, provider: Provider, seconds: Seconds):
    keys.find("ec-1", "ES256")
    provider.publish(signers()["RS256"].jwk)
    seconds.now += TIMES.keep_seconds

    with pytest.raises(NotAuthenticated, match="no longer"):
        keys.find("ec-1", "ES256")
    assert keys.find("rsa-1", "RS256").key_type == "RSA"
    assert len(provider.asked) == 2


def test_a_new_key_is_found_as_soon_as_a_token_names_it(keys: SigningKeys, provider: Provider, seconds: Seconds):
    keys.find("ec-1", "ES256")
    rotated = replace(signers()["ES256"], kid="ec-2")
    provider.publish(signers()["ES256"].jwk, rotated.jwk)
    seconds.now += TIMES.pause_seconds

    assert keys.find("ec-2", "ES256").key_type == "EC"


def test_made_up_key_ids_lead_to_the_provider_once_in_an_interval(keys: SigningKeys, provider: Provider, seconds: Seconds):
    keys.find("ec-1", "ES256")
    for number in range(100):
        with pytest.raises(NotAuthenticated):
            keys.find(f"made-up-{number}", "ES256")
        seconds.now += 0.2  # 20 seconds in all

    assert len(provider.asked) == 2


def test_known_keys_go_on_serving_while_the_provider_is_down(keys: SigningKeys, provider: Provider, seconds: Seconds):
    keys.find("ec-1", "ES256")
    provider.fail()
    seconds.now += 10 * TIMES.keep_seconds

    assert keys.find("ec-1", "ES256").key_type == "EC"
    with pytest.raises(IdentityUnavailable):
        keys.find("ec-2", "ES256")
    assert len(provider.asked) == 2
    provider.publish(replace(signers()["ES256"], kid="ec-2").jwk)
    seconds.now += TIMES.pause_seconds
    assert keys.find("ec-2", "ES256").key_type == "EC"


def test_a_key_is_for_its_own_algorithm_only(keys: SigningKeys):
    with pytest.raises(NotAuthenticated):
        keys.find("rsa-1", "ES256")


@pytest.mark.parametrize(
    "publish",
    [
        pytest.param(lambda p: p.fail(), id="an error"),
        pytest.param(lambda p: p.answer(JWKS_PATH, b"<html>"), id="not JSON"),
        pytest.param(lambda p: p.answer(JWKS_PATH, b"[" * 100_000), id="JSON without end"),
        pytest.param(lambda p: p.answer(JWKS_PATH, []), id="not an object"),
        pytest.param(lambda p: p.answer(JWKS_PATH, {"keys": {}}), id="no list"),
        pytest.param(lambda p: p.answer(JWKS_PATH, {"keys": [{}] * (MAX_KEYS + 1)}), id="too many keys"),
        pytest.param(lambda p: p.answer(JWKS_PATH, {"keys": [], "x": "x" * MAX_DOCUMENT_BYTES}), id="too long"),
        pytest.param(lambda p: p.answer(JWKS_PATH, {"keys": []}, Content_Encoding="gzip"), id="compressed"),
        pytest.param(lambda p: p.answer(JWKS_PATH, {"keys": []}, status=302, Location="/elsewhere"), id="a redirect"),
    ],
)
def test_an_answer_that_is_no_key_set_is_no_answer(keys: SigningKeys, provider: Provider, publish: Callable[[Provider], None]):
    publish(provider)

    with pytest.raises(IdentityUnavailable):
        keys.find("ec-1", "ES256")

    assert provider.asked == [JWKS_PATH]


def test_a_provider_that_is_not_there_is_given_up():
    reader = OidcProvider(ISSUER, jwks_url="http://127.0.0.1:9", timeout_seconds=0.2)

    with pytest.raises(IdentityUnavailable, match="does not answer"):
        reader.keys()


def test_many_requests_that_need_the_keys_at_once_ask_for_them_once(provider: Provider):
    keys = SigningKeys(OidcProvider(ISSUER, jwks_url=provider.jwks_url, timeout_seconds=5), ["ES256"], TIMES)
    together, found = Barrier(16), []

    def ask() -> None:
        together.wait()
        found.append(keys.find("ec-1", "ES256"))

    threads = [Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 16
    assert provider.asked == [JWKS_PATH]


def test_who_holds_a_known_key_does_not_wait_for_another_request_that_asks(seconds: Seconds):
    asking, go_on = Event(), Event()

    class Slow:
        calls = 0

        def keys(self) -> list[dict[str, object]]:
            self.calls += 1
            if self.calls > 1:
                asking.set()
                go_on.wait(10)
            return [signers()["ES256"].jwk]

    keys = SigningKeys(Slow(), ["ES256"], replace(TIMES, wait_seconds=0.01), monotonic=seconds)
    keys.find("ec-1", "ES256")
    seconds.now += TIMES.keep_seconds
    thread = Thread(target=keys.find, args=("ec-1", "ES256"))
    thread.start()
    assert asking.wait(10)

    assert keys.find("ec-1", "ES256").key_type == "EC"
    with pytest.raises(IdentityUnavailable, match="being asked"):
        keys.find("ec-2", "ES256")
    go_on.set()
    thread.join()


def test_a_token_that_cannot_be_checked_is_a_503_and_not_a_401(trusting: World, provider: Provider, token: Token):
    provider.fail()

    response = client_of(trusting).get("/documents/doc_x", headers=bearer(token()))

    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.json()["type"] == "urn:archivist:problem:identity-unavailable"


def test_keys_of_the_api_serve_while_the_provider_is_down(trusting: World, provider: Provider):
    provider.fail()

    response = client_of(trusting).get(f"/documents/{trusting.document('travel.txt')}", headers=bearer(trusting.key("ann")))

    assert response.status_code == 200


def test_a_signer_that_is_not_published_is_no_signer(trusting: World, provider: Provider, signer: Signer):
    provider.publish(signers()["RS256"].jwk)

    response = client_of(trusting).get("/documents/doc_x", headers=bearer(signer.token(claims(trusting.clock.at))))

    assert response.status_code == 401
