"""Signals of how sure an answer is: each grows with what speaks for it, and nothing outside of the head shows."""

import math
from dataclasses import replace

import numpy as np
import pytest

from retrieval.domain.answers import Citation, Retrieved, RetrievedPassage
from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import FusedHit
from retrieval.ports.models import TokenVectors
from retrieval.steps.confidence import BESIDE, HEAD, LEG_SIGNALS, TOKEN_SIGNALS, signals

QUESTION = "When does the facility end?"
EAST, NORTH, WEST = (7, 0), (0, 3), (-5, 0)
FACILITY, END, TITLE = 1, 2, 3


def passage(id_: str, text: str) -> ReadablePassage:
    return ReadablePassage(
        id=id_,
        document=f"doc_{id_}",
        version=f"ver_{id_}",
        version_number=1,
        source="finance",
        ordinal=0,
        span=Span(0, len(text)),
        text=text,
        page=None,
        heading_path=(),
        title="Facility letter",
        uri="",
        media_type="text/plain",
        modified_at=None,
        revision=1,
    )


def hit(rank: int, id_: str, text: str, *, dense: float, lexical: float) -> RetrievedPassage:
    found = passage(id_, text)
    return RetrievedPassage(rank, 1 / rank, found, Citation.of(found), FusedHit(id_, 1 / rank, rank, lexical, rank, dense))


HITS = (
    hit(1, "a", "The facility ends on 30 September 2027.", dense=0.8, lexical=9.0),
    hit(2, "b", "Rope is kept dry.", dense=0.4, lexical=3.0),
    hit(3, "c", "Eels come at night.", dense=0.2, lexical=0.0),
)
RETRIEVED = Retrieved(HITS, revision=1)
BEST = Evidence(HITS[0].passage, Span(0, len(HITS[0].passage.text)), 0.9)
OTHER = Evidence(HITS[1].passage, Span(0, len(HITS[1].passage.text)), 0.3)


def tokens(*parts: tuple[int, int, tuple[int, ...]]) -> TokenVectors:
    ids, segments, vectors = zip(*parts, strict=True)
    return TokenVectors(np.array(ids, dtype=np.uint16), np.array(segments, dtype=np.uint8), np.array(vectors, dtype=np.int8))


ASKED = tokens((FACILITY, 1, EAST), (END, 1, NORTH))
KNOWN = {
    "a": tokens((FACILITY, 0, EAST), (FACILITY, 1, EAST), (END, 1, NORTH)),
    "b": tokens((FACILITY, 0, EAST), (TITLE, 1, WEST)),
    "c": tokens((TITLE, 1, WEST)),
}


def test_legs_are_told_by_the_first_hit_and_by_how_far_the_others_are_behind():
    told = signals(QUESTION, RETRIEVED, [BEST], None, {})

    assert told["dense"] == 0.8
    assert told["dense_margin"] == pytest.approx(0.8 - (0.4 + 0.2) / 2)
    assert told["lexical_margin"] == pytest.approx((9 - 1.5) / 9, abs=1e-5)
    assert told["agreement"] == 3 / HEAD


def test_words_are_told_by_the_questions_terms_in_the_first_passage_and_in_the_best_sentence():
    told = signals(QUESTION, RETRIEVED, [BEST], None, {})
    elsewhere = signals(QUESTION, RETRIEVED, [OTHER], None, {})

    assert (told["coverage"], told["evidence_coverage"], told["answer_type"]) == (1.0, 1.0, 1.0)
    assert (elsewhere["coverage"], elsewhere["evidence_coverage"], elsewhere["answer_type"]) == (1.0, 0.0, 0.0)


def test_support_is_told_with_its_margins():
    told = signals(QUESTION, RETRIEVED, [BEST, OTHER], None, {})

    assert told["support"] == 0.9
    assert told["support_odds"] == pytest.approx(math.log(9), abs=1e-5)
    assert told["support_margin"] == told["support_elsewhere"] == pytest.approx(0.6)
    assert told["evidence_rank"] == 1.0
    assert signals(QUESTION, RETRIEVED, [replace(OTHER, support=1.0)], None, {})["support_odds"] == pytest.approx(math.log(99), abs=1e-5)


def test_tokens_are_compared_with_sentences_of_the_first_passage_and_what_its_title_says_counts_less():
    told = signals(QUESTION, RETRIEVED, [BEST], ASKED, KNOWN)
    titled = signals(QUESTION, RETRIEVED, [BEST], ASKED, {**KNOWN, "a": tokens((FACILITY, 0, EAST), (FACILITY, 1, EAST))})

    assert told["tokens"] == told["tokens_lowest"] == told["tokens_window"] == told["tokens_beyond_title"] == pytest.approx(1.0)
    assert told["tokens_margin"] == pytest.approx(1.0 - 0.5)
    assert titled["tokens"] == pytest.approx(0.5)
    assert titled["tokens_beyond_title"] == pytest.approx(0.0, abs=1e-5)


def test_every_signal_is_there_by_name_and_those_of_tokens_only_where_they_are_known():
    with_tokens = signals(QUESTION, RETRIEVED, [BEST, OTHER], ASKED, KNOWN, conflicts=2, claims_support=[1.0, 0.5])

    assert with_tokens.keys() == {*LEG_SIGNALS, *TOKEN_SIGNALS, *BESIDE}
    assert (with_tokens["conflicts"], with_tokens["claims"]) == (2, 0.75)
    for unknown in ({}, {"b": KNOWN["b"]}):
        assert signals(QUESTION, RETRIEVED, [BEST], ASKED, unknown).keys() == {*LEG_SIGNALS, "conflicts"}


def test_hits_beyond_the_head_change_nothing():
    eight = tuple(hit(rank, f"p{rank}", "Rope is kept dry.", dense=0.3, lexical=2.0) for rank in range(2, HEAD + 1))
    more = (hit(HEAD + 1, "z", "The facility ends on 1 May.", dense=0.9, lexical=20.0),)

    assert signals(QUESTION, Retrieved((HITS[0], *eight), revision=1), [BEST], ASKED, KNOWN) == signals(
        QUESTION, Retrieved((HITS[0], *eight, *more), revision=2), [BEST], ASKED, {**KNOWN, "z": KNOWN["a"]}
    )


@pytest.mark.parametrize("question", ["", "?", "the", "Ω"], ids=["empty", "a mark", "a stop word", "one letter"])
def test_whatever_is_asked_signals_are_numbers(question: str):
    one = Retrieved(HITS[:1], revision=1)

    told = signals(question, one, [BEST], tokens((END, 1, NORTH)), {"a": tokens((TITLE, 0, EAST))})

    assert all(math.isfinite(value) for value in told.values())
    assert told.keys() >= set(TOKEN_SIGNALS)


def test_without_hits_or_evidence_there_is_nothing_to_be_sure_of():
    assert signals(QUESTION, Retrieved((), revision=1), [BEST], ASKED, KNOWN) == {}
    assert signals(QUESTION, RETRIEVED, [], ASKED, KNOWN) == {}
