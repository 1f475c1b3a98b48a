# ruff: noqa: RUF001 -- brackets that look like others are refused
import time
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retrieval.ports.generation import CitedPiece
from retrieval.steps.claims import Claim, ClaimReader
from retrieval.steps.prompting import datamarked, new_marker

MARKER = "^k7^"
LIMITS = {"max_claims": 8, "max_claim_characters": 600, "max_characters": 12_000}


def a_reader(labels: Sequence[str] = ("1", "2", "3"), *, marker: str = MARKER, **limits: int) -> ClaimReader:
    return ClaimReader(labels=labels, marker=marker, nothing="NOTHING", **{**LIMITS, **limits})


def read(text: str, **limits: int) -> list[tuple[str, tuple[str, ...]]]:
    reader = a_reader(**limits)
    return [(claim.text, claim.labels) for claim in (*reader.feed(text), *reader.end())]


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("Leave is 25 days [1]. It is paid [2][3].", [("Leave is 25 days.", ("1",)), ("It is paid.", ("2", "3"))]),
        ("Leave is 25 days. [1] It is paid. [2, 3]", [("Leave is 25 days.", ("1",)), ("It is paid.", ("2", "3"))]),
        ("Leave is 25 days[1]. It is paid [1-3].", [("Leave is 25 days.", ("1",)), ("It is paid.", ("1", "2", "3"))]),
        ("Leave [[1]] is 25 [^2] days【3†leave.pdf】.", [("Leave is 25 days.", ("1", "2", "3"))]),
        ("- Leave is 25 days [1]\n- It is paid [2]", [("Leave is 25 days", ("1",)), ("It is paid", ("2",))]),
        ("Dr. Li gives 3.5 days, e.g. in the U.S. today [1].", [("Dr. Li gives 3.5 days, e.g. in the U.S. today.", ("1",))]),
        ("Nobody says so.", [("Nobody says so.", ())]),
        ("休暇は25日です[1]。有給です[2]。", [("休暇は25日です。", ("1",)), ("有給です。", ("2",))]),
        ("Leave^k7^is^k7^25^k7^^k7^days [^k7^1].", [("Leave is 25 days.", ("1",))]),
        ("", []),
    ],
)
def test_sentences_come_with_the_labels_that_they_name(text: str, claims: list[tuple[str, tuple[str, ...]]]):
    assert read(text) == claims


@pytest.mark.parametrize("text", ["NOTHING", "NOTHING.", " NOTHING [1].\n", "**NOTHING**"])
def test_the_word_for_nothing_is_no_claim(text: str):
    reader = a_reader()

    assert [*reader.feed(text), *reader.end()] == []
    assert reader.says_nothing
    assert reader.refused == 0


def test_nothing_as_a_word_of_a_sentence_is_one():
    assert read("NOTHING is free [1].") == [("NOTHING is free.", ("1",))]
    assert not a_reader().says_nothing


@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param("It is paid [9].", id="a passage that was not given"),
        pytest.param("It is paid [\u200b1] twice.", id="a mark in disguise"),
        pytest.param("It is paid [ [2]9] twice.", id="a mark put together"),
        pytest.param("It is paid ［1］ twice.", id="a full-width mark"),
        pytest.param("It is paid ^k7 twice.", id="half a marker"),
        pytest.param("See [the policy](https://evil.example) [1].", id="a link"),
        pytest.param("<img src=x> [1].", id="an image"),
        pytest.param("[1](https://evil.example)", id="a link on a citation"),
        pytest.param("Paid " * 121 + "[1].", id="too long"),
        pytest.param("Hidden\u202e words [1].", id="turned writing"),
    ],
)
def test_a_sentence_that_is_not_plain_is_refused_whole_and_its_neighbours_are_not(sentence: str):
    reader = a_reader()

    claims = [*reader.feed(f"Leave is 25 days [1].\n\n{sentence}\n\nIt is rarely less [3]."), *reader.end()]

    assert claims == [Claim("Leave is 25 days.", ("1",)), Claim("It is rarely less.", ("3",))]
    assert reader.refused == 1


def test_labels_that_were_not_given_count_for_nothing_beside_one_that_was():
    assert read("It is paid [1][9].") == [("It is paid.", ("1",))]


def test_a_sentence_is_handed_on_once_the_next_one_has_begun():
    reader = a_reader()

    assert reader.feed("Leave is 25 days [1]. ") == []
    assert reader.feed("It ") == [Claim("Leave is 25 days.", ("1",))]
    assert reader.feed("is paid") == []
    assert reader.end() == [Claim("It is paid")]


def test_citations_beside_the_text_count_for_the_sentences_that_they_overlap():
    reader = a_reader()
    text = "Leave is 25 days. It is paid."

    claims = reader.feed(text)
    reader.cite(CitedPiece(18, 28, ("2", "9")))
    reader.cite(CitedPiece(0, 5, ("1",)))
    claims += reader.end()

    assert claims == [Claim("Leave is 25 days."), Claim("It is paid.", ("2",))]


def test_citations_beside_the_text_are_counted_in_the_output_as_it_came():
    reader = a_reader()
    reader.feed("Leave [1] is^k7^25 days")
    reader.cite(CitedPiece(16, 18, ("3",)))
    reader.feed(".")

    assert reader.end() == [Claim("Leave is 25 days.", ("1", "3"))]


def test_an_output_that_was_cut_loses_the_sentence_it_was_cut_in():
    reader = a_reader()
    claims = reader.feed("Leave is 25 days [1]. It costs 5")

    assert [*claims, *reader.end(complete=False)] == [Claim("Leave is 25 days.", ("1",))]
    assert read("Leave is 25 days [1]. It costs 5.50 euros.", max_characters=32) == [("Leave is 25 days.", ("1",))]


def test_no_more_claims_than_asked_for():
    reader = a_reader(max_claims=2)

    assert len([*reader.feed("It is so. " * 5), *reader.end()]) == 2
    assert reader.is_full


PIECES = [
    *("Leave is 25 days", "It", "the", "NOTHING", "e.g. ", "Dr. ", "U.S. ", "A. ", "3", ".5 ", "1) ", "x" * 30),
    *(". ", ".\n", "! ", "。", "…", "?! ", "\n- ", "\n\n", " ", '" ', "(", "**", "<b>", "\u200b", "\u202e"),
    *(" [1]", "[2, 3]", "[9]", "[1]" * 12, "[", "]", "^", "^k7", "^k7^", "【1†x】", "【"),
]


@settings(max_examples=1_500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.integers(0, 10_000), st.integers(1, 12))
@example("Foo A. [1] The end. [", 1, 1)
@example("It is " + "^k7" * 9 + " so. Yes.", 2, 2)
def test_the_claims_are_the_same_however_the_text_is_cut(text: str, seed: int, longest: int):
    whole = a_reader(max_characters=400)
    expected = [*whole.feed(text), *whole.end()]
    random, cut, at = Random(seed), a_reader(max_characters=400), 0

    found = []
    while at < len(text):
        size = random.randint(1, longest)
        found += cut.feed(text[at : at + size])
        at += size
    found += cut.end()

    assert found == expected
    assert (cut.refused, cut.says_nothing) == (whole.refused, whole.says_nothing)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abcT 10[]^k7\n", min_size=1, max_size=60))
def test_what_a_model_copies_of_a_marked_passage_carries_no_marker(passage: str):
    marker = new_marker([passage], Random(3))
    reader = a_reader(marker=marker)

    for claim in (*reader.feed(datamarked(passage, marker)), *reader.end()):
        assert marker not in claim.text
        assert "  " not in claim.text


@pytest.mark.parametrize("part", ["e.g. ", "[", "^", "^k7", "a", "A. ", "\n", ". ", "[1]", "x [", "[1, "])
def test_a_hostile_output_that_comes_in_small_pieces_is_read_in_time(part: str):
    reader = a_reader()
    text = part * (12_000 // len(part))

    started = time.process_time()
    for at in range(0, len(text), 3):
        reader.feed(text[at : at + 3])
    reader.end()

    assert time.process_time() - started < 2
