"""Filters and attribute paths (RFC 7644, sections 3.4.2.2 and 3.5.2), as far as identity providers send them: `eq`, joined by `and`."""

import json
import re
from dataclasses import dataclass

from api.scim.errors import ScimError, invalid
from api.scim.schemas import Attribute, ResourceType
from api.scim.values import Place

MAX_CHARACTERS = 2048
MAX_TOKENS = 64
_TOKEN = re.compile(r'\s*(?P<token>"(?:[^"\\]|\\.)*"|[\[\]()]|\.?[A-Za-z$][\w$:.\-]*)\s*', re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class Condition:
    """`name eq value`. Names are in lower case, without the URN of the resource's own schema; a part comes after a dot."""

    name: str
    value: str | bool


@dataclass(frozen=True)
class Path:
    """What a PATCH operation is about: an attribute, a part of it, and which elements of a list.

    Attributes:
        part: of a complex attribute; None: the whole of it.
        which: what the elements must equal; empty: every element.
    """

    place: Place
    part: Attribute | None = None
    which: tuple[Condition, ...] = ()


def conditions(text: str, kind: ResourceType) -> tuple[Condition, ...]:
    """The conditions of a filter, all of which must hold. `members[value eq "x"]` is `members.value eq "x"`.

    Raises:
        ScimError: `invalidFilter`.
    """
    parser = _Parser(text, kind)
    found = parser.conditions()
    if parser.rest:
        raise _unreadable()
    return found


def path_of(text: str, kind: ResourceType) -> Path | None:
    """None for an attribute that is not served: what is said of it is ignored.

    Raises:
        ScimError: `invalidPath`, or `invalidFilter` for what is in brackets.
    """
    parser = _Parser(text, kind)
    written = parser.word()
    which = parser.bracketed() if parser.rest[:1] == ["["] else ()
    if parser.rest:
        written += "." + parser.word().removeprefix(".")
    if parser.rest:
        raise invalid("invalidPath", "The path cannot be read.")
    urn, name = split_urn(written, kind)
    name, _, part_name = name.partition(".")
    schema = kind.schema(urn)
    attribute = schema.attribute(name) if schema is not None else None
    part = attribute.part(part_name) if attribute is not None and part_name else None
    if schema is None or attribute is None or (part_name and part is None):
        return None
    if which and not (attribute.is_many and attribute.parts):
        raise invalid("invalidPath", f"{attribute.name}: has no elements to choose from")
    return Path(Place(schema, attribute), part, which)


def split_urn(written: str, kind: ResourceType) -> tuple[str, str]:
    """The schema that a name belongs to, and the name in it. A name without a URN is of the resource's own schema."""
    for schema in (kind.core, *kind.extensions):
        if written.lower().startswith(f"{schema.urn}:".lower()):
            return schema.urn, written[len(schema.urn) + 1 :]
    urn, separator, name = written.rpartition(":")
    return (urn, name) if separator else (kind.core.urn, written)


class _Parser:
    """Reads tokens from the left; `rest` are those not read yet."""

    def __init__(self, text: str, kind: ResourceType) -> None:
        self._kind = kind
        self.rest: list[str] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or len(self.rest) == MAX_TOKENS or len(text) > MAX_CHARACTERS:
                raise _unreadable()
            self.rest.append(match["token"])
            position = match.end()

    def conditions(self) -> tuple[Condition, ...]:
        found = self._term()
        while self.rest and self.rest[0].lower() == "and":
            self._next()
            found += self._term()
        return found

    def bracketed(self) -> tuple[Condition, ...]:
        self._expect("[")
        found = self.conditions()
        self._expect("]")
        return found

    def word(self) -> str:
        token = self._next()
        if token[0] in '"[]()':
            raise _unreadable()
        return token

    def _term(self) -> tuple[Condition, ...]:
        if self.rest[:1] == ["("]:
            self._next()
            found = self.conditions()
            self._expect(")")
            return found
        urn, name = split_urn(self.word(), self._kind)
        if urn != self._kind.core.urn:
            raise _unreadable()
        if self.rest[:1] == ["["]:
            return tuple(Condition(f"{name.lower()}.{inner.name}", inner.value) for inner in self.bracketed())
        self._expect("eq")
        return (Condition(name.lower(), self._value()),)

    def _value(self) -> str | bool:
        token = self._next()
        try:
            value = json.loads(token if token.startswith('"') else token.lower())
        except json.JSONDecodeError as error:
            raise _unreadable() from error
        if not isinstance(value, str | bool):
            raise _unreadable()
        return value

    def _expect(self, wanted: str) -> None:
        if self._next().lower() != wanted:
            raise _unreadable()

    def _next(self) -> str:
        if not self.rest:
            raise _unreadable()
        return self.rest.pop(0)


def _unreadable() -> ScimError:
    return invalid("invalidFilter", "The filter cannot be read: write 'attribute eq \"value\"', joined by 'and'.")
