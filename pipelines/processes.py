"""Which process works on a run, and whether it still does. A run whose process was killed would hold its source's place for ever."""

import os
import socket
from pathlib import Path

import dagster as dg

PROCESS_TAG = "archivist/process"
PARTITION_TAG = "dagster/partition"
"""Dagster's own, and so on every run over a source, whoever launched it."""
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
WORKING = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def process_name(pid: int) -> str:
    """Host, process id and, where the system tells it, the start time: together they mean one process."""
    return f"{socket.gethostname()}/{pid}/{_start_time(pid)}"


def worked_on_by(run_id: str, pid: int) -> dict[str, str]:
    """The tag that says which process works on a run. It names the run: one that repeats another inherits that one's tags."""
    return {PROCESS_TAG: f"{run_id}@{process_name(pid)}"}


def is_dead(name: str) -> bool:
    """Whether this process ran on this host and does not any more. Of other hosts nothing is known."""
    host, pid, started = name.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is somebody else's, so it exists
    return _start_time(int(pid)) != started


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process is gone. Returns their ids."""
    ended = []
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=WORKING)):
        of_run, _, process = run.tags.get(PROCESS_TAG, "").partition("@")
        if of_run == run.run_id and is_dead(process):
            instance.report_run_failed(run, "The process of this run is gone: it was killed, or the machine stopped.")
            ended.append(run.run_id)
    return ended


def busy_sources(instance: dg.DagsterInstance) -> frozenset[str]:
    """Sources with a run that waits or works."""
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED))
    return frozenset(run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags)


def _start_time(pid: int) -> str:
    """In clock ticks since the machine started, on Linux; elsewhere nothing, and the process id has to do."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
