"""What a sentence states, in the parts by which two sentences can contradict each other. By its words alone; English."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from retrieval.domain.names import names
from retrieval.domain.quantities import quantities
from retrieval.domain.quantity import Quantity
from retrieval.domain.terms import NEGATIONS, STOP_WORDS, stem
from retrieval.domain.units_of_measure import CURRENCIES, MULTIPLES, UNITS, WORD_NUMBERS

REMEMBERED_STATEMENTS = 4_096
_WORD = re.compile(r"\w+(?:['’]t\b)?")  # noqa: RUF001 - people type both apostrophes
_CONTRACTED = re.compile(r"n['’]t\Z")  # noqa: RUF001 - people type both apostrophes
_TELLING = frozenset(
    [
        "before",
        "after",
        "above",
        "below",
        "more",
        "most",
        "under",
        "over",
        "only",
        "all",
        "both",
        "with",
        "up",
        "down",
        "in",
        "out",
        "on",
        "off",
    ]
)
"""Stop words that tell one statement from another."""
_FILLING = frozenset(["always", "already", "currently", "generally", "normally", "typically", "usually"])
"""Words without which a sentence states the same."""
_SILENT = STOP_WORDS | _FILLING
_MEASURES = frozenset({*UNITS, *CURRENCIES, *map(stem, UNITS), *map(stem, CURRENCIES)})
_OPPOSITES = (
    "allow allowed permit permitted may / forbid forbidden prohibit prohibited ban banned disallow",
    "accept accepted / reject rejected refuse refused decline declined",
    "approve approved / deny denied disapprove",
    "increase increased rise rose grow raise / decrease decreased fall fell decline reduce reduced lower",
    "enable enabled / disable disabled",
    "include included including / exclude excluded excluding",
    "required mandatory compulsory obligatory / optional voluntary",
    "open / closed",
    "possible / impossible",
    "legal lawful / illegal unlawful",
    "valid / invalid",
    "public / private confidential",
    "internal / external",
    "before / after",
    "above over / below under",
    "minimum / maximum",
    "true correct / false incorrect wrong",
    "safe / unsafe dangerous",
    "succeed succeeded successful / fail failed unsuccessful",
    "win won / lose lost",
    "active / inactive",
    "available / unavailable",
    "better / worse",
    "higher greater more / lower less fewer smaller",
    "paid / unpaid",
    "permanent / temporary",
)
_OPPOSED = frozenset(
    frozenset((stem(one), stem(other))) for pair in _OPPOSITES for one, other in product(*(side.split() for side in pair.split(" / ")))
)


@dataclass(frozen=True)
class Word:
    """A word, lower-cased, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """A sentence in parts.

    Attributes:
        words: all of them, in order.
        terms: what says something of them, stemmed, without negations, quantities and units.
        names: those of the terms that belong to names.
        marks: words with digits that are no quantity, such as identifiers.
        negations: how many.
    """

    text: str
    words: tuple[Word, ...]
    terms: frozenset[str]
    names: frozenset[str]
    quantities: tuple[Quantity, ...]
    marks: frozenset[str]
    negations: int


def opposed(one: str, other: str) -> bool:
    """Whether two terms are opposites."""
    return frozenset((one, other)) in _OPPOSED


@lru_cache(maxsize=REMEMBERED_STATEMENTS)
def statement(text: str) -> Statement:
    """The parts of one sentence or table row."""
    words = tuple(Word(match.group().lower(), *match.span()) for match in _WORD.finditer(text))
    found = quantities(text)
    telling = [word for word in words if not any(_measures(quantity, word) for quantity in found)]
    negating = [word for word in telling if word.text in NEGATIONS or _CONTRACTED.search(word.text)]
    marks = frozenset(word.text for word in telling if any(map(str.isdigit, word.text)))
    terms = frozenset(
        stem(word.text)
        for word in telling
        if word not in negating and word.text not in marks and (word.text not in _SILENT or word.text in _TELLING)
    )
    named = names(text)
    of_names = frozenset(stem(word.text) for word in telling if any(span.start <= word.start < span.end for span in named))
    return Statement(text, words, terms, of_names & terms, tuple(found), marks, len(negating))


def _measures(quantity: Quantity, word: Word) -> bool:
    """Whether the word is the number of a quantity, or its unit, rather than what is counted."""
    if not quantity.span.start <= word.start < quantity.span.end:
        return False
    text = word.text
    is_number = text[0].isdigit() or text in WORD_NUMBERS or text in MULTIPLES or quantity.kind in ("date", "clock")
    return is_number or text in _MEASURES or stem(text) in _MEASURES
