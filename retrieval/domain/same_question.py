"""Whether two questions ask the same, so far as words can tell. Hard conditions, for answering one with what was said to the other.

Wrong twins cost more than missed ones: whoever is answered with what a reviewer said to another question trusts it. Vectors are near for
`30 days` and `60 days`, for `may` and `may not`, for one name and another, so nearness alone never suffices: numbers, negations, names,
units, opposites, what is asked for and the order of the words have to agree, too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from retrieval.domain.identifiers import identifiers
from retrieval.domain.names import names
from retrieval.domain.terms import NEGATIONS, stem, terms, words


def _listed(text: str) -> list[str]:
    return text.split()


_UP_TO_NINETEEN = _listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = _listed("twenty thirty forty fifty sixty seventy eighty ninety")
_SPELLED = {word: str(number) for number, word in enumerate(_UP_TO_NINETEEN)} | {
    word: str(10 * number) for number, word in enumerate(_TENS, 2)
}
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_CONTRACTED_NOT = re.compile(r"(ca|wo|sha|)n['\u2019]t\b|\bcannot\b", re.IGNORECASE)
_UNCONTRACTED = {"ca": "can not", "wo": "will not", "sha": "shall not", "": " not"}
_ASKED_FOR = {"who": "who", "whom": "who", "whose": "who", "when": "when", "where": "where", "why": "why", "how": "how"}
_AMOUNTS = frozenset(_listed("many much long often far soon old big large high"))
"""What `how` asks for, where one of them follows."""
_UNITS = frozenset(
    map(
        stem,
        _listed(
            "second minute hour day week month quarter year euro dollar pound percent kilometre kilometer mile metre meter gram "
            "kilogram litre liter byte kilobyte megabyte gigabyte degree"
        ),
    )
)
_CALENDAR = frozenset(
    _listed(
        "january february march april june july august september october november december monday tuesday wednesday thursday friday "
        "saturday sunday today tomorrow yesterday weekend"
    )
)
_MAY = re.compile(r"(?<=[a-z,] )May\b")
"""The month; at the start of a question it is the verb."""
_OPPOSITES = [
    pair.split("/")
    for pair in _listed(
        "before/after allow/forbid start/end begin/finish open/close enable/disable buy/sell internal/external minimum/maximum "
        "least/most increase/decrease add/remove accept/reject import/export include/exclude inside/outside first/last "
        "employee/employer sender/receiver permanent/temporary public/private above/below under/over upload/download "
        "join/leave hire/dismiss borrow/lend arrive/depart up/down in/out on/off from/to with/without"
    )
]
_STEMMED_OPPOSITES = [(stem(one), stem(other)) for one, other in _OPPOSITES]
_POLITE = frozenset(map(stem, _listed("please tell know wonder question want like help explain say thank hello hi may")))


@dataclass(frozen=True)
class AskedWords:
    """What a question's words say, in the parts that have to agree.

    Attributes:
        terms: stemmed content words in order, each once, without politeness.
        numbers: in order, spelled ones as digits.
        names: of people, places and things, and identifiers, lower-cased, in order.
        negations: how many.
        asked_for: question words, such as `who` or `how many`.
        units: of time, money and measure, and names of months and days.
        words: all of them, lower-cased, as they are and stemmed.
    """

    terms: tuple[str, ...]
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    negations: int
    asked_for: frozenset[str]
    units: frozenset[str]
    words: frozenset[str]

    def overlap(self, other: "AskedWords") -> float:
        """Share of both questions' terms that both have, 0 to 1 (Jaccard)."""
        mine, theirs = set(self.terms), set(other.terms)
        return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


@lru_cache(maxsize=4096)
def asked_words(question: str) -> AskedWords:
    """Of a question in any spelling of its case."""
    said = [_SPELLED.get(word, word) for word in words(_CONTRACTED_NOT.sub(_uncontracted, question))]
    content = [term for term in terms(" ".join(said)) if term not in _POLITE]
    return AskedWords(
        terms=tuple(dict.fromkeys(content)),
        numbers=tuple(_NUMBER.findall(" ".join(_SPELLED.get(word, word) for word in question.lower().split()))),
        names=tuple(name.lower() for name in (*(span.of(question) for span in names(question)), *identifiers(question))),
        negations=sum(word in NEGATIONS for word in said),
        asked_for=_asked_for(said),
        units=(frozenset(content) & _UNITS) | (frozenset(said) & _CALENDAR) | frozenset(_MAY.findall(question)),
        words=frozenset(said) | frozenset(map(stem, said)),
    )


def agree(one: AskedWords, other: AskedWords, *, min_overlap: float) -> bool:
    """Whether every hard condition holds and the terms overlap enough."""
    return (
        one.numbers == other.numbers
        and one.negations == other.negations
        and one.asked_for == other.asked_for
        and one.units == other.units
        and _names_agree(one, other)
        and not _oppose(one, other)
        and _same_order(one.terms, other.terms)
        and one.overlap(other) >= min_overlap
    )


def _uncontracted(found: re.Match[str]) -> str:
    before = found.group(1)
    return "can not" if before is None else _UNCONTRACTED[before.lower()]


def _asked_for(said: Sequence[str]) -> frozenset[str]:
    found = set()
    for word, following in pairwise((*said, "")):
        kind = _ASKED_FOR.get(word)
        if kind is not None:
            found.add(f"how {following}" if kind == "how" and following in _AMOUNTS else kind)
    return frozenset(found)


def _names_agree(one: AskedWords, other: AskedWords) -> bool:
    """Each one's names stand in the other, which may write them in small letters."""
    return all(set(words(name)) <= theirs.words for mine, theirs in ((one, other), (other, one)) for name in mine.names)


def _oppose(one: AskedWords, other: AskedWords) -> bool:
    """Whether one says the opposite of a word that the other says instead."""
    mine, theirs = one.words - other.words, other.words - one.words
    return any((a in mine and b in theirs) or (b in mine and a in theirs) for a, b in _STEMMED_OPPOSITES)


def _same_order(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the terms that both have stand in the same order: `from Berlin to Paris` is not `from Paris to Berlin`."""
    return [term for term in one if term in other] == [term for term in other if term in one]
