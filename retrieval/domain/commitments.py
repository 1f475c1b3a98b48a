"""What a claim commits itself to, beyond the words it is made of, and whether a text that shares its words stands by all of it.

Made to refuse: whatever cannot be told from the words alone counts as not said. English.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from retrieval.domain.names import CAPITAL
from retrieval.domain.quantities import quantities
from retrieval.domain.quantity import Quantity
from retrieval.domain.terms import STOP_WORDS, stem, words
from retrieval.domain.units_of_measure import WORD_NUMBERS

_WORD = re.compile(r"\w+(?:['’]\w+)?")  # noqa: RUF001 - people type both apostrophes
_NUMBER_OR_WORD = re.compile(rf"\d+(?:[.,]\d+)*+\w*|{_WORD.pattern}")
_NAME = re.compile(rf"(?<![\w'’])(?:{CAPITAL}\w*|\w*{CAPITAL}\w*|\w*\d\w*[^\W\d]\w*|[^\W\d]\w*\d\w*)")  # noqa: RUF001
_QUOTED = re.compile(r"[\"“«„]\s?([^\"“”«»„\n]{2,200}?)\s?[\"”»“]")
_CLAUSE_END = re.compile(r"[,;:.!?()\u2013\u2014]\s|\s(?:but|although|though|whereas|while|because|which|who)\s", re.I)
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nor|neither|nothing|nobody|nowhere|without|cannot|unless|except|unable|lacks?|lacked|lacking|fails?|failed|"
    r"failing|hardly|barely|denied|denies|deny|false|incorrect|untrue|unlike|refused|ceased|stopped)\b|n['’]t\b",  # noqa: RUF001
    re.I,
)
_SENTENCE_END = re.compile(r"[.!?]\s")
_HEDGE = re.compile(r"\b(?:may|might|could|possibly|perhaps|probably|likely|allegedly|reportedly|suggests?|hypothesi[sz]ed?)\b")
_POLES = (
    "increase raise rise rose grow grew grown gain improve enhance boost expand strengthen elevate accelerate upregulate promote / "
    "decrease reduce fall fell fallen decline drop lower shrink shrank lose lost worsen diminish weaken slow downregulate inhibit suppress "
    "impair reduction",
    "higher greater more larger bigger longer above over exceed faster older taller / "
    "lower less fewer smaller shorter below under slower younger",
    "before prior until precede / after since follow subsequent",
    "early earlier earliest / late later latest",
    "most maximum highest largest longest best / least minimum lowest smallest shortest worst fewest",
    "first / last final",
    "all every each always any both / some few many several sometimes often usually",
    "must shall require mandatory compulsory obligatory / may optional voluntary",
    "allow permit entitle / forbid prohibit ban disallow prevent",
    "accept approve grant / reject refuse decline deny",
    "include / exclude",
    "begin began start open / end ended finish close stop",
    "win won beat defeat / lose lost",
    "north northern / south southern",
    "east eastern / west western",
    "left / right",
    "enter arrive join / leave left depart exit",
    "buy bought purchase import / sell sold export",
    "only / also",
    "positive / negative",
    "present / absent",
    "active / inactive",
    "possible / impossible",
    "legal / illegal",
    "public / private",
    "internal / external",
    "male man men boy father son brother husband / female woman women girl mother daughter sister wife",
)
_SIDES = tuple(tuple(frozenset(map(stem, side.split())) for side in pair.split(" / ")) for pair in _POLES)
"""Each a pair of sets of terms that point in opposite directions."""

_FOLLOWING = 2
"""Words that say something after a negation that tell what is negated."""
_NEAR = 8
"""Words on either side of a number or a direction among which what it is said of must stand."""
_NEIGHBOURS = 3
"""Words that say something, on either side, that tell what a number or a direction is said of."""


@dataclass(frozen=True)
class _Words:
    """The words of a text in order, lower-cased, with where each begins, and stemmed."""

    starts: tuple[int, ...]
    terms: tuple[str, ...]
    says: tuple[bool, ...]

    @classmethod
    def of(cls, text: str) -> "_Words":
        found = [(match.start(), match.group().lower()) for match in _WORD.finditer(text)]
        plain = [(start, re.split("['’]", word)[0]) for start, word in found]  # noqa: RUF001
        return cls(
            tuple(start for start, _ in plain), tuple(stem(word) for _, word in plain), tuple(word not in STOP_WORDS for _, word in plain)
        )

    def number_at(self, start: int) -> int:
        """The number of the word that stands at or after `start`."""
        return next((number for number, begin in enumerate(self.starts) if begin >= start), len(self.starts))


def stands_by(claim: str, text: str) -> bool:
    """Whether `text` says every number, name and quoted string of `claim`, of the same things, in the same direction, negated alike."""
    return (
        _says_numbers(claim, text)
        and _says_names(claim, text)
        and _says_quoted(claim, text)
        and _points_alike(claim, text)
        and _is_as_certain(claim, text)
        and _runs_alike(claim, text)
    )


def _says_numbers(claim: str, text: str) -> bool:
    """Each quantity of the claim, with its unit and near the same words."""
    said = quantities(text)
    mine, theirs = _Words.of(claim), _Words.of(text)
    for wanted in quantities(claim):
        alike = [found for found in said if _is_same(wanted, found)]
        if not any(_near_alike(mine, wanted.span.start, theirs, found.span.start) for found in alike):
            return False
    return {word for word in words(claim.replace(",", "")) if word[0].isdigit()} <= _digits(text)


def _is_same(wanted: Quantity, found: Quantity) -> bool:
    if wanted.date is not None and found.date is not None:
        return all(mine in (None, theirs) for mine, theirs in zip(wanted.date, found.date, strict=True))
    return wanted.bound is found.bound and wanted.agrees_with(found) and found.agrees_with(wanted)


def _digits(text: str) -> set[str]:
    """Words with digits, also those that are no quantity, and numbers in words."""
    return {word for word in words(text.replace(",", "")) if any(map(str.isdigit, word))} | {
        str(WORD_NUMBERS[word]) for word in words(text) if word in WORD_NUMBERS
    }


def _near_alike(mine: _Words, at: int, theirs: _Words, there: int) -> bool:
    """Whether one of the words that say something beside a place of the claim stands near the place of the text. True without any."""
    here = mine.number_at(at)
    before = [term for term, says in zip(mine.terms[:here], mine.says[:here], strict=True) if says][-_NEIGHBOURS:]
    after = [term for term, says in zip(mine.terms[here + 1 :], mine.says[here + 1 :], strict=True) if says][:_NEIGHBOURS]
    place = theirs.number_at(there)
    around = set(theirs.terms[max(0, place - _NEAR) : place] + theirs.terms[place + 1 : place + 1 + _NEAR])
    return not (before or after) or any(term in around for term in (*before, *after))


def _says_names(claim: str, text: str) -> bool:
    """Each word of the claim with a capital or with letters and digits, near the same words."""
    mine, theirs = _Words.of(claim), _Words.of(text)
    for start, name in _named(claim):
        there = [at for at, term in zip(theirs.starts, theirs.terms, strict=True) if term == name]
        if not any(_near_alike(mine, start, theirs, at) for at in there):
            return False
    return True


def _named(text: str) -> Iterator[tuple[int, str]]:
    """Where a word of a name stands, and its stem."""
    for match in _NAME.finditer(text):
        word = match.group().lower()
        if word not in STOP_WORDS:
            yield match.start(), stem(word)


def _says_quoted(claim: str, text: str) -> bool:
    plain = " ".join(text.casefold().split())
    return all(" ".join(match.group(1).casefold().split()) in plain for match in _QUOTED.finditer(claim))


def _points_alike(claim: str, text: str) -> bool:
    """Each word of the claim that points one way stands in the text or has a word of the same direction there, near the same words."""
    mine, theirs = _Words.of(claim), _Words.of(text)
    for number, term in enumerate(mine.terms):
        for sides in _SIDES:
            for side, other in (sides, sides[::-1]):
                if term in side and not _has_direction(mine, number, theirs, side, other):
                    return False
    return True


def _has_direction(mine: _Words, number: int, theirs: _Words, side: frozenset[str], other: frozenset[str]) -> bool:
    same = [at for at, term in enumerate(theirs.terms) if term in side]
    opposite = [at for at, term in enumerate(theirs.terms) if term in other]
    near = [at for at in same if _near_alike(mine, mine.starts[number], theirs, theirs.starts[at])]
    if not opposite:
        return bool(near)
    exact = [at for at in near if theirs.terms[at] == mine.terms[number]]
    return bool(exact) and not any(abs(one - at) <= 2 for one in exact for at in opposite)


def _is_as_certain(claim: str, text: str) -> bool:
    """The same is negated, and nothing is hedged there that the claim says without."""
    mine = _negated(claim, _FOLLOWING)
    theirs = [terms for terms in _negated(text, _FOLLOWING + 1) if terms & set(_Words.of(claim).terms)]
    if len(mine) != len(theirs):
        return False
    for terms in mine:
        match = next((at for at, others in enumerate(theirs) if terms & others or not terms), None)
        if match is None:
            return False
        del theirs[match]
    return bool(_HEDGE.search(claim)) or not _HEDGE.search(_stretch(claim, text))


def _negated(text: str, following: int) -> list[frozenset[str]]:
    """Of each negation the next words that say something, up to the end of the sentence."""
    found = []
    for match in _NEGATION.finditer(text):
        said = _Words.of(_SENTENCE_END.split(text[match.end() :], maxsplit=1)[0])
        found.append(frozenset([term for term, says in zip(said.terms, said.says, strict=True) if says][:following]))
    return found


def _stretch(claim: str, text: str) -> str:
    """From the beginning of the clause with the first word shared with the claim to the end of the clause with the last."""
    shared = set(_Words.of(claim).terms)
    said = _Words.of(text)
    places = [start for start, term, says in zip(said.starts, said.terms, said.says, strict=True) if says and term in shared]
    if not places:
        return text
    ends = [match.end() for match in _CLAUSE_END.finditer(text)]
    first = max((end for end in ends if end <= places[0]), default=0)
    last = min((end for end in ends if end > places[-1]), default=len(text))
    return text[first:last]


def _runs_alike(claim: str, text: str) -> bool:
    """The claim's numbers and names are all met, in their order, where the words of the claim and of the text run alike.

    And the text names nobody else between a name of the claim and what the claim says of it.
    """
    mine, theirs = _marked(claim), _marked(text)
    runs = SequenceMatcher(a=[word for word, _ in mine], b=[word for word, _ in theirs], autojunk=False)
    for tag, start, end, first, last in runs.get_opcodes():
        after_mark = tag == "insert" and start > 0 and mine[start - 1][1]
        looked_at = theirs[first:last] if after_mark else mine[start:end] if tag in ("replace", "delete") else []
        if any(is_mark for _, is_mark in looked_at):
            return False
    return True


def _marked(text: str) -> list[tuple[str, bool]]:
    """Each word, and whether it is a number or in a name."""
    named = {match.start() for match in _NAME.finditer(text)}
    found = []
    for match in _NUMBER_OR_WORD.finditer(text):
        word = match.group().lower()
        term = _plain_number(word) or stem(word)
        is_name = match.start() in named and word not in STOP_WORDS
        found.append((term, is_name or term[0].isdigit()))
    return found


def _plain_number(word: str) -> str | None:
    """`1,000` as `1000` and `twelve` as `12`; None for another word."""
    return word.replace(",", "") if word[0].isdigit() else str(WORD_NUMBERS[word]) if word in WORD_NUMBERS else None
