"""What a field of a form is: its name, what it takes and what a person must know to fill it in."""

from dataclasses import dataclass
from enum import StrEnum

Value = str | int | float | bool | tuple[str, ...]
"""What one field holds."""


class FieldType(StrEnum):
    """What a field takes."""

    TEXT = "text"
    LIST = "a list of texts"
    WHOLE_NUMBER = "whole number"
    NUMBER = "number"
    SWITCH = "true or false"


@dataclass(frozen=True)
class FormField:
    """One field.

    Attributes:
        block: where its value stands in a source's YAML: `location`, `answers`, `contract` or `retention`; empty: at the top.
        default: what holds when it is not filled in; None: it then says nothing.
        example: a value that a person could start from.
        choices: the only values that it, or each entry of its list, takes; none: any.
    """

    name: str
    type: FieldType
    description: str
    block: str = ""
    required: bool = False
    default: Value | None = None
    example: Value | None = None
    choices: tuple[str, ...] = ()

    @property
    def explained(self) -> str:
        """The description with the choices written out and the example."""
        choices = f" {'Any' if self.type is FieldType.LIST else 'One'} of {', '.join(self.choices)}." if self.choices else ""
        example = "" if self.example is None else f" For example: {_shown(self.example)}"
        return self.description + choices + example


@dataclass(frozen=True)
class Section:
    """Fields that belong together, under a heading."""

    heading: str
    fields: tuple[FormField, ...]


def _shown(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
