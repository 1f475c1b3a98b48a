"""How much at once: limits of Dagster's pools, set before anything runs: `python -m pipelines.pools`.

A pool's default limit counts only from its first use on, so that the first runs of all would not be held back.
"""

import sys

from pipelines.assets.embeddings import EMBEDDER_POOL
from pipelines.home import dagster_instance
from retrieval.settings import Settings


def limit_pools(settings: Settings) -> None:
    """Let so many runs embed at once as the settings say, the ones that wait included in Dagster's UI under Deployment, Concurrency."""
    with dagster_instance(settings) as instance:
        instance.event_log_storage.set_concurrency_slots(EMBEDDER_POOL, settings.embedder_concurrent_runs)


def main() -> int:
    limit_pools(Settings())
    return 0


if __name__ == "__main__":
    sys.exit(main())
