"""Of many that claim an idempotency key at once one gets it, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from retrieval.adapters.catalog.catalog import Catalog

pytestmark = pytest.mark.contract

DAY = 86_400
REQUEST = bytes(32)


def test_of_many_that_claim_a_key_at_once_one_gets_it(catalog: Catalog):
    for n in range(20):
        key = n.to_bytes(32, "big")
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _, key=key: catalog.idempotency.claim(key, REQUEST, kept_seconds=DAY), range(8)))

        assert found.count(None) == 1
        assert {(kept.request_hash, kept.status) for kept in found if kept is not None} == {(REQUEST, None)}


def test_what_is_kept_is_given_back_and_what_is_released_is_free(catalog: Catalog):
    store, kept, released = catalog.idempotency, bytes([1]) * 32, bytes([2]) * 32
    for key in (kept, released):
        store.claim(key, REQUEST, kept_seconds=DAY)
    store.complete(kept, status=201, sealed=b"sealed")
    store.release(kept)
    store.release(released)

    again = store.claim(kept, REQUEST, kept_seconds=DAY)

    assert again is not None
    assert (again.status, again.sealed) == (201, b"sealed")
    assert store.claim(released, REQUEST, kept_seconds=DAY) is None
