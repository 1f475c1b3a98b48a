"""A process that learns from decided escalations until it is killed: `python -m tests.faults.learner DIRECTORY`."""

import sys
from pathlib import Path

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.clock import SystemClock
from retrieval.learning_service.lessons import Learner
from retrieval.settings import Settings

BATCH = 3


def learner_of(settings: Settings, catalog: Catalog) -> Learner:
    kept = catalog.learning
    return Learner(
        settings,
        SystemClock(),
        resolutions=catalog.escalations,
        lessons=kept.lessons,
        anchoring=kept.anchoring,
        forgetting=kept.forgetting,
    )


if __name__ == "__main__":
    settings = Settings(data_directory=Path(sys.argv[1]), learning_batch=BATCH)
    learner = learner_of(settings, open_catalog(settings))
    print("ready", flush=True)
    learner.learn()
    print("learned", flush=True)
