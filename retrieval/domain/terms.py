"""Terms: what is left of a text's words when ranking its sentences.

English stop words go and common English endings are cut; other languages keep their words whole.
"""

import re
from functools import lru_cache

_WORD = re.compile(r"\w+")

STOP_WORDS = frozenset(
    """
    a about after all also an and any are as at be because been before being between both but by can could did do does
    doing for from had has have having he her here hers him his how i if in into is it its itself just me might more
    most my of on once only or other our out over own same she should so some such than that the their them then there
    these they this those through to too under until up very was we were what when where which while who whom whose why
    will with would you your s t d ll m re ve
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
"""Not `no` and `not`: they change what a sentence says."""
NEGATIONS = frozenset(["no", "not", "never", "none", "nor", "without", "except", "cannot"])
"""Texts that differ in one of them do not say the same."""

REMEMBERED_STEMS = 32_768
_LEAST_STEM = 4
_ENDINGS = ("ing", "ed", "ly")


def words(text: str) -> list[str]:
    """Runs of letters and digits, in order, lower-cased."""
    return _WORD.findall(text.lower())


def terms(text: str) -> list[str]:
    """The words of `text` in order without stop words, stemmed lightly: `policies` and `policy` are one term, `business` stays."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


@lru_cache(maxsize=REMEMBERED_STEMS)
def stem(word: str) -> str:
    """`word` without a plural, `-ing`, `-ed`, `-ly` and a silent `e`. After Harman's S-stemmer (JASIS 1991), a little bolder."""
    stemmed = _without_ending(_singular(word))
    return stemmed[:-1] if len(stemmed) > _LEAST_STEM and stemmed.endswith("e") else stemmed


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_ending(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM:
            return _undoubled(word.removesuffix(ending))
    return word


def _undoubled(stemmed: str) -> str:
    """`planned` is left as `plann`: take the second n. Doubled vowels, l and s belong to the word."""
    return stemmed[:-1] if stemmed[-1] == stemmed[-2] and stemmed[-1] not in "aeiouls" else stemmed
