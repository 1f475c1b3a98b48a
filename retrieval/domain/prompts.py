"""Prompts: what a generator is told to do. Each is a file with an id and a version that never changes once it is released."""

import re
from dataclasses import dataclass
from string import Formatter

from retrieval.domain.errors import FieldProblem, InvalidInput

MAX_INSTRUCTION_CHARACTERS = 8_000
MAX_RESTATED_CHARACTERS = 1_000
MAX_LINE_CHARACTERS = 300
"""Longest owner or purpose."""
PLACEHOLDERS = frozenset({"marker", "nothing"})
"""What instructions and their short form must name, and all that they may name, in braces."""

_NAME = re.compile(r"(?P<id>[a-z][a-z0-9-]{0,63})@(?P<version>[1-9][0-9]{0,5})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORD = re.compile(r"[A-Z]{3,20}")


@dataclass(frozen=True)
class Prompt:
    """One version of a prompt.

    Attributes:
        owner: who answers for it.
        purpose: what it is for, in one line.
        changed: the day on which this version was made, e.g. `2026-11-21`.
        nothing: the word that a model writes when the passages do not answer.
        instructions: the system's part, with `{marker}` and `{nothing}` where these go.
        restated: the same in short, for behind the passages.
        content_hash: of the file, 64 hexadecimal digits.
    """

    id: str
    version: int
    owner: str
    purpose: str
    changed: str
    nothing: str
    instructions: str
    restated: str
    content_hash: str = ""

    def __post_init__(self) -> None:
        problems = [problem for problem in self._problems() if problem is not None]
        if problems:
            raise InvalidInput(problems)

    @property
    def name(self) -> str:
        """As it is chosen and recorded, e.g. `answer@1`."""
        return f"{self.id}@{self.version}"

    def instructions_with(self, marker: str) -> str:
        return self.instructions.format(marker=marker, nothing=self.nothing).strip()

    def restated_with(self, marker: str) -> str:
        return self.restated.format(marker=marker, nothing=self.nothing).strip()

    def _problems(self) -> list[FieldProblem | None]:
        return [
            None if _NAME.fullmatch(self.name) else FieldProblem("id", "lower-case letters, digits and hyphens, and a version from 1"),
            _line_problem("owner", self.owner),
            _line_problem("purpose", self.purpose),
            None if _DATE.fullmatch(self.changed) else FieldProblem("changed", "a date like 2026-11-21"),
            None if _WORD.fullmatch(self.nothing) else FieldProblem("nothing", "one word in capitals", "3 to 20 letters"),
            _template_problem("instructions", self.instructions, MAX_INSTRUCTION_CHARACTERS),
            _template_problem("restated", self.restated, MAX_RESTATED_CHARACTERS),
        ]


def prompt_name(text: str) -> tuple[str, int]:
    """Id and version of a name such as `answer@1`. Raises InvalidInput."""
    found = _NAME.fullmatch(text)
    if found is None:
        raise InvalidInput.of("prompt", "is written as id and version, e.g. 'answer@1'")
    return found["id"], int(found["version"])


def _line_problem(field: str, text: str) -> FieldProblem | None:
    if text.strip() and len(text) <= MAX_LINE_CHARACTERS and text.isprintable():
        return None
    return FieldProblem(field, "is one line of text", f"1 to {MAX_LINE_CHARACTERS} characters")


def _template_problem(field: str, text: str, most: int) -> FieldProblem | None:
    if not text.strip() or len(text) > most:
        return FieldProblem(field, "is missing or too long", f"1 to {most} characters")
    try:
        named = {(name, conversion, form) for _, name, form, conversion in Formatter().parse(text) if name is not None}
    except ValueError:
        return FieldProblem(field, "has a brace that opens or closes nothing")
    if named != {(name, None, "") for name in PLACEHOLDERS}:
        return FieldProblem(field, "names each placeholder and no other", ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS)))
    return None
