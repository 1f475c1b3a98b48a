"""A form as YAML that a person fills in: what is required, and every other field behind a `#` with its choices and an example.

Of each field's description only the beginning stands here, so that the whole fits into a link. Dagster's launchpad shows all of it,
but not the choices.
"""

import json
import re
from collections.abc import Iterator, Mapping

from retrieval.domain.form_fields import FieldType, FormField, Value
from retrieval.domain.registration_fields import DRY_RUN
from retrieval.domain.registration_form import sections_of
from retrieval.domain.source_kinds import Kind

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/._-]*")
_NOT_PLAIN = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def registration_template(kind: Kind, values: Mapping[str, Value] | None = None, *, note: str = "") -> str:
    """The form of a kind with `values` filled in, and an example wherever a required field has none. `note`: a line to read first."""
    filled = values or {}
    lines = [
        *([f"# {note}"] if note else []),
        f"# {kind.description}",
        "# Take the '#' away from a field to use it; what stands behind one is an example.",
    ]
    for section in sections_of(kind):
        lines += ["", f"# --- {section.heading}"]
        for field in section.fields:
            lines += _lines(field, filled.get(field.name))
    return "\n".join(lines) + "\n"


def form_lines(values: Mapping[str, Value]) -> str:
    """A short form with every field filled in, such as that of a job which takes a source's id."""
    return "".join(f"{name}: {_written(value)}\n" for name, value in values.items())


def _lines(field: FormField, value: Value | None) -> Iterator[str]:
    """What the field is, and a line that fills it in."""
    is_open = value is not None or field.required or field is DRY_RUN
    yield f"# {field.description.partition('. ')[0].rstrip('.')}{': ' if field.choices else '.'}{', '.join(field.choices)}"
    yield f"{'' if is_open else '# '}{field.name}: {_written(_start(field) if value is None else value)}"


def _start(field: FormField) -> Value:
    """What a person starts from."""
    if field.example is not None:
        return field.example
    if field.default is not None and field.default != ():
        return field.default
    return field.choices[:1] if field.type is FieldType.LIST else "".join(field.choices[:1])


def _written(value: Value) -> str:
    """As every reader of YAML, 1.1 or 1.2, understands it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN else _quoted(value)
    return repr(value)


def _quoted(value: str) -> str:
    """In double quotes. What does not print is written by its number: YAML refuses some of it."""
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in json.dumps(value, ensure_ascii=False))
