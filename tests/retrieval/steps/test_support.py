"""A claim is supported only by a passage that says all of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.domain.answers import Verdict
from retrieval.domain.passages import ReadablePassage
from retrieval.steps.support import supported
from tests.retrieval.steps.test_answer import passage

TEXT = (
    "Parental leave lasts 26 weeks for every employee. It is paid by Acme Insurance at 80 percent.\n"
    "Contractors may not take parental leave before 5 May 2024. The budget rose from 1,000 to 2,500 euros. "
    'The form is called "Leave request B7" in the portal. Travel may be booked by managers. Anna Weber approved the plan of Karl Braun.'
)


def verdict(claim: str, text: str = TEXT) -> Verdict:
    return supported(claim, [], {"1": passage(text)}).verdict


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        pytest.param("Parental leave lasts 26 weeks for every employee.", None, id="word for word"),
        pytest.param(
            "It  is paid by\n Acme Insurance at 80 percent.", "It is paid by Acme Insurance at 80 percent.", id="other white space"
        ),
        pytest.param("Parental leave lasts 26 weeks", None, id="a part that says the same"),
        pytest.param(
            "at 80 percent. Contractors may not take parental leave",
            "at 80 percent.\nContractors may not take parental leave",
            id="over a line end",
        ),
    ],
)
def test_what_stands_in_the_passage_is_a_quote_of_it(claim: str, quote: str | None):
    found = supported(claim, [], {"1": passage(TEXT, start=100)})

    assert found.verdict is Verdict.QUOTED
    assert found.citation is not None
    assert found.text == found.citation.quote == (quote or claim)
    assert TEXT[found.citation.span.start - 100 : found.citation.span.end - 100] == found.text


@pytest.mark.parametrize(
    "claim",
    [
        "The parental leave lasts 26 weeks for every employee.",
        "The budget rose from 1000 to 2500 euros.",
        "The parental leave lasts for 26 weeks for all employees.",
    ],
)
def test_what_says_the_same_in_other_words_is_supported_by_the_sentence_that_says_it(claim: str):
    found = supported(claim, [], {"1": passage(TEXT)})

    assert found.text == claim
    assert found.verdict is Verdict.SUPPORTED
    assert found.citation is not None
    assert found.citation.quote in TEXT


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param("Parental leave lasts 28 weeks for every employee.", id="another number"),
        pytest.param("Parental leave lasts 26 days for every employee.", id="another unit"),
        pytest.param("Parental leave lasts twelve weeks for every employee.", id="another number in words"),
        pytest.param("It is paid by Acme Insurance at 80 euros.", id="another measure"),
        pytest.param("The budget rose from 2,500 to 1,000 euros.", id="numbers exchanged"),
        pytest.param("It is paid by Beta Insurance at 80 percent.", id="another name"),
        pytest.param("Karl Braun approved the plan of Anna Weber.", id="names exchanged"),
        pytest.param("Parental leave does not last 26 weeks for every employee.", id="negated"),
        pytest.param("Contractors may take parental leave before 5 May 2024.", id="a negation left out"),
        pytest.param("Contractors may not take parental leave after 5 May 2024.", id="before and after"),
        pytest.param("Contractors may not take parental leave before 6 May 2024.", id="another day"),
        pytest.param("Contractors may not take parental leave before 5 May 2023.", id="another year"),
        pytest.param("The budget fell from 1,000 to 2,500 euros.", id="up and down"),
        pytest.param('The form is called "Leave request B8" in the portal.', id="another identifier in quotes"),
        pytest.param("Travel is booked by managers.", id="a hedge left out"),
        pytest.param("Travel must be booked by managers.", id="may and must"),
        pytest.param("Parental leave lasts up to 26 weeks for every employee.", id="a bound of stop words put in"),
        pytest.param("Anna Weber approved the budget.", id="somebody else's deed"),
        pytest.param("Parental leave lasts at least 26 weeks for every employee.", id="a bound put in"),
        pytest.param("Parental leave lasts 26 weeks for every employee and dog.", id="something added"),
        pytest.param("Employees.", id="next to nothing"),
        pytest.param("leave", id="one word"),
        pytest.param("take parental leave before 5 May 2024", id="cut out of its negation"),
        pytest.param("", id="empty"),
        pytest.param("The moon is made of cheese.", id="something else"),
    ],
)
def test_what_the_passage_does_not_say_is_unsupported(claim: str):
    found = supported(claim, [], {"1": passage(TEXT)})

    assert (found.verdict, found.citation, found.support) == (Verdict.UNSUPPORTED, None, 0.0)


def test_only_the_passages_that_a_claim_names_may_support_it():
    passages = {"1": passage("Leave is paid in full."), "2": passage("Bicycles stand behind the house.", id_="psg_b")}

    by_labels = [supported("Leave is paid in full.", labels, passages).verdict for labels in ([], ["1"], ["2"], ["2", "1"], ["9"])]

    quoted, not_said = Verdict.QUOTED, Verdict.UNSUPPORTED
    assert by_labels == [quoted, quoted, not_said, quoted, not_said]


def test_what_somebody_else_does_in_the_next_sentence_is_not_supported():
    assert verdict("Acme sells bread in Ulm.", "Acme builds cars. Beta sells bread in Ulm.") is Verdict.UNSUPPORTED


def test_two_neighbouring_sentences_may_support_a_claim_together():
    text = "The Mach Five is a racing car. It has a hood with a white letter. Nobody else drives it."

    found = supported("The Mach Five is a racing car and has a hood with a white letter.", [], {"1": passage(text)})

    assert found.citation is not None
    assert found.citation.quote == "The Mach Five is a racing car. It has a hood with a white letter."


@settings(deadline=None, max_examples=200)
@given(claim=st.text(max_size=80), text=st.text(alphabet="ab N1.,\n'not", min_size=1, max_size=120))
def test_every_citation_is_exact_whatever_the_claim(claim: str, text: str):
    given_passage: ReadablePassage = passage(text, start=9)

    found = supported(claim, [], {"1": given_passage})

    assert (found.citation is None) == (found.verdict is Verdict.UNSUPPORTED)
    if found.citation is not None:
        start, end = found.citation.span.start - 9, found.citation.span.end - 9
        assert text[start:end] == found.citation.quote
        assert found.verdict is Verdict.SUPPORTED or found.text == found.citation.quote
