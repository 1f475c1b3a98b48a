"""What was measured: figures with their goals, the machine, the commit; printed and written as JSON."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

Load = tuple[float, float, float]
"""Processes that ran or waited for a processor: means of the last 1, 5 and 15 minutes."""
Comparison = Literal["at most", "at least"]


@dataclass(frozen=True)
class Goal:
    bound: Comparison
    value: float

    def is_met(self, measured: float) -> bool:
        return measured <= self.value if self.bound == "at most" else measured >= self.value

    def __str__(self) -> str:
        return f"{'<=' if self.bound == 'at most' else '>='} {self.value:g}"


@dataclass(frozen=True)
class Figure:
    """One number. Without a goal it is there to explain the others."""

    name: str
    value: float
    unit: str
    goal: Goal | None = None


@dataclass(frozen=True)
class Measured:
    """What one part found.

    Attributes:
        details: how it was measured: counts, single rounds, rates.
    """

    figures: Sequence[Figure]
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PartReport:
    """One part with the circumstances it was measured in. `goals_apply` is false where less than the goals' amounts was measured."""

    name: str
    measured: Measured
    commit: str
    started_at: str
    seconds: float
    load_before: Load
    load_after: Load
    goals_apply: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "commit": self.commit,
            "started_at": self.started_at,
            "seconds": round(self.seconds, 1),
            "load_before": self.load_before,
            "load_after": self.load_after,
            "figures": {figure.name: self._figure(figure) for figure in self.measured.figures},
            "details": dict(self.measured.details),
        }

    def _figure(self, figure: Figure) -> dict[str, Any]:
        shown: dict[str, Any] = {"value": _rounded(figure.value), "unit": figure.unit}
        if figure.goal is not None:
            shown["goal"] = str(figure.goal)
            shown["met"] = figure.goal.is_met(figure.value) if self.goals_apply else None
        return shown

    def missed(self) -> list[Figure]:
        return [f for f in self.measured.figures if self.goals_apply and f.goal is not None and not f.goal.is_met(f.value)]


@dataclass(frozen=True)
class Machine:
    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    torch: str
    sentence_transformers: str


def this_machine() -> Machine:
    models = {line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")}
    memory_kib = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal:")), 0)
    return Machine(
        processor=", ".join(sorted(models)) or platform.processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory_kib / 1024**2, 1),
        system=platform.platform(),
        python=platform.python_version(),
        torch=version("torch"),
        sentence_transformers=version("sentence-transformers"),
    )


def this_commit(repository: Path) -> str:
    """The commit that is checked out, marked when files differ from it."""
    return _git(repository, "rev-parse", "HEAD") + ("-dirty" if _git(repository, "status", "--porcelain", "-uno") else "")


def write(file: Path, machine: Machine, parts: Sequence[PartReport]) -> None:
    """Put these parts in the report; others stay in it when they were measured on the same machine."""
    before = json.loads(file.read_text()) if file.exists() else {}
    kept = before.get("parts", {}) if before.get("machine") == asdict(machine) else {}
    content = {"machine": asdict(machine), "parts": kept | {part.name: part.as_json() for part in parts}}
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    part.replace(file)


def show(part: PartReport) -> None:
    table = Table(
        title=f"{part.name} ({part.seconds:.0f} s, load {part.load_before[0]:.1f} -> {part.load_after[0]:.1f})", title_justify="left"
    )
    for column in ("figure", "value", "unit", "goal", "met"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for figure in part.measured.figures:
        table.add_row(figure.name, f"{_rounded(figure.value):g}", figure.unit, str(figure.goal or ""), _met(figure, part))
    console().print(table)


def console() -> Console:
    return Console(file=sys.stdout, soft_wrap=True, highlight=False)


def _met(figure: Figure, part: PartReport) -> str:
    if figure.goal is None:
        return ""
    if not part.goals_apply:
        return "-"
    return "yes" if figure.goal.is_met(figure.value) else "NO"


def _rounded(value: float) -> float:
    return round(value, 3 if abs(value) < 100 else 1)


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []


def _git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *arguments], check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "unknown"
