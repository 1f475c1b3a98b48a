"""Defects planted one at a time, each of which a test must catch: `python -m tests.permissions.mutants`, or `make mutants`.

Works in a copy of the checkout, so nothing of the product is touched. `MUTANTS` names some, separated by commas; without it all run.
Writes reports/mutants.json, where the verdicts on those not named stay. Exit status 1 when one was not caught.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = Path(__file__).with_suffix(".yaml")
REPORT = Path("reports/mutants.json")
COPIED = ("api", "pipelines", "retrieval", "tests", "data", "deploy", "pyproject.toml", "README.md", "Makefile")
CAMPAIGN = ("tests/permissions/test_leaks.py::test_nothing_leaks_and_nothing_is_missing", "tests/permissions/test_two_worlds.py")
"""Asked first: what the campaign catches, it catches in whatever the product becomes."""
SECONDS = 600
TRIALS, PAIRS = "300", "150"
"""Of the campaign, for each mutant: what takes longer to show is left to the tests that look for it."""
_TRIALS = re.compile(r"(?:trial|pair|case) ([\d,]+)")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Edit:
    file: str
    find: str
    replace: str


@dataclass(frozen=True)
class Mutant:
    """One defect.

    Attributes:
        tests: where to look for whoever catches it, after the campaign.
        by_campaign: whether the campaign is asked at all; who forges tokens, for one, is none of its business.
    """

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    by_campaign: bool = True

    @property
    def targets(self) -> list[list[str]]:
        return [list(CAMPAIGN), list(self.tests)] if self.by_campaign else [list(self.tests)]


@dataclass(frozen=True)
class Verdict:
    """`trials`: how many it took, 1 for a test that needs no chance; None when nothing caught it."""

    mutant: str
    caught: bool
    caught_by: str | None
    trials: int | None
    seconds: float


def read_mutants() -> list[Mutant]:
    raw: dict[str, Any] = yaml.safe_load(MUTANTS.read_text(encoding="utf-8"))
    return [
        Mutant(
            each["mutant"],
            tuple(Edit(edit.get("file", each.get("file")), edit["find"], edit["replace"]) for edit in each.get("edits", [each])),
            tuple(each.get("tests", raw["tests"])),
            each.get("by_campaign", True),
        )
        for each in raw["mutants"]
    ]


def main() -> int:
    wanted = {name for name in os.environ.get("MUTANTS", "").split(",") if name}
    mutants = [mutant for mutant in read_mutants() if not wanted or mutant.name in wanted]
    with tempfile.TemporaryDirectory(prefix="archivist-mutants-") as name:
        copy = _copied(Path(name))
        problem = _unmutated(copy, mutants)
        if problem is not None:
            print(f"without any mutant this fails already: {problem}")
            return 1
        verdicts = []
        for mutant in mutants:
            verdicts.append(_tried(copy, mutant))
            print(_line(verdicts[-1]), flush=True)
    _write(verdicts)
    caught = [verdict for verdict in verdicts if verdict.caught]
    slowest = max((verdict.trials or 0 for verdict in caught), default=0)
    print(f"{len(caught)} of {len(verdicts)} caught; the slowest took {slowest:,} trials")
    return 0 if len(caught) == len(verdicts) else 1


def _copied(directory: Path) -> Path:
    for name in COPIED:
        origin, target = ROOT / name, directory / name
        if origin.is_dir():
            shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, target)
    return directory


def _unmutated(copy: Path, mutants: Sequence[Mutant]) -> str | None:
    """The first failure of the tests as they are; a mutant proves nothing where they fail anyway."""
    targets = dict.fromkeys([*CAMPAIGN, *(test for mutant in mutants for test in mutant.tests)])
    return _first_failure(copy, list(targets))[0]


def _tried(copy: Path, mutant: Mutant) -> Verdict:
    started = time.monotonic()
    before = {edit.file: (copy / edit.file).read_text(encoding="utf-8") for edit in mutant.edits}
    try:
        for edit in mutant.edits:
            _apply(copy / edit.file, edit, mutant)
        for targets in mutant.targets:
            failed, trials = _first_failure(copy, targets)
            if failed is not None:
                return Verdict(mutant.name, caught=True, caught_by=failed, trials=trials, seconds=round(time.monotonic() - started, 1))
    finally:
        for file, text in before.items():
            (copy / file).write_text(text, encoding="utf-8")
    return Verdict(mutant.name, caught=False, caught_by=None, trials=None, seconds=round(time.monotonic() - started, 1))


def _apply(file: Path, edit: Edit, mutant: Mutant) -> None:
    text = file.read_text(encoding="utf-8")
    if text.count(edit.find) != 1:
        raise SystemExit(f"mutant '{mutant.name}': {edit.file} holds what is to be replaced {text.count(edit.find)} times, not once")
    file.write_text(text.replace(edit.find, edit.replace), encoding="utf-8")


def _first_failure(copy: Path, targets: Sequence[str]) -> tuple[str | None, int]:
    """Which test failed first, and after how many trials; None when all passed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *targets]
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ARCHIVIST_TEST_LEAK_TRIALS": TRIALS,
        "ARCHIVIST_TEST_LEAK_PAIRS": PAIRS,
    }
    try:
        ended = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"{targets[0]} (did not end)", 1
    if ended.returncode == 0:
        return None, 0
    found = _FAILED.search(ended.stdout)
    if found is None:
        raise SystemExit(f"pytest could not run:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}")
    trials = _TRIALS.search(ended.stdout)
    return found[1], int(trials[1].replace(",", "")) if trials else 1


def _write(verdicts: Sequence[Verdict]) -> None:
    known = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else []
    latest = {each["mutant"]: each for each in [*known, *(asdict(verdict) for verdict in verdicts)]}
    listed = [latest[mutant.name] for mutant in read_mutants() if mutant.name in latest]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")


def _line(verdict: Verdict) -> str:
    if not verdict.caught:
        return f"NOT CAUGHT  {verdict.mutant} ({verdict.seconds} s)"
    return f"caught      {verdict.mutant}: {verdict.caught_by}, {verdict.trials} trials, {verdict.seconds} s"


if __name__ == "__main__":
    sys.exit(main())
