"""Numbers with their units, amounts, dates and times of day, as they stand in running text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.domain.quantities import quantities
from retrieval.domain.quantity import Bound, Quantity


def only(text: str) -> Quantity:
    [found] = quantities(text)
    return found


@pytest.mark.parametrize(
    ("text", "kind", "low", "high", "unit"),
    [
        ("25 paid vacation days", "time", 25, 25, "day"),
        ("1.5 hours", "time", 1.5, 1.5, "hour"),
        ("twenty-five days", "time", 25, 25, "day"),
        ("one hour", "time", 1, 1, "hour"),
        ("20 to 30 days", "time", 20, 30, "day"),
        ("20-30 days", "time", 20, 30, "day"),
        ("between 20 and 30 days", "time", 20, 30, "day"),
        ("£1,200.50", "gbp", 1200.5, 1200.5, ""),
        ("EUR 300", "eur", 300, 300, ""),
        ("two hundred and fifty dollars", "usd", 250, 250, ""),
        ("2.5 million users", "user", 2_500_000, 2_500_000, "user"),
        ("5 %", "percent", 5, 5, "%"),
        ("3,000 kg", "mass", 3000, 3000, "kg"),
        ("6 feet", "length", 6, 6, "foot"),
        ("section 4", "label", 4, 4, ""),
        ("the 3rd attempt", "ordinal", 3, 3, ""),
        ("from 1991 to 2000", "years", 1991, 2000, ""),
        ("1500 visitors", "visitor", 1500, 1500, "visitor"),
        ("9.30 am", "clock", 570, 570, ""),
        ("17:30", "clock", 1050, 1050, ""),
        ("12 pm", "clock", 720, 720, ""),
    ],
)
def test_a_quantity_is_read_with_its_kind_and_unit(text: str, kind: str, low: float, high: float, unit: str):
    found = only(text)

    assert (found.kind, found.low, found.high, found.unit) == (kind, low, high, unit)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("30 September 2027", (2027, 9, 30)),
        ("September 30th, 2027", (2027, 9, 30)),
        ("Sept. 5, 2011", (2011, 9, 5)),
        ("2027-09-30", (2027, 9, 30)),
        ("May 2026", (2026, 5, None)),
        ("the 7th of January", (None, 1, 7)),
        ("founded in 1998", (1998, None, None)),
    ],
)
def test_a_date_is_read_as_far_as_it_goes(text: str, date: tuple[int | None, int | None, int | None]):
    assert only(text).date == date


@pytest.mark.parametrize("text", ["one of the reasons", "HB-7731-02", "version 2.3.1", "the 1990s", "ISO-9001", "May I?", ""])
def test_what_is_no_quantity_is_none(text: str):
    assert quantities(text) == []


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("at least 30 days", Bound.LEAST),
        ("30 days or more", Bound.LEAST),
        ("no more than 30 days", Bound.MOST),
        ("up to 30 days", Bound.MOST),
        ("about 30 days", Bound.ABOUT),
        ("exactly 30 days", Bound.IS),
    ],
)
def test_what_a_number_says_of_the_value_is_read(text: str, bound: Bound):
    assert only(text).bound is bound


def test_each_of_several_has_its_own_place():
    text = "From 9 am, 12 people carry 3.14 and 3.1 km of rope for £30 by 5 May 2026."

    assert [found.span.of(text) for found in quantities(text)] == ["9 am", "12 people", "3.14", "3.1 km", "£30", "5 May 2026"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("90 minutes", "1.5 hours", True),
        ("30 days", "1 month", True),
        ("5 weeks", "6 weeks", False),
        ("25 miles", "40 km", True),
        ("25 miles", "45 km", False),
        ("3.1 kg", "3.14 kg", True),
        ("3 kg", "3.5 kg", False),
        ("20 to 30 days", "25 days", True),
        ("20 to 30 days", "31 days", False),
        ("at least 12 days", "at least 8 days", False),
        ("at least 12 days", "14 days", True),
        ("at most 12 days", "at least 14 days", False),
        ("about 100 kg", "109 kg", True),
        ("about 100 kg", "111 kg", False),
        ("May 2026", "5 May", True),
        ("May 2026", "5 June", False),
        ("30 days", "30 euros", False),
    ],
)
def test_two_agree_where_both_can_be_true_of_the_same_thing(one: str, other: str, expected: bool):
    assert only(one).agrees_with(only(other)) is expected
    assert only(other).agrees_with(only(one)) is expected


@given(st.text(alphabet="0123456789 .,-to€%andmyhourskg:", max_size=60))
def test_any_text_is_read_without_overlaps_and_each_quantity_agrees_with_itself(text: str):
    found = quantities(text)

    assert all(one.span.end <= other.span.start for one, other in pairwise(found))
    assert all(quantity.agrees_with(quantity) and quantity.span.of(text).strip() for quantity in found)
