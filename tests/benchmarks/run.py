"""Measure Archivist's speed and size: `python -m tests.benchmarks.run` from the repository's root. README.md says what is measured."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from retrieval.domain.clock import SystemClock, stamp
from tests.benchmarks import authorisation, changed, demo, ingestion, latency, memory, planner, readpath, resync, rollback, timing
from tests.benchmarks.processes import REPOSITORY, ChildError
from tests.benchmarks.report import Machine, Measured, PartReport, console, show, this_commit, this_machine, write
from tests.benchmarks.world import NotThereError, World

PARTS: Mapping[str, Callable[[World], Measured]] = {
    "demo": demo.measure,
    "ingestion": ingestion.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "resync": resync.measure,
    "changed": changed.measure,
    "authorisation": authorisation.measure,
    "timing": timing.measure,
    "planner": planner.measure,
    "readpath": readpath.measure,
    "rollback": rollback.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when everything could be measured, whether or not the goals were met; else 1."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    world = World(small=options.small, fresh=options.fresh)
    machine = this_machine()
    console().print(f"{machine.processor}, {machine.cores} cores, {machine.memory_gib} GiB; commit {this_commit(REPOSITORY)}")
    results = [_measured(name, world, machine) for name in options.only]
    missed = [f"{part.name}: {figure.name}" for part in results if part is not None for figure in part.missed()]
    console().print(
        f"missed: {'; '.join(missed)}" if missed else "no goal was missed" if not world.small else "small: the goals do not apply"
    )
    return 1 if None in results else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.run", description=__doc__)
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar="PART,...", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--small", action="store_true", help="a few hundred passages: for trying the benchmarks, the goals do not apply")
    parser.add_argument("--fresh", action="store_true", help="ingest the main collection anew")
    return parser


def _parts(written: str) -> list[str]:
    names = [name for name in PARTS if name in written.split(",")]
    if len(names) != len(set(written.split(","))):
        raise argparse.ArgumentTypeError(f"parts are {', '.join(PARTS)}")
    return names


def _measured(name: str, world: World, machine: Machine) -> PartReport | None:
    """One part, shown and written down at once; None when it could not be measured, which is said."""
    console().print(f"\nmeasuring {name}")
    started_at, began, load = stamp(SystemClock().now()), time.monotonic(), os.getloadavg()
    try:
        measured = PARTS[name](world)
    except NotThereError as missing:
        console().print(f"{name} is left out: {missing}", style="yellow", markup=False)
        return None
    except (ChildError, AssertionError) as error:
        console().print(f"{name} could not be measured: {error}", style="red", markup=False)
        return None
    seconds = time.monotonic() - began
    goals_apply = not world.small or name == "demo"
    part = PartReport(name, measured, this_commit(REPOSITORY), started_at, seconds, load, os.getloadavg(), goals_apply)
    show(part)
    write(REPOSITORY / "reports" / ("bench-small.json" if world.small else "bench.json"), machine, [part])
    return part


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Leave by way of every `with` block, so that nothing that was started stays."""
    sys.exit(1)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
