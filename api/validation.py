"""Pydantic's validation errors as field problems: our words, and never the rejected value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from retrieval.domain.errors import FieldProblem

MAX_NAMED_FIELDS = 20
"""Problems listed at most; a body of nonsense does not make a long answer."""
MAX_NAME_LENGTH = 100

_Context = Mapping[str, Any]
_Words = tuple[str, Callable[[_Context], str | None]]


def _no_limit(_context: _Context) -> None:
    return None


_WORDS: Mapping[str, _Words] = {
    "missing": ("is required", _no_limit),
    "extra_forbidden": ("is not a known field", _no_limit),
    "string_type": ("must be a string", _no_limit),
    "string_unicode": ("must be valid Unicode", _no_limit),
    "string_pattern_mismatch": ("is not written as it must be", lambda c: f"pattern {c['pattern']}"),
    "string_too_short": ("is too short", lambda c: f"at least {c['min_length']} characters"),
    "string_too_long": ("is too long", lambda c: f"{c['max_length']} characters"),
    "int_type": ("must be a whole number", _no_limit),
    "int_parsing": ("must be a whole number", _no_limit),
    "int_parsing_size": ("is out of range", _no_limit),
    "int_from_float": ("must be a whole number", _no_limit),
    "moment_form": ("must be a date and time with its offset, as in 2026-03-01T09:00:00Z", _no_limit),
    "bool_type": ("must be true or false", _no_limit),
    "list_type": ("must be a list", _no_limit),
    "too_short": ("has too few entries", lambda c: f"at least {c['min_length']} entries"),
    "too_long": ("has too many entries", lambda c: f"{c['max_length']} entries"),
    "greater_than_equal": ("is too small", lambda c: f"at least {c['ge']}"),
    "less_than_equal": ("is too large", lambda c: f"at most {c['le']}"),
    "model_attributes_type": ("must be a JSON object", _no_limit),
    "model_type": ("must be a JSON object", _no_limit),
    "dict_type": ("must be a JSON object", _no_limit),
}


def field_problems(errors: Sequence[Mapping[str, Any]]) -> list[FieldProblem]:
    """In the order of the errors, at most `MAX_NAMED_FIELDS`."""
    return [_problem(error) for error in errors[:MAX_NAMED_FIELDS]]


def _problem(error: Mapping[str, Any]) -> FieldProblem:
    problem, limit = _WORDS.get(error["type"], ("is not valid", _no_limit))
    return FieldProblem(_name(error["loc"]), problem, limit(error.get("ctx", {})))


def _name(location: Sequence[str | int]) -> str:
    """`("body", "sources", 3)` is `sources[3]`; the body as a whole is `body`."""
    name = ""
    for part in location[1:]:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += f".{part}" if name else part
    return name[:MAX_NAME_LENGTH] or str(location[0])
