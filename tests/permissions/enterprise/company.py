"""EnterpriseBench's fictional company: its people with departments, levels and managers, and its records. Read as they are written."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[4] / "shared" / "data" / "enterprisebench"
_LEFT = re.compile(r"^DOL: (?!Present$)", re.MULTILINE)
"""A date of leaving."""


@dataclass(frozen=True)
class Employee:
    """`level` is 9 for those who start, 14 for those at the top."""

    id: str
    name: str
    department: str
    level: int
    manager: str | None
    has_left: bool

    @property
    def subject(self) -> str:
        return f"user:{self.id}"


@dataclass(frozen=True)
class Record:
    """`owners`: ids of employees, in the order of the file. Of a ticket the first asked and the second resolved it."""

    id: str
    kind: str
    title: str
    text: str
    owners: tuple[str, ...]


@dataclass(frozen=True)
class Company:
    employees: dict[str, Employee]
    records: tuple[Record, ...]

    @classmethod
    def read(cls, directory: Path = DATA) -> "Company":
        rows = list(_rows(directory / "corpus.jsonl"))
        left = {row["owners"][0] for row in rows if row["type"] == "hr_record" and _LEFT.search(row["text"])}
        employees = {row["emp_id"]: _employee(row, has_left=row["emp_id"] in left) for row in _rows(directory / "principals.jsonl")}
        records = (Record(row["_id"], row["type"], row["title"], row["text"], tuple(row["owners"])) for row in rows)
        return cls(employees, tuple(records))

    @cached_property
    def reports(self) -> dict[str, tuple[Employee, ...]]:
        """The direct reports of each manager."""
        found: dict[str, tuple[Employee, ...]] = {}
        for employee in self.employees.values():
            if employee.manager is not None:
                found[employee.manager] = (*found.get(employee.manager, ()), employee)
        return found


def _employee(row: dict[str, Any], *, has_left: bool) -> Employee:
    level = int(row["level"].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    return Employee(row["emp_id"], row["name"], row["department"], level, row["reports_to"], has_left)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
