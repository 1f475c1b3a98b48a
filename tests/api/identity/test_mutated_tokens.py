"""Whatever is wrong with a token, it is no credential: 2,200 of them, over HTTP, and none is accepted."""

import pytest

from tests.api.conftest import World
from tests.api.identity.conftest import bearer, client_of, configure
from tests.api.identity.faults import FAULTS, faulty
from tests.api.identity.provider import JWKS_PATH, Provider, claims, signers

OF_EACH_KIND = 100
assert OF_EACH_KIND * len(FAULTS) >= 2_000


@pytest.mark.permissions
@pytest.mark.parametrize("kind", FAULTS)
def test_no_token_with_a_fault_is_accepted_and_all_are_one_answer(trusting: World, provider: Provider, kind: str):
    configure(trusting, rate_limit_failed_authentications=0, oidc_groups_claim="groups")
    path = f"/documents/{trusting.document('travel.txt')}"
    with client_of(trusting) as client:
        good = [client.get(path, headers=bearer(signer.token(claims(trusting.clock.at)))).status_code for signer in signers().values()]
        anonymous = client.get(path)
        tokens = list(faulty(kind, OF_EACH_KIND, at=trusting.clock.at, url=provider.url))
        sent = [{"Authorization": b"Bearer " + token.encode()} for token in tokens]
        answers = [client.get(path, headers=headers) for headers in sent]

    assert good == [200, 200, 200]
    assert [token for token, answer in zip(tokens, answers, strict=True) if answer.status_code != 401] == []
    assert {without_id(answer.content, answer.json()) for answer in answers} == {without_id(anonymous.content, anonymous.json())}
    assert set(provider.asked) == {JWKS_PATH}
    assert len(provider.asked) <= 2  # once for the first key, and once more at most in ten seconds for all the unknown ones


def without_id(content: bytes, body: dict[str, str]) -> bytes:
    return content.replace(body["request_id"].encode(), b"")
