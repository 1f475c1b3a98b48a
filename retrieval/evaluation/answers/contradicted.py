"""Sentences that contradict a given one by construction: one value, one name or the polarity is changed, in another document."""

import re
from dataclasses import replace
from enum import StrEnum

from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.domain.names import names
from retrieval.domain.quantities import quantities
from retrieval.domain.quantity import Bound

OTHER_NAME = "Aurelia Brandt"
_DIGITS = re.compile(r"\d+(?:,\d{3})*(?!\.\d)")
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|may|must|will|should|has been|have been)\b(?! not)")
_YEAR = re.compile(r"(?<!\d)(1[5-9]|20)\d\d(?!\d)")


class Change(StrEnum):
    """What is changed."""

    VALUE = "value"
    NEGATION = "negation"
    NAME = "name"


def contradicted(one: Evidence, change: Change, *, at: Span) -> Evidence | None:
    """The same sentence, changed `at` that span of its text, as all the text of another document; None where nothing is to change."""
    text = {Change.VALUE: _other_value, Change.NEGATION: _negated, Change.NAME: _other_name}[change](one.text, at)
    if text is None:
        return None
    name = f"{one.passage.id}-{change}"
    passage = replace(one.passage, id=name, document=name, version=name, text=text, span=Span(0, len(text)))
    return Evidence(passage, Span(0, len(text)), one.support, one.parts)


def _other_value(text: str, at: Span) -> str | None:
    """A number becomes one more than twice as much, a year becomes one seven years later. Not those of ranges, limits and labels."""
    for quantity in quantities(text):
        numbers = list(_DIGITS.finditer(text, quantity.span.start, quantity.span.end))
        if len(numbers) == 1 and _overlap(quantity.span, at) and quantity.bound is Bound.IS and quantity.kind not in ("label", "ordinal"):
            [number] = numbers
            value = int(number.group().replace(",", ""))
            return text[: number.start()] + str(value + 7 if _YEAR.fullmatch(number.group()) else 2 * value + 1) + text[number.end() :]
    return None


def _negated(text: str, at: Span) -> str | None:
    found = _AUXILIARY.search(text, at.start, at.end)
    return None if found is None else f"{text[: found.end()]} not{text[found.end() :]}"


def _other_name(text: str, at: Span) -> str | None:
    found = next((span for span in names(text) if span == at), None)
    return None if found is None else text[: found.start] + OTHER_NAME + text[found.end :]


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
