"""What kind of thing a question asks for, by its question words. English."""

import re

from retrieval.domain.terms import stem, words
from retrieval.domain.units_of_measure import CURRENCIES, UNITS

_MONEY = frozenset(CURRENCIES.values())
_BY_WORDS = (
    (
        re.compile(r"\bhow (?:much|high|big|large|expensive)\b|\b(?:price|cost|fee|budget|salary|rate|amount)\b"),
        _MONEY | {"percent", "mass", "volume"},
    ),
    (re.compile(r"\bhow (?:long|old|soon|often|quickly|fast)\b|\b(?:duration|period|notice|age)\b"), frozenset({"time"})),
    (re.compile(r"\bhow (?:far|tall|deep|wide|high|long)\b|\b(?:length|height|width|depth|distance)\b"), frozenset({"length"})),
    (re.compile(r"\bhow (?:heavy|much)\b|\bweigh"), frozenset({"mass"})),
    (re.compile(r"\b(?:percentage|percent|share|proportion|rate|%)"), frozenset({"percent"})),
    (
        re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month)\b|\b(?:deadline|until|since)\b"),
        frozenset({"date", "years", "clock"}),
    ),
    (re.compile(r"\b(?:what|which) time\b"), frozenset({"clock"})),
    (re.compile(r"\b(?:temperature|how (?:hot|cold|warm))\b"), frozenset({"celsius", "fahrenheit"})),
)
_COUNTED = re.compile(r"\b(?:how many|number of)\s+(.+)", re.DOTALL)
_NAMED = re.compile(r"\b(?:who|whom|whose|where|which|what)\b")
_COUNTED_WITHIN = 3


def asked_kinds(question: str) -> frozenset[str]:
    """Kinds of `quantities` that it may ask for; none for a question that asks for no quantity."""
    text = question.lower()
    found = frozenset(kind for pattern, kinds in _BY_WORDS if pattern.search(text) for kind in kinds)
    counted = _COUNTED.search(text)
    return found if counted is None else found | _counted(words(counted.group(1))[:_COUNTED_WITHIN])


def asks_for_a_name(question: str) -> bool:
    """Whether it asks who, where, which or what."""
    return bool(_NAMED.search(question.lower()))


def _counted(nouns: list[str]) -> frozenset[str]:
    """The first words after `how many`, as what is counted or as a dimension."""
    measures = {UNITS[noun][0] for word in nouns for noun in (word, stem(word), word.removesuffix("s")) if noun in UNITS}
    return frozenset(measures or {*map(stem, nouns), "number"})
