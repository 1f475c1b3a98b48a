"""The proof in full: `python -m tests.permissions.leaks`, or `make leaks`. Writes reports/leaks.json. Half an hour on two cores.

LEAK_TRIALS sets the number of trials; races, pairs of worlds and cases of the oracle keep their proportion to it. LEAK_SEED sets the seed.
From the full number of trials on, EnterpriseBench is compared too, where its data are. The parts share nothing and run side by side.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.permissions.agreement import count_agreements
from tests.permissions.campaign import run_trials
from tests.permissions.enterprise import campaign as enterprise
from tests.permissions.trials import Tally
from tests.permissions.two_worlds import Comparison, compare_worlds
from tests.permissions.worlds import Size

REPORT = Path("reports/leaks.json")
FULL_TRIALS = 100_000
RACES_PER_TRIAL, PAIRS_PER_TRIAL, CASES_PER_TRIAL, APPROXIMATE_PAIRS_PER_TRIAL = 0.2, 0.1, 10, 0.001
TRIALS_TOGETHER, PAIRS_TOGETHER = 5_000, 1_000
"""What one process does before it takes up the next part."""
SEEDS_BETWEEN = 1_000
"""Seeds from one part to the next: more than a part has worlds."""
APPROXIMATE_SIZE, APPROXIMATE_DIMENSIONS = Size(papers=2_500), 3_072
"""Enough numbers for the engine to make a graph of the passages and to search it instead of comparing all."""
MAX_PRINTED = 40


@dataclass
class Proof:
    """What all parts found together."""

    cases: int = 0
    disagreements: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    exact: Comparison = field(default_factory=Comparison)
    approximate: Comparison = field(default_factory=Comparison)
    company: dict[str, Any] = field(default_factory=dict)

    @property
    def found(self) -> list[str]:
        return [*self.disagreements, *self.tally.leaks, *self.tally.missing, *self.tally.logged, *self.exact.differences]

    def report(self, *, seed: int, seconds: float) -> dict[str, Any]:
        tally = self.tally
        return {
            "trials": tally.trials,
            "leaks": len(tally.leaks),
            "races": tally.races,
            "race_leaks": len(tally.race_leaks),
            "two_worlds_pairs": self.exact.pairs,
            "two_worlds_differences": len(self.exact.differences),
            "seed": seed,
            "missing": len(tally.missing),
            "traces_of_documents_shown": tally.shown,
            "log_lines_naming_documents": len(tally.logged),
            "changes": dict(sorted(tally.changes.items())),
            "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
            "oracle_cases": self.cases,
            "oracle_disagreements": len(self.disagreements),
            "two_worlds_hidden_documents": self.exact.hidden,
            "approximate_pairs": self.approximate.pairs,
            "approximate_differences": len(self.approximate.differences),
            **{name: value for name, value in self.company.items() if name.startswith("enterprise_")},
            "seconds": round(seconds),
        }


Take = Callable[[Any], None]
"""What is done with what a part found."""


def main() -> int:
    trials = int(os.environ.get("LEAK_TRIALS", str(FULL_TRIALS)))
    seed = int(os.environ.get("LEAK_SEED", "1"))
    started = time.monotonic()
    print(f"seed {seed}, {trials:,} trials", flush=True)
    proof = Proof()
    with (
        tempfile.TemporaryDirectory(prefix="archivist-leaks-") as name,
        ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as processes,
    ):
        parts = list(_parts(proof, processes, Path(name), trials=trials, seed=seed))
        for part, take in parts:
            take(part.result())
            print(f"{proof.tally.trials:,} trials, {proof.exact.pairs:,} pairs, {len(proof.found)} found", flush=True)
    report = proof.report(seed=seed, seconds=time.monotonic() - started)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(*proof.found[:MAX_PRINTED], json.dumps(report, indent=2), sep="\n")
    failed = proof.found or report.get("enterprise_differences") or report.get("enterprise_left_but_not_refused")
    return 1 if failed else 0


def _parts(proof: Proof, processes: ProcessPoolExecutor, directory: Path, *, trials: int, seed: int) -> Iterator[tuple[Future[Any], Take]]:
    """The longest first, so that no process is idle at the end."""

    def take_cases(found: tuple[int, list[str]]) -> None:
        proof.cases += found[0]
        proof.disagreements += found[1]

    if trials >= FULL_TRIALS and enterprise.is_possible():
        yield processes.submit(enterprise.prove, directory / "enterprise", seed=seed), proof.company.update
    approximate = max(1, int(trials * APPROXIMATE_PAIRS_PER_TRIAL))
    options: dict[str, Any] = {"size": APPROXIMATE_SIZE, "exact_passages": 1, "reading_much": True, "dimensions": APPROXIMATE_DIMENSIONS}
    yield processes.submit(compare_worlds, directory / "approximate", seed=seed, pairs=approximate, **options), proof.approximate.add
    yield processes.submit(count_agreements, directory / "oracle", seed=seed, cases=trials * CASES_PER_TRIAL), take_cases
    for number, share in enumerate(_shares(trials, TRIALS_TOGETHER)):
        mine = {"seed": seed + number * SEEDS_BETWEEN, "trials": share, "races": int(share * RACES_PER_TRIAL), "report": None}
        yield processes.submit(run_trials, directory / f"trials-{number}", **mine), proof.tally.add
    for number, share in enumerate(_shares(int(trials * PAIRS_PER_TRIAL), PAIRS_TOGETHER)):
        mine = {"seed": seed + number * SEEDS_BETWEEN, "pairs": share}
        yield processes.submit(compare_worlds, directory / f"pairs-{number}", **mine), proof.exact.add


def _shares(whole: int, together: int) -> list[int]:
    return [min(together, whole - done) for done in range(0, whole, together)]


if __name__ == "__main__":
    sys.exit(main())
