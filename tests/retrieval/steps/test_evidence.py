"""Evidence by the tokens that are kept: which sentence a token is in, and which sentences come first."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.domain.answers import Citation, RetrievedPassage
from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.domain.passages import ReadablePassage, embedded_text
from retrieval.domain.runs import FusedHit
from retrieval.domain.terms import terms
from retrieval.domain.units import units
from retrieval.ports.models import TokenVectors
from retrieval.steps.answer import quotes
from retrieval.steps.evidence import evidence
from retrieval.steps.evidence_by_embedding import ByEmbedding
from retrieval.steps.question_kind import QuestionKind, holds, kind_of
from retrieval.steps.sentence_tokens import IN_TITLE, sentences_of_tokens
from tests.retrieval.steps.test_answer import passage

LEAVE = "Parental leave lasts 26 weeks. Dr. Weber pays 3.5 percent; the rest is unpaid. The canteen opens at noon."
TABLE = "Kinds of leave\n\nKind | Weeks\nParental leave | 26\nSick leave | 6\nUnpaid leave | 12"


class NoEmbedder(SentenceTransformerEmbedder):
    """Fails the test where a sentence is embedded."""

    def __init__(self) -> None:
        pass

    def embed(self, texts: object) -> np.ndarray:
        raise AssertionError(f"embedded {texts}")


def tokens_of(embedder: SentenceTransformerEmbedder, found: ReadablePassage) -> TokenVectors:
    _, [tokens] = embedder.embed_with_tokens([embedded_text(found.title, found.text)], [found.title])
    return tokens


def seen(embedder: SentenceTransformerEmbedder, question: str, *passages: ReadablePassage) -> tuple[Evidence, ...]:
    hits = [
        RetrievedPassage(rank, 1 / rank, found, Citation.of(found), FusedHit(found.id, 1 / rank, 1, 1.0, 1, 0.5))
        for rank, found in enumerate(passages, 1)
    ]
    tokens = {found.id: tokens_of(embedder, found) for found in passages}
    otherwise = ByEmbedding(embedder.embed_query(question), NoEmbedder(), 4)
    return evidence(question, hits, embedder.query_tokens(question), tokens, otherwise=otherwise)


@pytest.mark.models
@pytest.mark.parametrize(
    "text", [LEAVE, TABLE, "No mark at all", "... !!! What? Yes! 1.5 e.g. 2.5. Ok", "Ünïcode Größe. 北京 hat 3 Straßen。 Ende."]
)
@pytest.mark.parametrize("title", ["Handbook", "Dr. A. B. Weber: What? Leave!", ""])
def test_every_token_is_in_the_sentence_that_holds_its_word(embedder: SentenceTransformerEmbedder, text: str, title: str):
    """Each sentence alone has the tokens that it has inside the passage."""
    cut = list(units(text))
    whole = tokens_of(embedder, passage(text, title=title))

    places = sentences_of_tokens(text, cut, whole)

    alone = [embedder.query_tokens(span.of(text)).ids.tolist() if terms(span.of(text)) else [] for span in cut]
    in_place = [whole.ids[places == number].tolist() for number in range(len(cut))]
    assert in_place == alone


@settings(deadline=None, max_examples=200)
@given(text=st.text(alphabet="aB c.|\n?1;", max_size=80), segments=st.lists(st.integers(0, 9), max_size=30))
def test_sentences_of_tokens_never_fall_and_never_leave_the_passage(text: str, segments: list[int]):
    """Whatever the tokens say: they may be of an older version of the code."""
    count = len(segments)
    tokens = TokenVectors(np.zeros(count, dtype=np.uint16), np.array(sorted(segments), dtype=np.uint8), np.ones((count, 2), dtype=np.int8))
    cut = list(units(text))

    places = sentences_of_tokens(text, cut, tokens).tolist()

    assert all(one <= other for one, other in pairwise(places))
    assert all(IN_TITLE <= place < len(cut) for place in places)
    assert places.count(IN_TITLE) == (segments.count(0) if cut else count)


@pytest.mark.models
@pytest.mark.parametrize(
    ("question", "quote"),
    [
        pytest.param("How long is parental leave?", "Parental leave lasts 26 weeks.", id="first"),
        pytest.param("When can I have lunch?", "The canteen opens at noon.", id="other words"),
        pytest.param("Who pays?", "Dr. Weber pays 3.5 percent; the rest is unpaid.", id="a name"),
    ],
)
def test_the_sentence_that_answers_comes_first(embedder: SentenceTransformerEmbedder, question: str, quote: str):
    found = seen(embedder, question, passage("Bicycles stand behind the house.", id_="psg_b"), passage(LEAVE))

    assert found[0].text == quote
    assert all(one.support >= other.support for one, other in pairwise(found))
    assert all(0 <= one.support <= 1 for one in found)


@pytest.mark.models
def test_a_row_of_a_table_comes_first_where_it_answers(embedder: SentenceTransformerEmbedder):
    assert seen(embedder, "How many weeks of sick leave?", passage(TABLE))[0].text == "Sick leave | 6"


@pytest.mark.models
def test_equal_sentences_stand_in_the_order_of_their_passages_whatever_the_hits_order(embedder: SentenceTransformerEmbedder):
    copies = [passage("The canteen opens at noon.", id_=id_) for id_ in ("psg_a", "psg_b")]

    found = [seen(embedder, "When does the canteen open?", *order) for order in (copies, copies[::-1])]

    assert [one.passage.id for one in found[0]] == ["psg_a", "psg_b"]
    assert {one.text for one in found[1]} == {"The canteen opens at noon."}


def test_an_answer_quotes_one_of_several_copies():
    text = "The canteen opens at noon."
    copies = [Evidence(passage(text, id_=id_), Span(0, len(text)), 0.9) for id_ in ("psg_a", "psg_b")]

    assert [sentence.text for sentence in quotes(copies, max_sentences=3, min_support=0)] == [text]


@pytest.mark.models
def test_a_passage_without_a_sentence_changes_nothing_else(embedder: SentenceTransformerEmbedder):
    found = seen(embedder, "When does the canteen open?", passage(LEAVE), passage(" \n ", id_="psg_b"))

    assert found[0].text == "The canteen opens at noon."
    assert {one.passage.id for one in found} == {"psg_a"}


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many days?", QuestionKind.AMOUNT),
        ("When is it?", QuestionKind.DATE),
        ("who leads it", QuestionKind.NAME),
        ("Why?", QuestionKind.OTHER),
        ("Aspirin helps against headache.", QuestionKind.STATEMENT),
    ],
)
def test_what_is_asked_for_is_told_by_the_words(question: str, kind: QuestionKind):
    assert kind_of(question) is kind


def test_a_sentence_holds_a_name_that_the_question_does_not_say():
    held = [holds(QuestionKind.NAME, text, "Who leads Acme?") for text in ("Led by Weber at Acme.", "Led by nobody at Acme.")]

    assert held == [True, False]
