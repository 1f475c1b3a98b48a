"""The glossary that a source's owner supplies, checked as a whole: every mistake is named by entry, field and limit.

```yaml
terms:
  - name: mean time between failures
    kind: measure
    aliases: [MTBF]
    definition: The average time from one failure of a device to the next.
```
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.graph import GlossaryTerm, entity_key

MAX_KIND_CHARACTERS = 50
_FIELDS = ("name", "kind", "aliases", "definition")


@dataclass(frozen=True)
class GlossaryLimits:
    """How much one glossary may hold; the last two in characters."""

    terms: int
    aliases: int
    name_characters: int
    definition_characters: int


def glossary_of(raw: object, limits: GlossaryLimits) -> tuple[GlossaryTerm, ...]:
    """The terms that `raw`, values as YAML gives them, describes, in its order.

    Raises:
        InvalidInput: names every entry and field that is unknown, missing, doubled, wrong or too long.
    """
    if not isinstance(raw, Mapping) or set(raw) != {"terms"} or not isinstance(raw["terms"], list):
        raise InvalidInput.of("glossary", "must hold 'terms', a list of terms, and nothing else")
    entries: Sequence[object] = raw["terms"]
    if len(entries) > limits.terms:
        raise InvalidInput.of("terms", "are too many", limit=f"{limits.terms} terms")
    problems = [problem for number, entry in enumerate(entries, 1) for problem in _entry_problems(f"terms[{number}]", entry, limits)]
    if problems:
        raise InvalidInput(problems)
    found = tuple(_term(entry) for entry in entries if isinstance(entry, Mapping))
    problems += _doubled(found)
    if problems:
        raise InvalidInput(problems)
    return found


def fingerprint_of(terms: Sequence[GlossaryTerm]) -> str:
    """Equal for glossaries that find the same in a text: by names and aliases, whatever they define."""
    found = sorted([entity_key(term.name), sorted(map(entity_key, term.aliases))] for term in terms)
    return hashlib.blake2b(json.dumps(found).encode(), digest_size=8).hexdigest()


def _entry_problems(field: str, entry: object, limits: GlossaryLimits) -> Iterator[FieldProblem]:
    if not isinstance(entry, Mapping):
        yield FieldProblem(field, "a mapping with a name")
        return
    for name in sorted(set(map(str, entry)) - set(_FIELDS)):
        yield FieldProblem(f"{field}.{name}", "unknown field", ", ".join(_FIELDS))
    yield from _name_problems(f"{field}.name", entry.get("name"), limits)
    yield from _text_problems(f"{field}.kind", entry.get("kind", ""), MAX_KIND_CHARACTERS)
    yield from _text_problems(f"{field}.definition", entry.get("definition", ""), limits.definition_characters)
    aliases = entry.get("aliases", [])
    if not isinstance(aliases, list):
        yield FieldProblem(f"{field}.aliases", "a list of names")
        return
    if len(aliases) > limits.aliases:
        yield FieldProblem(f"{field}.aliases", "are too many", f"{limits.aliases} aliases")
    for number, alias in enumerate(aliases[: limits.aliases], 1):
        yield from _name_problems(f"{field}.aliases[{number}]", alias, limits)


def _name_problems(field: str, name: object, limits: GlossaryLimits) -> Iterator[FieldProblem]:
    if not isinstance(name, str) or not any(map(str.isalnum, name)) or len(name) > limits.name_characters or not name.isprintable():
        yield FieldProblem(field, "a name of one line with a letter or digit in it", f"1 to {limits.name_characters} characters")


def _text_problems(field: str, text: object, limit: int) -> Iterator[FieldProblem]:
    if not isinstance(text, str):
        yield FieldProblem(field, "text")
    elif len(text) > limit or "\0" in text:
        yield FieldProblem(field, "is too long, or holds a null character", f"{limit} characters")


def _term(entry: Mapping[str, object]) -> GlossaryTerm:
    aliases = entry.get("aliases", [])
    assert isinstance(aliases, list)
    return GlossaryTerm(
        name=" ".join(str(entry["name"]).split()),
        kind=str(entry.get("kind", "")).strip(),
        aliases=tuple(" ".join(str(alias).split()) for alias in aliases),
        definition=str(entry.get("definition", "")).strip(),
    )


def _doubled(terms: Sequence[GlossaryTerm]) -> Iterator[FieldProblem]:
    """A name, or an alias, of two terms would mean either."""
    seen: dict[str, int] = {}
    for number, term in enumerate(terms, 1):
        places = [(f"terms[{number}].name", term.name)]
        places += [(f"terms[{number}].aliases[{n}]", alias) for n, alias in enumerate(term.aliases, 1)]
        for field, name in places:
            first = seen.setdefault(entity_key(name), number)
            if first != number:
                yield FieldProblem(field, f"means terms[{first}] already")
