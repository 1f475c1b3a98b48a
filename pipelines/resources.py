"""What assets, jobs and sensors work with. A plain object: run configuration cannot point it anywhere else."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property

from retrieval.bootstrap import Catalog, Ingestion, open_ingestion
from retrieval.settings import Settings

MAX_TALLIES = 100
"""Runs whose counts are remembered in one process."""


class Workbench:
    """One process's catalog, blobs and models, opened at first use and not when Dagster loads the definitions.

    Args:
        settings: read from the environment at first use when they are not given.
        opening: how the parts are opened.
    """

    def __init__(
        self, settings: Settings | None = None, *, opening: Callable[[Settings], AbstractContextManager[Ingestion]] = open_ingestion
    ) -> None:
        self._given = settings
        self._opening = opening
        self._open = ExitStack()
        self._tallies: OrderedDict[str, Counter[str]] = OrderedDict()

    @cached_property
    def settings(self) -> Settings:
        return self._given or Settings()

    @cached_property
    def ingestion(self) -> Ingestion:
        return self._open.enter_context(self._opening(self.settings))

    @property
    def catalog(self) -> Catalog:
        return self.ingestion.catalog

    def tally(self, run_id: str) -> Counter[str]:
        """What a run of this process has counted so far. A run is one process, so nothing has to be kept longer."""
        tally = self._tallies.setdefault(run_id, Counter())
        while len(self._tallies) > MAX_TALLIES:
            self._tallies.popitem(last=False)
        return tally

    def close(self) -> None:
        self._open.close()
        self.__dict__.pop("ingestion", None)
