"""How soon `archivist demo` is ready: in a new data directory, and again in the same one."""

import re

from tests.benchmarks.processes import ChildError, Ended
from tests.benchmarks.product import Product
from tests.benchmarks.report import Figure, Goal, Measured
from tests.benchmarks.world import World

DEMO_SECONDS = 900
_READY = re.compile(r"Ready after (\d+) seconds")


def measure(world: World) -> Measured:
    product = Product(world.emptied("demo"))
    first, second = (product.run("-m", "api.cli.main", "demo", "--exit", seconds=DEMO_SECONDS) for _ in range(2))
    figures = [
        Figure("demo ready", _ready(first), "s", Goal("at most", 180)),
        Figure("demo ready, second time", _ready(second), "s", Goal("at most", 20)),
    ]
    return Measured(figures, {"whole commands in seconds": [round(first.seconds, 1), round(second.seconds, 1)]})


def _ready(ended: Ended) -> float:
    said = _READY.search(ended.output)
    if said is None:
        raise ChildError("the demonstration did not say when it was ready")
    return float(said[1])
