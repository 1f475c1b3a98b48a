# ruff: noqa: RUF001 -- the quotes of many scripts are what is tested
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.domain.errors import InvalidInput
from retrieval.domain.phrases import BOUNDARY, checked_phrases, holds, phrases_in, worded


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        pytest.param('when does "retry policy" apply', ("retry policy",), id="one among words"),
        pytest.param('"a b" or "c" ("d e")', ("a b", "c", "d e"), id="several"),
        pytest.param('"a b" and "a b"', ("a b",), id="the same twice"),
        pytest.param('called "the Methodists?"', ("the Methodists",), id="with the mark that ends the sentence"),
        pytest.param('" a  b "', ("a  b",), id="with spaces inside the quotes"),
        pytest.param("“a b” and „c d“ and ”e f” and «g h» and »i j«", ("a b", "c d", "e f", "g h", "i j"), id="typographic"),
        pytest.param("「東京都」の人", ("東京都",), id="in a script without spaces"),
        pytest.param('"a “b” c"', ("a “b” c",), id="one inside another"),
        pytest.param('say "hi', (), id="nothing closes it"),
        pytest.param('“never closed "but this"', ("but this",), id="one that closes after one that does not"),
        pytest.param('a 27" and a 24" monitor', (), id="inches"),
        pytest.param('the 27" "retina display"', ("retina display",), id="inches beside a phrase"),
        pytest.param('a"b"c', (), id="within a word"),
        pytest.param("don't say 'this thing'", (), id="apostrophes"),
        pytest.param('"" "?!" " "', (), id="nothing in it"),
    ],
)
def test_a_phrase_is_what_stands_between_quotes(query: str, phrases: tuple[str, ...]):
    assert phrases_in(query) == phrases


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        pytest.param("retry policy", "Our Retry\n   POLICY is short.", id="case and white space"),
        pytest.param("retry policy", "(retry policy)", id="marks around it"),
        pytest.param("don't", "they don’t", id="an apostrophe of another shape"),
        pytest.param("long-term", "long\u2011term, or long\u2013term", id="a hyphen of another shape"),
        pytest.param("file", "a \ufb01le", id="a ligature"),
        pytest.param("Straße", "STRASSE", id="a letter of two in capitals"),
        pytest.param("naïve", "nai\u0308ve", id="an accent of its own"),
        pytest.param("coöperate", "co\u00adöperate", id="a soft hyphen"),
        pytest.param("東京", "大東京都", id="characters of a script without spaces"),
        pytest.param("C++", "in C++ and in C", id="marks"),
        pytest.param("ERR-1042", "see err-1042.", id="an identifier"),
    ],
)
def test_a_text_holds_a_phrase_whatever_does_not_count(phrase: str, text: str):
    assert holds([phrase], text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        pytest.param("try policy", "retry policy", id="the end of a word"),
        pytest.param("retry poli", "retry policy", id="the beginning of a word"),
        pytest.param("retry policy", "policy retry", id="another order"),
        pytest.param("retry policy", "retry the policy", id="a word between"),
        pytest.param("retry policy", "they retry. Policy says", id="two sentences"),
        pytest.param("retry policies", "retry policy", id="another form"),
        pytest.param("ERR-1042", "ERR 1042", id="another mark"),
        pytest.param("ERR-1042", "ERR-10423", id="a longer number"),
        pytest.param("C++", "in C", id="without its marks"),
        pytest.param("a 2d b", "a ǃ2d b", id="the letter that marks are written with"),
        pytest.param("a-b", "a ǃ2d b", id="a mark and how it is written"),
    ],
)
def test_a_text_does_not_hold_what_is_only_like_it(phrase: str, text: str):
    assert not holds([phrase], text)


def test_every_phrase_must_be_held_each_by_one_of_the_texts():
    assert holds(["retry policy", "handbook"], "The retry policy", "Handbook")
    assert not holds(["retry policy", "guide"], "The retry policy", "Handbook")
    assert not holds(["policy handbook"], "The retry policy", "Handbook")
    assert holds([], "")


@given(st.text(max_size=40))
def test_a_worded_text_is_words_between_single_spaces_and_stays_what_it_is(text: str):
    words = worded(text).split(" ") if worded(text) else []

    assert all(word.isalnum() for word in words)
    assert BOUNDARY not in words


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_text_holds_each_part_of_itself_that_spaces_separate(before: str, part: str, after: str):
    assert holds([part], f"{before} {part} {after}") or not worded(part)


def test_limits_are_named():
    with pytest.raises(InvalidInput, match=r"query: has too many quoted phrases \(limit: 2 phrases\)"):
        checked_phrases('"a" "b" "c"', most=2, most_words=5)
    with pytest.raises(InvalidInput, match=r"query: has too long a quoted phrase \(limit: 3 words and marks\)"):
        checked_phrases('"a b-c"', most=2, most_words=3)
    assert checked_phrases('"a b-" "c"', most=2, most_words=3) == ("a b-", "c")


@pytest.mark.parametrize("part", ['"a ', '"', '" ', '“a "b ', '"a" '], ids=["opening", "quotes", "spaced", "mixed", "closed"])
def test_many_quotes_take_no_time(part: str):
    query = part * (20_000 // len(part))
    started = time.process_time()

    phrases_in(query)

    assert time.process_time() - started < 0.5
