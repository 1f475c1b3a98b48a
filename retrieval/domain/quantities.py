"""Quantities in a text: numbers with their units, amounts, dates and times of day, so that two of them can be compared.

`90 minutes` and `1.5 hours` are the same, `20 to 30 days` holds `25 days`, `September 2027` holds `30 September 2027`. English words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.domain.documents import Span
from retrieval.domain.quantity import Bound, Quantity
from retrieval.domain.terms import STOP_WORDS, stem
from retrieval.domain.units_of_measure import CURRENCIES, MULTIPLES, UNITS, WORD_NUMBERS, Scale

_YEARS = range(1000, 2101)
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_MONTH = "|".join((*_MONTHS, *(rf"{name[:3]}\b\.?" for name in _MONTHS if name != "may"), r"sept\b\.?"))
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\w-])(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?![\w-])",
        rf"\b{_DAY}\s+(?:of\s+)?(?P<month>{_MONTH})(?:,?\s+(?P<y>\d{{4}})\b)?",
        rf"\b(?P<month>{_MONTH})\s+{_DAY}\b(?:\s*,?\s+(?P<y>\d{{4}})\b)?",
        rf"\b(?P<month>{_MONTH}),?\s+(?P<y>\d{{4}})\b",
    )
)
_CLOCK = re.compile(
    r"\b(?P<h>\d{1,2})(?:[:.](?P<min>[0-5]\d))?\s*(?P<half>[ap])\.?m\b\.?|\b(?P<h24>[01]?\d|2[0-3]):(?P<min24>[0-5]\d)\b", re.IGNORECASE
)
_SPELLED = "|".join(sorted((*WORD_NUMBERS, *MULTIPLES), key=len, reverse=True))
_MULTIPLE = "|".join(MULTIPLES)
_NUMBER = rf"(?:(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?(?:\s(?:{_MULTIPLE})\b)?|(?:{_SPELLED})(?:[\s-](?:and\s)?(?:{_SPELLED}))*\b)"
_SIGN = r"[€$£]|\b(?:eur|usd|gbp|chf)\b"
_QUANTITY = re.compile(
    rf"(?P<between>\bbetween\s)?(?:(?P<sign>{_SIGN})\s?)?(?<![\w.,/:-])(?P<minus>[-−](?=\d))?(?P<one>{_NUMBER})"  # noqa: RUF001
    rf"(?:(?P<joint>\s?[-–—]\s?|\sto\s|\sand\s)(?:{_SIGN})?\s?(?P<two>{_NUMBER}))?(?P<ordinal>st|nd|rd|th)?(?!\w|\.\d|-[a-z]*\d)",  # noqa: RUF001
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:section|article|chapter|clause|paragraph|version|part|no\.|number|figure|fig\.|table|room|page|phase|step|item|appendix|annex|"
    r"form|level|class|release|season|episode|series|grade|tier|zone|group)\s\Z",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?:(?P<least>at least|no fewer than|no less than|not less than|minimum of|more than|over|above|exceeds?|exceeding)"
    r"|(?P<most>at most|no more than|not more than|maximum of|up to|less than|fewer than|under|below|within|not exceed)"
    r"|(?P<about>about|around|approximately|approx\.|nearly|almost|roughly|some|circa|c\.|~))\s?\Z",
    re.IGNORECASE,
)
_BEFORE_YEAR = re.compile(
    r"(?:[(,-]\s?|\b(?:in|since|by|until|till|before|after|during|from|to|between|and|year|the|early|late|mid|circa)\s)\Z",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\s(?:(?P<least>or (?:more|longer|above)|minimum)|(?P<most>or (?:less|fewer|below)|maximum))\b", re.IGNORECASE)
_UNIT = re.compile(r"[\s-]?(%|°\s?[CFcf]\b|[^\W\d_]+)")
_UNIT_WITHIN = 3
"""Words after a number among which its unit is looked for: `25 paid vacation days`."""
_LOOKED_BACK = 20


def quantities(text: str) -> list[Quantity]:
    """In order, without overlaps."""
    found = [*_dates(text), *_clocks(text)]
    for match in _QUANTITY.finditer(text):
        found += [quantity for quantity in _measured(text, match) if not any(_overlap(quantity.span, other.span) for other in found)]
    return sorted(found, key=lambda quantity: quantity.span.start)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _dates(text: str) -> Iterator[Quantity]:
    taken: list[Span] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            span = Span(*match.span())
            parts = match.groupdict()
            month = int(parts["m"]) if "m" in parts else 1 + [name[:3] for name in _MONTHS].index(parts["month"][:3].lower())
            if not any(_overlap(span, other) for other in taken):
                taken.append(span)
                year, day = parts.get("y"), parts.get("d")
                yield Quantity(span, "date", date=(int(year) if year else None, month, int(day) if day else None))


def _clocks(text: str) -> Iterator[Quantity]:
    for match in _CLOCK.finditer(text):
        hours, minutes = int(match["h"] or match["h24"]), int(match["min"] or match["min24"] or 0)
        half = (match["half"] or "").lower()
        at = 60.0 * (hours % 12 + 12 * (half == "p") if half else hours) + minutes
        yield Quantity(Span(*match.span()), "clock", at, at)


def _measured(text: str, match: re.Match[str]) -> Iterator[Quantity]:
    """The quantity, or the two of `20 and 30 days`; none for `one` as a pronoun."""
    kind, unit, scale, end = _unit(text, match.end())
    if match["sign"]:
        kind, unit, scale, end = CURRENCIES[match["sign"].lower()], "", (1.0, 1.0), match.end()
    measure = _Measure(kind, unit, scale)
    if (match["joint"] or "").strip().lower() == "and" and not match["between"]:
        yield from _single(text, match, [match["one"]], Span(*match.span("one")), measure)
        yield from _single(text, match, [match["two"]], Span(match.start("two"), end), measure)
    else:
        numbers = [match["one"], match["two"]] if match["two"] else [match["one"]]
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        yield from _single(text, match, numbers, Span(start, end), measure)


@dataclass(frozen=True)
class _Measure:
    kind: str
    unit: str
    scale: Scale

    @property
    def is_of_a_dimension(self) -> bool:
        return self.kind in _DIMENSIONS


def _single(text: str, match: re.Match[str], numbers: Sequence[str], span: Span, measure: _Measure) -> Iterator[Quantity]:
    before, after = text[max(0, span.start - _LOOKED_BACK) : span.start], text[span.end : span.end + _LOOKED_BACK]
    written = Span(span.start, min(match.end(), span.end))
    values = [(-1 if match["minus"] else 1) * _value(number) for number in numbers]
    low, high = min(values), max(values)
    if match["ordinal"]:
        yield Quantity(written, "ordinal", low, high)
    elif _LABEL.search(before):
        yield Quantity(written, "label", low, high)
    elif not measure.is_of_a_dimension and _are_years(numbers, before, measure):
        yield Quantity(written, "years", low, high) if len(numbers) > 1 else Quantity(written, "date", date=(int(low), None, None))
    elif measure.is_of_a_dimension or numbers[0].lower() != "one":
        decimals = max(len(number.partition(".")[2].split(" ")[0]) for number in numbers)
        yield Quantity(span, measure.kind, low, high, measure.unit, measure.scale, _bound(before, after), decimals)


def _are_years(numbers: Sequence[str], before: str, measure: _Measure) -> bool:
    """Whether they look like years, and stand as years do: `in 1998`, or before nothing that they could count."""
    look_like = all(number.isdigit() and int(number) in _YEARS for number in numbers)
    return look_like and (measure.kind == "number" or bool(_BEFORE_YEAR.search(before)))


_DIMENSIONS = frozenset({dimension for dimension, _ in UNITS.values()} | set(CURRENCIES.values()))


def _unit(text: str, at: int) -> tuple[str, str, Scale, int]:
    """Kind, unit, scale and the end of what was read, of what stands after a number."""
    counted, end, start = "", at, at
    for _ in range(_UNIT_WITHIN):
        found = _UNIT.match(text, at)
        if found is None:
            break
        at = found.end()
        word = found.group(1).lower().replace(" ", "")
        singular = word if word in UNITS or word in CURRENCIES else _singular(word)
        if singular in UNITS:
            return UNITS[singular][0], singular, UNITS[singular][1], at
        if singular in CURRENCIES:
            return CURRENCIES[singular], "", (1.0, 1.0), at
        if word in STOP_WORDS:
            break
        if not counted:
            counted, end = stem(word), at
    return counted or "number", counted, (1.0, 1.0), end if counted else start


def _singular(word: str) -> str:
    return {"feet": "foot", "inches": "inch", "centuries": "century"}.get(word, word[:-1] if word.endswith("s") else word)


def _bound(before: str, after: str) -> Bound:
    found = _BEFORE.search(before) or _AFTER.match(after)
    return Bound(found.lastgroup) if found is not None and found.lastgroup else Bound.IS


def _value(number: str) -> float:
    """`1,200`, `2.5 million` or `twenty-five`."""
    total = current = 0.0
    for word in re.split(r"[\s-]+", number.lower().replace(",", "")):
        if word in MULTIPLES:
            current = max(current, 1.0) * MULTIPLES[word]
            if MULTIPLES[word] >= 1_000:
                total, current = total + current, 0.0
        elif word != "and":
            current += WORD_NUMBERS[word] if word in WORD_NUMBERS else float(word)
    return total + current
