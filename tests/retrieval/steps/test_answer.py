import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.domain.answers import AnswerSentence, Citation, RetrievedPassage
from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import FusedHit
from retrieval.domain.units import units
from retrieval.ports.models import Vectors
from retrieval.steps.answer import quotes
from retrieval.steps.evidence import evidence
from retrieval.steps.evidence_by_embedding import ByEmbedding

DIMENSIONS = 1024


@dataclass
class FakeEmbedder:
    """Texts with the same words are close: each word has its own dimension. Remembers what it was asked to embed."""

    embedded: list[str] = field(default_factory=list)
    model: str = "words"
    dimensions: int = DIMENSIONS
    max_tokens: int = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        return np.array([self.embed_query(text) for text in texts], dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        vector = np.zeros(DIMENSIONS, dtype=np.float32)
        for word in text.lower().split():
            vector[zlib.crc32(word.strip(".,?!").encode()) % DIMENSIONS] += 1
        return vector / max(float(np.linalg.norm(vector)), 1.0)


def passage(
    text: str, *, id_: str = "psg_a", start: int = 0, title: str = "Handbook", heading_path: tuple[str, ...] = ()
) -> ReadablePassage:
    return ReadablePassage(
        id=id_,
        document="doc_" + id_,
        version="ver_1",
        version_number=1,
        source="handbook",
        ordinal=0,
        span=Span(start, start + len(text)),
        text=text,
        page=None,
        heading_path=heading_path,
        title=title,
        uri="file:///handbook.md",
        media_type="text/markdown",
        modified_at=None,
        revision=1,
    )


def retrieved(*passages: ReadablePassage, dense_score: float | None = 0.8) -> tuple[RetrievedPassage, ...]:
    return tuple(
        RetrievedPassage(rank, 1 / rank, found, Citation.of(found), FusedHit(found.id, 1 / rank, 1, 1.0, 1, dense_score))
        for rank, found in enumerate(passages, 1)
    )


def ask(
    question: str,
    hits: Sequence[RetrievedPassage],
    embedder: FakeEmbedder | None = None,
    *,
    embedded_sentences: int = 8,
    max_sentences: int = 3,
    min_support: float = 0.44,
) -> tuple[AnswerSentence, ...]:
    """What is quoted where the model tells of no tokens."""
    embedder = embedder or FakeEmbedder()
    otherwise = ByEmbedding(embedder.embed_query(question), embedder, embedded_sentences)
    seen = evidence(question, hits, None, {}, otherwise=otherwise)
    return quotes(seen, max_sentences=max_sentences, min_support=min_support)


def texts(answer: Sequence[AnswerSentence]) -> list[str]:
    return [sentence.text for sentence in answer]


LEAVE = "Parental leave lasts 26 weeks. The canteen opens at noon. Bicycles stand behind the house."


def test_the_sentence_that_bears_on_the_question_is_quoted_and_the_others_are_not():
    answer = ask("How many weeks does parental leave last?", retrieved(passage(LEAVE)))

    assert texts(answer) == ["Parental leave lasts 26 weeks."]


def test_a_citation_names_the_place_of_the_quote_in_the_version():
    version_text = "Introduction.\n\n" + LEAVE

    answer = ask("When does the canteen open?", retrieved(passage(LEAVE, start=15)))

    citation = answer[0].citation
    assert citation.quote == citation.span.of(version_text) == "The canteen opens at noon."
    assert citation.passage == "psg_a"


@pytest.mark.parametrize(
    ("question", "found"),
    [
        pytest.param("When does the canteen open?", retrieved(), id="nothing was retrieved"),
        pytest.param("Which rocket reached Neptune?", retrieved(passage(LEAVE), dense_score=0.1), id="nothing retrieved is about it"),
        pytest.param("?!", retrieved(passage(LEAVE), dense_score=0.1), id="the question has no words"),
        pytest.param("When does the canteen open?", retrieved(passage("...\n\n--- | ---"), dense_score=0.1), id="the passage has no words"),
    ],
)
def test_nothing_is_quoted_where_nothing_bears_on_the_question(question: str, found: Sequence[RetrievedPassage]):
    assert ask(question, found) == ()


def test_sentences_below_the_least_support_are_not_quoted():
    found = retrieved(passage(LEAVE))
    support = ask("How many weeks does parental leave last?", found)[0].support

    at_it = ask("How many weeks does parental leave last?", found, min_support=support)
    above_it = ask("How many weeks does parental leave last?", found, min_support=support + 0.00001)

    assert at_it
    assert above_it == ()


def test_an_answer_is_not_padded_with_sentences_far_below_the_best_one():
    found = passage("The canteen opens daily. It has a garden. Its chairs are blue.")
    seen = [Evidence(found, within, support) for within, support in zip(units(found.text), (0.8, 0.41, 0.39), strict=True)]

    assert texts(quotes(seen, max_sentences=3, min_support=0)) == ["The canteen opens daily.", "It has a garden."]


def test_quotes_from_one_passage_stand_in_the_order_of_the_text():
    text = "Leave for all parents here is paid. Bicycles stand behind the house. Leave for parents is paid."

    answer = ask("Is leave for parents paid?", retrieved(passage(text)), min_support=0.1)

    assert texts(answer) == ["Leave for all parents here is paid.", "Leave for parents is paid."]
    assert answer[0].support < answer[1].support


def test_quotes_from_several_passages_stand_best_first():
    weaker = passage("Leave for all parents here is paid.", id_="psg_a")
    better = passage("Leave for parents is paid.", id_="psg_b")

    answer = ask("Is leave for parents paid?", retrieved(weaker, better), min_support=0.1)

    assert [sentence.citation.passage for sentence in answer] == ["psg_b", "psg_a"]


def test_no_more_sentences_than_allowed_are_quoted():
    text = "Leave is paid in spring. Leave is paid by law. Leave is paid on Fridays. Leave is paid to all."

    answer = ask("When is leave paid?", retrieved(passage(text)), max_sentences=2, min_support=0.1)

    assert len(answer) == 2


def test_only_as_many_sentences_as_allowed_are_embedded_and_the_lexically_best_come_first():
    embedder = FakeEmbedder()
    text = "The canteen is in the house. On Mondays the canteen opens late. The canteen opens at noon."

    ask("When does the canteen open on Mondays?", retrieved(passage(text)), embedder, embedded_sentences=1)

    assert embedder.embedded == ["On Mondays the canteen opens late."]


def test_a_sentence_far_behind_the_best_one_before_embedding_is_not_embedded():
    embedder = FakeEmbedder()
    near = passage("The canteen opens at noon.", id_="psg_a")
    far = passage("Bicycles stand behind the house.", id_="psg_b")
    found = retrieved(near, far, dense_score=0.5)

    ask("When does the canteen open?", found, embedder)

    assert embedder.embedded == ["The canteen opens at noon."]


@pytest.mark.parametrize("order", [("psg_a", "psg_b"), ("psg_b", "psg_a")])
def test_a_sentence_that_two_passages_share_is_quoted_once_from_the_first_by_id(order: tuple[str, str]):
    copies = [passage("The canteen opens at noon.", id_=id_) for id_ in order]

    answer = ask("When does the canteen open?", retrieved(*copies))

    assert [sentence.citation.passage for sentence in answer] == ["psg_a"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Parental leave lasts 26 weeks in every house.", "Parental leave lasts 28 weeks in every house.", id="number"),
        pytest.param("Parental leave is paid in every house of ours.", "Parental leave is not paid in every house of ours.", id="negation"),
    ],
)
def test_sentences_that_contradict_each_other_are_both_quoted(one: str, other: str):
    answer = ask("Tell me about parental leave", retrieved(passage(one, id_="psg_a"), passage(other, id_="psg_b")), min_support=0.1)

    assert sorted(texts(answer)) == sorted([one, other])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Canteen opening hours", id="the passage's heading"),
        pytest.param("STAFF CANTEEN", id="the document's title"),
        pytest.param("Opening canteen", id="a line with no word beyond the question's"),
        pytest.param("The opening canteen.", id="a heading that ends in a full stop"),
        pytest.param("When does the canteen open on Sundays?", id="a question"),
        pytest.param('"Is the canteen open at noon?"', id="a quoted question"),
    ],
)
def test_what_only_repeats_the_question_is_not_quoted(text: str):
    found = retrieved(passage(text, title="Staff canteen", heading_path=("Staff canteen", "Canteen opening hours")))

    answer = ask("When does the canteen open?", found, min_support=0)

    assert answer == ()


def test_a_sentence_that_confirms_the_question_word_for_word_is_quoted():
    answer = ask("Is the canteen open at noon?", retrieved(passage("The canteen is open at noon.")))

    assert texts(answer) == ["The canteen is open at noon."]


def test_a_row_of_a_table_is_quoted_alone():
    text = "Kind | Weeks\nParental leave | 26\nSick leave. With note | 6"

    answer = ask("How many weeks of sick leave with note?", retrieved(passage(text)))

    assert texts(answer) == ["Sick leave. With note | 6"]


def test_where_the_dense_leg_did_not_find_the_passage_the_sentences_own_similarity_stands_in():
    """The fake embedder gives the same words a similarity of 1."""
    text = "The canteen opens at noon."

    without, with_similarity_1 = (ask(text, retrieved(passage(text), dense_score=score)) for score in (None, 1.0))

    assert without[0].support == with_similarity_1[0].support


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_term_that_most_sentences_have_never_counts_against_them(count: int):
    """Classic BM25 gives a negative weight to a term in more than half of a small corpus."""
    sentences = ["Leave is paid.", "Leave is long.", "Leave is short."][:count]

    answer = ask("Is leave granted?", retrieved(passage(" ".join(sentences)), dense_score=0.0), min_support=0)

    assert all(sentence.support > 0 for sentence in answer)
    assert answer


def test_support_grows_with_the_similarity_of_the_passage():
    supports = [
        ask("When does the canteen open?", retrieved(passage(LEAVE), dense_score=score), min_support=0)[0].support
        for score in (-0.5, 0.0, 0.3, 0.9, 1.0, 1.5)
    ]

    assert supports == sorted(supports)
    assert supports[0] == supports[1] < supports[2] < supports[3] < supports[4] == supports[5]


@settings(deadline=None)
@given(question=st.text(max_size=40), texts=st.lists(st.text(alphabet="ab c.|\n?1é。", min_size=1, max_size=60), max_size=4))
def test_every_quote_is_exact_and_every_support_between_0_and_1(question: str, texts: list[str]):
    passages = [passage(text, id_=f"psg_{number}", start=7 * number) for number, text in enumerate(texts)]

    answer = ask(question, retrieved(*passages), min_support=0)

    by_id = {found.id: found for found in passages}
    for sentence in answer:
        source = by_id[sentence.citation.passage]
        start, end = sentence.citation.span.start - source.span.start, sentence.citation.span.end - source.span.start
        assert source.text[start:end] == sentence.text == sentence.citation.quote
        assert 0 <= sentence.support <= 1


@settings(deadline=None)
@given(text=st.text(alphabet="aB c.|\n\r?1\u2028", max_size=80))
def test_units_are_in_order_apart_and_hold_everything_but_white_space(text: str):
    found = list(units(text))

    rest = text
    for unit in reversed(found):
        rest = rest[: unit.start] + rest[unit.end :]
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert not rest.strip()


def test_the_order_of_equal_hits_does_not_change_the_answer():
    one, other = (
        passage("The canteen opens at noon on Mondays.", id_="psg_a"),
        passage("The canteen opens at noon on Sundays.", id_="psg_b"),
    )

    answers = [ask("When does the canteen open?", retrieved(*order), min_support=0) for order in ((one, other), (other, one))]

    assert answers[0] == answers[1]
    assert [sentence.citation.passage for sentence in answers[0]] == ["psg_a", "psg_b"]
