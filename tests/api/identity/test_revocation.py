"""A revoked key acts on the next request: races between a key's holder and whoever revokes it."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from time import perf_counter

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import World
from tests.api.identity.conftest import bearer, client_of, configure, key_of

RACES = int(os.environ.get("ARCHIVIST_TEST_REVOCATIONS", "250"))
HOLDERS = 3


@dataclass
class Holder:
    """Somebody who uses a key until it is refused: when each request started, and its status."""

    client: TestClient
    path: str
    headers: dict[str, str]
    served: Event = field(default_factory=Event)
    requests: list[tuple[float, int]] = field(default_factory=list)

    def use(self) -> None:
        while not self.requests or self.requests[-1][1] == 200:
            started = perf_counter()
            status = self.client.get(self.path, headers=self.headers).status_code
            self.requests.append((started, status))
            self.served.set()


@pytest.mark.permissions
@pytest.mark.slow
def test_no_request_that_starts_after_a_key_was_revoked_is_served(world: World):
    configure(world, rate_limit_requests=0, rate_limit_failed_authentications=0)
    path, late, served = f"/documents/{world.document('travel.txt')}", [], 0
    with client_of(world) as client, ThreadPoolExecutor(HOLDERS) as pool:
        for _ in range(RACES):
            key = key_of(world, "user:ann")
            holders = [Holder(client, path, bearer(key)) for _ in range(HOLDERS)]
            running = [pool.submit(holder.use) for holder in holders]
            for holder in holders:
                assert holder.served.wait(10)

            world.catalog.keys.revoke(key.split("_")[1], world.clock.at)
            revoked = perf_counter()

            late.append(client.get(path, headers=bearer(key)).status_code)
            for each in running:
                each.result(10)
            requests = [request for holder in holders for request in holder.requests]
            late += [status for started, status in requests if started > revoked]
            served += sum(status == 200 for _, status in requests)

    print(f"{RACES} keys revoked; {served} requests served before, {len(late)} started after")
    assert set(late) == {401}
    assert served >= RACES * HOLDERS
