"""Permission rules as people write them in one line: `finance/**: allow group:finance, user:ann; deny user:bob`."""

import re
from collections.abc import Mapping, Sequence

from retrieval.domain.errors import FieldProblem, InvalidInput

WRITTEN = "write it like 'finance/**: allow group:finance, user:ann; deny user:bob', or 'drafts/**: nobody'"
NOBODY = "nobody"
_LINE = re.compile(r"(?P<glob>\S.*?)\s*:\s+(?P<grants>(?:allow|deny)\s.*|nobody)", re.DOTALL)
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


def rules_as_lines(rules: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """The inverse, for rules of the form {glob, allow, deny}.

    Raises:
        InvalidInput: names the rules that a line cannot hold, such as one with a comma in a subject.
    """
    lines = tuple(_line(rule) for rule in rules)
    read, _ = rules_as_json(lines)
    changed = [number for number, (rule, again) in enumerate(zip(rules, read, strict=True), 1) if _plain(rule) != _plain(again)]
    if changed:
        raise InvalidInput(
            [FieldProblem(f"rules[{number}]", "does not fit in one line: change the source with a YAML file") for number in changed]
        )
    return lines


def _grants(text: str) -> dict[str, list[str]] | None:
    """Effect to subjects; None when a part cannot be read or an effect comes twice."""
    grants: dict[str, list[str]] = {}
    for part in text.split(";") if text != NOBODY else ():
        match = _GRANT.fullmatch(part.strip())
        subjects = [subject.strip() for subject in match["subjects"].split(",")] if match else []
        if match is None or match["effect"] in grants or not all(subjects):
            return None
        grants[match["effect"]] = subjects
    return grants


def _line(rule: Mapping[str, object]) -> str:
    glob, grants = _plain(rule)
    return f"{glob}: " + ("; ".join(f"{effect} {', '.join(subjects)}" for effect, subjects in grants) or NOBODY)


def _plain(rule: Mapping[str, object]) -> tuple[str, list[tuple[str, list[str]]]]:
    """The pattern, and each effect that names anybody with its subjects."""
    named = ((effect, rule.get(effect)) for effect in ("allow", "deny"))
    return str(rule["glob"]), [(effect, [str(each) for each in found]) for effect, found in named if isinstance(found, list) and found]
