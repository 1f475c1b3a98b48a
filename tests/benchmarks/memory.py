"""How much memory the API process holds."""

import time

from tests.benchmarks.latency import warm
from tests.benchmarks.processes import ChildError
from tests.benchmarks.product import SETTLE_SECONDS, Api
from tests.benchmarks.report import Figure, Goal, Measured
from tests.benchmarks.world import World

MOST_MIB = 1536.0


def measure(world: World) -> Measured:
    product = world.main.product
    key = product.make_reader_key()
    with product.serving() as api:
        ready = api.memory_mib()
        warm(api, key, world)
        asked = api.memory_mib()
        _rebuild_index(api)
        warm(api, key, world)
        rebuilt = api.memory_mib()
    figures = [
        Figure("resident after queries", asked["resident"], "MiB", Goal("at most", MOST_MIB)),
        Figure("peak after queries", asked["peak"], "MiB", Goal("at most", MOST_MIB)),
        Figure("resident when ready", ready["resident"], "MiB"),
        Figure("resident after an index rebuild", rebuilt["resident"], "MiB"),
        Figure("peak with an index rebuild", rebuilt["peak"], "MiB", Goal("at most", MOST_MIB)),
    ]
    return Measured(figures, {**world.main.describe(), "ready": ready, "after queries": asked, "after a rebuild": rebuilt})


def _rebuild_index(api: Api) -> None:
    """Ask for a new generation, as `archivist index rebuild` does, and wait until it serves."""
    before = api.generation()
    with api.product.catalog() as catalog:
        catalog.index_state.request_rebuild()
    end = time.monotonic() + SETTLE_SECONDS
    while api.generation() == before:
        if time.monotonic() > end:
            raise ChildError(f"the index was not rebuilt within {SETTLE_SECONDS} seconds")
        time.sleep(0.5)
    api.settle()
