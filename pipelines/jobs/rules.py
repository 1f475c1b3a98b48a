"""Permission rules as people write them in one line: `finance/**: allow group:finance, user:ann; deny user:bob`."""

import re
from collections.abc import Sequence

from retrieval.domain.errors import FieldProblem

WRITTEN = "write it like 'finance/**: allow group:finance, user:ann; deny user:bob'"
_LINE = re.compile(r"(?P<glob>\S.*?)\s*:\s+(?P<grants>(?:allow|deny)\s.*)", re.DOTALL)
_GRANT = re.compile(r"(?P<effect>allow|deny)\s+(?P<subjects>.+)", re.DOTALL)


def rules_as_json(lines: Sequence[str]) -> tuple[list[dict[str, object]], list[FieldProblem]]:
    """Each line as {glob, allow, deny}, and what is wrong with the lines that cannot be read; those count as `**` for nobody."""
    rules: list[dict[str, object]] = []
    problems: list[FieldProblem] = []
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line.strip())
        grants = _grants(match["grants"]) if match else None
        if match is None or grants is None:
            problems.append(FieldProblem(f"rules[{number}]", WRITTEN))
            rules.append({"glob": "**"})
        else:
            rules.append({"glob": match["glob"], **grants})
    return rules, problems


def _grants(text: str) -> dict[str, list[str]] | None:
    """Effect to subjects; None when a part cannot be read or an effect comes twice."""
    grants: dict[str, list[str]] = {}
    for part in text.split(";"):
        match = _GRANT.fullmatch(part.strip())
        subjects = [subject.strip() for subject in match["subjects"].split(",")] if match else []
        if match is None or match["effect"] in grants or not all(subjects):
            return None
        grants[match["effect"]] = subjects
    return grants
