import random
import time

import pytest

from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage, Stretch
from retrieval.steps.context import collapse, stretches

DICE = random.Random(5)
LONG = " ".join(f"word{DICE.randrange(900)}" if n % 9 else "plain" for n in range(120)).replace("word", "lo")
RULE = (
    "Every employee may work from another country of the union for up to 30 days in a calendar year, provided that the manager agrees in "
    "advance, that the work can be done there, and that the days are entered in the calendar of the team before the journey begins. Who "
    "stays longer asks the people team, which answers within 5 days and keeps a record of each request and of what became of it."
)


def passage(id_: str, text: str = "", *, version: str = "ver_1", ordinal: int = 0, span: Span | None = None) -> ReadablePassage:
    return ReadablePassage(
        id=id_,
        document=version.replace("ver", "doc"),
        version=version,
        version_number=1,
        source="handbook",
        ordinal=ordinal,
        span=span or Span(0, len(text)),
        text=text,
        page=None,
        heading_path=(),
        title="",
        uri="",
        media_type="text/plain",
        modified_at=None,
        revision=1,
    )


def collapsed(*texts: str) -> dict[str, list[str]]:
    """Kept numbers with the numbers of their duplicates."""
    found = collapse([passage(str(number), text) for number, text in enumerate(texts)])
    return {id_: [duplicate.id for duplicate in duplicates] for id_, duplicates in found.items()}


def test_the_best_of_near_duplicates_stays_and_names_the_others():
    assert collapsed("Other text of its own.", RULE, RULE.upper().replace(" ", "  "), "More of another kind.", RULE) == {
        "0": [],
        "1": ["2", "4"],
        "3": [],
    }


def test_a_passage_that_a_better_one_contains_is_a_duplicate_and_the_other_way_round_it_is_not():
    longer = f"{RULE} Whoever travels on business follows the rules for journeys instead, which stand in a chapter of their own."

    assert collapsed(longer, RULE) == {"0": ["1"]}
    assert collapsed(RULE, longer) == {"0": [], "1": []}


def test_one_word_in_a_hundred_does_not_make_a_text_new():
    assert collapsed(RULE, RULE.replace("journey", "trip")) == {"0": ["1"]}


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        pytest.param("30 days", "90 days", id="a number"),
        pytest.param("5 days", "15 days", id="a number that holds the other"),
        pytest.param("may work", "may not work", id="a negation"),
        pytest.param("provided", "except", id="an exception"),
    ],
)
def test_another_number_or_negation_is_something_new(said: str, instead: str):
    assert collapsed(RULE, RULE.replace(said, instead)) == {"0": [], "1": []}


def test_copies_of_two_rules_with_different_numbers_stay_apart():
    other = RULE.replace("30 days", "90 days")

    assert collapsed(RULE, other, RULE, other) == {"0": ["2"], "1": ["3"]}


def test_the_same_numbers_at_each_others_places_are_something_new():
    assert collapsed(RULE, RULE.replace("30 days", "5 days", 1).replace("within 5", "within 30", 1)) == {"0": [], "1": []}


def test_a_duplicate_of_a_duplicate_is_held_against_what_stays():
    """Each differs from the one before in a few words; the last is too far from the first, which is the only one that stays before it."""
    versions = [RULE]
    for word in ("employee", "another", "manager", "calendar", "journey", "request", "longer"):
        versions.append(versions[-1].replace(word, word[::-1]))

    found = collapsed(*versions)

    assert found["0"] == [str(number) for number in range(1, 1 + len(found["0"]))]
    assert 1 <= len(found["0"]) < len(versions) - 1


@pytest.mark.parametrize("text", ["", "Yes.", "Three words only"])
def test_texts_too_short_to_tell_are_left_alone(text: str):
    assert collapsed(text, text) == {"0": [], "1": []}


def test_the_same_bytes_are_duplicates_however_short_a_rule_is():
    assert collapsed("Four words are enough.", "Four words are enough.") == {"0": ["1"]}


def test_a_hundred_passages_take_milliseconds():
    texts = [f"{LONG} {number}" for number in range(100)] + [LONG] * 100
    started = time.process_time()

    collapsed(*texts)

    assert time.process_time() - started < 1


def hits(*ordinals: int, version: str = "ver_1") -> list[ReadablePassage]:
    """Passages of 10 characters with a space after each, best first."""
    return [passage(f"{version}/{n}", version=version, ordinal=n, span=Span(11 * n, 11 * n + 10)) for n in ordinals]


def spans(found: dict[str, Stretch]) -> dict[str, tuple[int, int]]:
    return {id_: (stretch.span.start, stretch.span.end) for id_, stretch in found.items()}


def test_neighbours_make_one_stretch_at_the_best_of_them():
    found = stretches(hits(4, 2, 3, 7), max_characters=1000)

    assert spans(found) == {"ver_1/4": (22, 54)}
    assert found["ver_1/4"].version == "ver_1"
    assert found["ver_1/4"].document == "doc_1"


def test_what_lies_between_two_hits_is_not_shown_unless_it_is_a_hit():
    assert spans(stretches(hits(1, 3), max_characters=1000)) == {}


def test_neighbours_are_of_one_version():
    assert spans(stretches([*hits(1), *hits(2, version="ver_2")], max_characters=1000)) == {}


def test_a_stretch_ends_where_it_would_grow_too_long_and_the_rest_makes_its_own():
    assert spans(stretches(hits(2, 3, 4, 5, 6), max_characters=32)) == {"ver_1/2": (22, 54), "ver_1/5": (55, 76)}


def test_a_stretch_never_leaps_over_what_another_has_taken():
    """3 takes 2 and 1, and has no room for 4, which 5 takes; 0 is left without neighbours."""
    found = stretches(hits(3, 5, 1, 0, 2, 4), max_characters=32)

    assert spans(found) == {"ver_1/3": (11, 43), "ver_1/5": (44, 65)}


def test_overlapping_neighbours_make_the_stretch_that_both_cover():
    one, two = passage("a", ordinal=0, span=Span(0, 30)), passage("b", ordinal=1, span=Span(20, 50))

    assert spans(stretches([two, one], max_characters=1000)) == {"b": (0, 50)}
