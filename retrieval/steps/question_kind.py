"""What kind of answer a question asks for, and whether a sentence holds something of that kind. By words alone, English."""

import re
from enum import StrEnum

from retrieval.domain.terms import STOP_WORDS, words


class QuestionKind(StrEnum):
    """What is asked for. `STATEMENT` asks nothing: what bears on it is sought."""

    AMOUNT = "amount"
    DATE = "date"
    NAME = "name"
    OTHER = "other"
    STATEMENT = "statement"


_KINDS = {
    QuestionKind.AMOUNT: re.compile(
        r"\b(?:how (?:many|much|long|old|far|high|tall|large|big|often|fast|wide|deep)|what (?:percent|percentage|number|amount))\b", re.I
    ),
    QuestionKind.DATE: re.compile(r"\b(?:when|(?:what|which) (?:year|date|day|month|century|decade))\b", re.I),
    QuestionKind.NAME: re.compile(
        r"\b(?:who|whom|whose|where|which person|(?:what|which) (?:city|country|state|place|location|region))\b", re.I
    ),
    QuestionKind.OTHER: re.compile(
        r"\b(?:what|which|why|how)\b|\?|\A(?:is|are|was|were|do|does|did|can|could|has|have|may|should|will)\b", re.I
    ),
}
"""The first that matches."""
_AMOUNT = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand|million|billion|"
    r"half|third|quarter|dozen)\b",
    re.I,
)
_DATE = re.compile(
    r"\d|\b(?:January|February|March|April|May|June|July|August|September|October|November|December|century|"
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
)
_CAPITALISED = re.compile(r"(?<=[\s(\"'“‘])[A-Z][\w-]+")  # noqa: RUF001 - quotes open a name


def kind_of(question: str) -> QuestionKind:
    """What `question` asks for."""
    return next((kind for kind, asks in _KINDS.items() if asks.search(question)), QuestionKind.STATEMENT)


def holds(kind: QuestionKind, text: str, question: str) -> bool | None:
    """Whether a sentence holds what is asked for; None where its words cannot tell. A name counts when the question does not say it."""
    if kind is QuestionKind.AMOUNT:
        return _AMOUNT.search(text) is not None
    if kind is QuestionKind.DATE:
        return _DATE.search(text) is not None
    if kind is QuestionKind.NAME:
        said = STOP_WORDS.union(words(question))
        return any(name.group().lower() not in said for name in _CAPITALISED.finditer(text))
    return None
