"""Trials and races over many random worlds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.permissions.plant import planted
from tests.permissions.trials import Tally, Trials
from tests.permissions.worlds import Author, Size

TRIALS_PER_WORLD = 500
RACES_PER_WORLD = 100
TURBULENT_SHARE = 0.25
STALLED_EVERY = 4
"""One world in four has an index that does not follow: there the gate alone keeps what was revoked."""
SIZES = (Size(), Size(papers=40, people=5, groups=4, applications=2, folders=2), Size(papers=300, people=30, groups=25, folders=6))


def run_trials(
    directory: Path, *, seed: int, trials: int, races: int, report: Callable[[str], None] | None = print, **options: Any
) -> Tally:
    """Trials and races over as many worlds as it takes; each has its own seed, counted up from `seed`."""
    tally = Tally()
    number = 0
    while (tally.trials < trials or tally.races < races) and not tally.has_failed:
        author = Author(seed + number, SIZES[number % len(SIZES)])
        stalled = number % STALLED_EVERY == STALLED_EVERY - 1
        with planted(directory / f"world-{number}", author.state(), stalled=stalled, **options) as plant:
            world = Trials(plant, author, tally, stalled=stalled)
            per_world = min(TRIALS_PER_WORLD, max(1, trials - tally.trials))
            world.quiet(int(per_world * (1 - TURBULENT_SHARE)))
            world.turbulent(int(per_world * TURBULENT_SHARE))
            world.races(min(RACES_PER_WORLD, max(0, races - tally.races)))
            tally.logged += plant.logged
        if report is not None:
            report(f"world {number} (seed {seed + number}): {tally.trials:,} trials, {tally.races:,} races, {len(tally.leaks)} leaks")
        number += 1
    return tally
