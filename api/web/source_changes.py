"""What changed between two versions of a source's registration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from retrieval.domain.sources import SourceSpec, spec_as_json
from retrieval.ports.sources import Registration

MAX_CHARACTERS = 200
"""Of one value."""


@dataclass(frozen=True)
class Change:
    """One field, as it was and as it is; empty for nothing."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class RegistrationShown:
    """A version of the registration and what it changed; nothing in the first one."""

    version: int
    at: str
    by: str
    changes: tuple[Change, ...]


def registrations_shown(history: Sequence[Registration]) -> list[RegistrationShown]:
    """`history` and the result are newest first."""
    before = [*history[1:], None]
    return [
        RegistrationShown(each.version, each.registered_at, each.registered_by, () if last is None else changes(last.spec, each.spec))
        for each, last in zip(history, before, strict=True)
    ]


def changes(before: SourceSpec, after: SourceSpec) -> tuple[Change, ...]:
    """By the names of the fields."""
    was, now = dict(_fields(spec_as_json(before))), dict(_fields(spec_as_json(after)))
    names = sorted(was.keys() | now.keys())
    return tuple(Change(name, was.get(name, ""), now.get(name, "")) for name in names if was.get(name, "") != now.get(name, ""))


def _fields(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, within in value.items():
            yield from _fields(within, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        yield name, _cut(", ".join(map(_said, value)))
    else:
        yield name, _cut("" if value is None else str(value))


def _said(value: object) -> str:
    return " ".join(f"{key}: {_said(each)}" for key, each in value.items() if each) if isinstance(value, Mapping) else _plain(value)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _cut(value: str) -> str:
    return value if len(value) <= MAX_CHARACTERS else value[: MAX_CHARACTERS - 1] + "…"
