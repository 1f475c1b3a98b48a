"""What the assets of one run share: the ledger, progress, counts and the way errors end a run."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

import dagster as dg

from pipelines.assets.partitions import SOURCE_TAG
from pipelines.connectors.port import Connector
from pipelines.connectors.registry import connect
from pipelines.processes import worked_on_by
from pipelines.resources import Workbench
from retrieval.domain.contracts import ContractTerms
from retrieval.domain.errors import ArchivistError, Fenced, Unavailable
from retrieval.domain.ingestion import CANCELLED, FAILED, SUCCEEDED, SourceRun

PROGRESS_SECONDS = 1.0
"""Least time between two entries of progress: each is a durable write."""


class Stage:
    """One asset at work on one source. Counts add up over the stages of a run."""

    def __init__(self, workbench: Workbench, run: SourceRun, phase: str) -> None:
        self.ingestion = workbench.ingestion
        self.settings = workbench.settings
        self.catalog = workbench.catalog
        self.run = run
        self._phase = phase
        self._tally = workbench.tally(run.id)
        self._started = time.monotonic()
        self._told = 0.0
        self.tell(0)

    @property
    def contract(self) -> ContractTerms:
        """What is promised of the source, as it is registered now."""
        return self.catalog.sources.get(self.run.source).spec.contract

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def tell(self, done: int, total: int | None = None) -> None:
        """Write down how far this stage is, for the people who watch; at most once in `PROGRESS_SECONDS`.

        Raises:
            Fenced: a newer run has started.
        """
        now = time.monotonic()
        if self._told == 0 or now - self._told >= PROGRESS_SECONDS:
            self.catalog.runs.progress(self.run, self._phase, done=done, total=total)
            self._told = now

    def result(self, counts: Any, /, **shown: Any) -> dg.MaterializeResult[None]:  # noqa: ANN401 - a dataclass or a mapping of counts; metadata
        """Counts for the ledger and for Dagster, with what else is shown there."""
        found: Mapping[str, int] = counts if isinstance(counts, Mapping) else asdict(counts)
        self._tally.update(found)
        return dg.MaterializeResult(metadata={**found, "seconds": round(self.seconds, 2), **shown})

    def succeed(self) -> None:
        self.catalog.runs.finish(self.run, outcome=SUCCEEDED, counts=self._tally)


@contextmanager
def at_work(context: dg.AssetExecutionContext, workbench: Workbench, phase: str, *, starts: bool = False) -> Iterator[Stage]:
    """A stage of the run that `starts` begins in the ledger. What goes wrong is written there and told to Dagster in plain words.

    Raises:
        dg.RetryRequested: something is not there just now, and attempts are left.
        dg.Failure: anything else that Archivist raises on purpose.
    """
    try:
        ledger = workbench.catalog.runs
        if starts:
            tags = {SOURCE_TAG: context.partition_key, **worked_on_by(context.run.run_id, os.getpid())}
            context.instance.add_run_tags(context.run.run_id, tags)
        run = (ledger.start if starts else ledger.resume)(context.partition_key, context.run.run_id)
        yield Stage(workbench, run, phase)
    except Unavailable as error:
        _retry_if_left(context, workbench, error)
        raise _failure(context, workbench, error) from error
    except ArchivistError as error:
        raise _failure(context, workbench, error) from error
    except BaseException as error:
        outcome = CANCELLED if isinstance(error, KeyboardInterrupt | dg.DagsterExecutionInterruptedError) else FAILED
        _finish(context, workbench, outcome, f"stopped by {type(error).__name__}; the run's log in Dagster says more")
        raise


@contextmanager
def connected(stage: Stage) -> Iterator[Connector]:
    """The connector of the stage's source, as it is registered now."""
    connector = connect(stage.catalog.sources.get(stage.run.source).spec, stage.settings)
    try:
        yield connector
    finally:
        connector.close()


def _retry_if_left(context: dg.AssetExecutionContext, workbench: Workbench, error: Unavailable) -> None:
    retries = workbench.settings.source_attempts - 1
    if context.retry_number < retries:
        pause = max(workbench.settings.source_retry_seconds * 2**context.retry_number, error.retry_after_seconds)
        context.log.warning("%s; trying again in %d s", error, pause)
        raise dg.RetryRequested(max_retries=retries, seconds_to_wait=pause) from error


def _failure(context: dg.AssetExecutionContext, workbench: Workbench, error: ArchivistError) -> dg.Failure:
    _finish(context, workbench, CANCELLED if isinstance(error, Fenced) else FAILED, str(error))
    return dg.Failure(description=str(error), allow_retries=False)


def _finish(context: dg.AssetExecutionContext, workbench: Workbench, outcome: str, problem: str) -> None:
    """Close the run in the ledger, if the ledger can be reached and knows it."""
    with suppress(ArchivistError):
        run = workbench.catalog.runs.resume(context.partition_key, context.run.run_id)
        workbench.catalog.runs.finish(run, outcome=outcome, problem=problem, counts=workbench.tally(context.run.run_id))
