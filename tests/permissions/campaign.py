"""The proof in full: `python -m tests.permissions.campaign`, or `make leaks`. Writes reports/leaks.json.

LEAK_TRIALS sets the number of trials; races, pairs of worlds and cases of the oracle keep their proportion to it. LEAK_SEED sets the seed.
From the full number of trials on, EnterpriseBench is compared too, where its data are.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.permissions.agreement import count_agreements
from tests.permissions.enterprise import campaign as enterprise
from tests.permissions.plant import planted
from tests.permissions.trials import Tally, Trials
from tests.permissions.two_worlds import compare_worlds
from tests.permissions.worlds import Author, Size

REPORT = Path("reports/leaks.json")
FULL_TRIALS = 100_000
RACES_PER_TRIAL, PAIRS_PER_TRIAL, CASES_PER_TRIAL, APPROXIMATE_PAIRS_PER_TRIAL = 0.2, 0.1, 10, 0.005
APPROXIMATE_SIZE, APPROXIMATE_DIMENSIONS = Size(papers=2_500), 3_072
"""Enough numbers for the engine to make a graph of the passages and to search it instead of comparing all."""
TRIALS_PER_WORLD = 500
RACES_PER_WORLD = 100
TURBULENT_SHARE = 0.25
STALLED_EVERY = 4
"""One world in four has an index that does not follow: there the gate alone keeps what was revoked."""
SIZES = (Size(), Size(papers=40, people=5, groups=4, applications=2, folders=2), Size(papers=300, people=30, groups=25, folders=6))


def run_trials(directory: Path, *, seed: int, trials: int, races: int, report: Callable[[str], None] = print, **options: Any) -> Tally:
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
        report(f"world {number} (seed {seed + number}): {tally.trials:,} trials, {tally.races:,} races, {len(tally.leaks)} leaks")
        number += 1
    return tally


def main() -> int:
    trials = int(os.environ.get("LEAK_TRIALS", str(FULL_TRIALS)))
    seed = int(os.environ.get("LEAK_SEED", "1"))
    started = time.monotonic()
    print(f"seed {seed}, {trials:,} trials", flush=True)
    with tempfile.TemporaryDirectory(prefix="archivist-leaks-") as name:
        report = _run(Path(name), trials=trials, seed=seed)
    report["seconds"] = round(time.monotonic() - started)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    found = ("leaks", "race_leaks", "missing", "log_lines_naming_documents", "two_worlds_differences", "oracle_disagreements")
    found += ("enterprise_differences", "enterprise_left_but_not_refused")
    return 1 if any(report.get(name) for name in found) else 0


def _run(directory: Path, *, trials: int, seed: int) -> dict[str, Any]:
    cases, disagreements = count_agreements(directory / "oracle", seed=seed, cases=trials * CASES_PER_TRIAL)
    print(f"oracle: {cases:,} cases, {len(disagreements)} disagreements", flush=True)
    tally = run_trials(directory, seed=seed, trials=trials, races=int(trials * RACES_PER_TRIAL))
    exact = compare_worlds(directory / "exact", seed=seed, pairs=int(trials * PAIRS_PER_TRIAL))
    print(f"two worlds: {exact.pairs:,} pairs, {len(exact.differences)} differences", flush=True)
    approximate = compare_worlds(
        directory / "approximate",
        seed=seed,
        pairs=max(1, int(trials * APPROXIMATE_PAIRS_PER_TRIAL)),
        size=APPROXIMATE_SIZE,
        exact_passages=1,
        reading_much=True,
        dimensions=APPROXIMATE_DIMENSIONS,
    )
    company = enterprise.prove(directory / "enterprise", seed=seed) if trials >= FULL_TRIALS and enterprise.is_possible() else {}
    for line in [*disagreements, *tally.leaks, *tally.missing, *tally.logged, *exact.differences]:
        print(line)
    return {
        "trials": tally.trials,
        "leaks": len(tally.leaks),
        "races": tally.races,
        "race_leaks": len(tally.race_leaks),
        "two_worlds_pairs": exact.pairs,
        "two_worlds_differences": len(exact.differences),
        "seed": seed,
        "missing": len(tally.missing),
        "traces_of_documents_shown": tally.shown,
        "log_lines_naming_documents": len(tally.logged),
        "changes": dict(sorted(tally.changes.items())),
        "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
        "oracle_cases": cases,
        "oracle_disagreements": len(disagreements),
        "approximate_pairs": approximate.pairs,
        "approximate_differences": len(approximate.differences),
        **{name: value for name, value in company.items() if name.startswith("enterprise_")},
    }


if __name__ == "__main__":
    sys.exit(main())
