from dataclasses import replace

import pytest

from retrieval.domain.answers import Citation
from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.runs import FusedHit
from retrieval.steps.attribute import attribute

VERSION_TEXT = "Leave. Parents take 26 weeks."
PASSAGE = ReadablePassage(
    id="psg_b",
    document="doc_1",
    version="ver_1",
    version_number=3,
    source="handbook",
    ordinal=1,
    span=Span(7, 29),
    text="Parents take 26 weeks.",
    page=4,
    heading_path=("Leave",),
    title="Handbook",
    uri="file:///handbook.md",
    media_type="text/markdown",
    modified_at=None,
    revision=9,
)


def fused(passage: str, score: float) -> FusedHit:
    return FusedHit(passage, score, lexical_rank=1, lexical_score=2.0, dense_rank=1, dense_score=0.5)


def test_a_withheld_hit_leaves_no_gap_in_the_ranks():
    hits = [fused("psg_a", 0.9), fused("psg_b", 0.8), fused("psg_hidden", 0.7), fused("psg_c", 0.6)]
    readable = [PASSAGE, replace(PASSAGE, id="psg_c")]

    attributed = attribute(hits, readable, top_k=10)

    assert [(hit.rank, hit.passage.id, hit.score) for hit in attributed] == [(1, "psg_b", 0.8), (2, "psg_c", 0.6)]


def test_withheld_hits_do_not_shorten_the_top_k():
    hits = [fused("psg_hidden", 0.9), fused("psg_b", 0.8), fused("psg_c", 0.6), fused("psg_d", 0.5)]
    readable = [replace(PASSAGE, id=id_) for id_ in ("psg_d", "psg_c", "psg_b")]

    attributed = attribute(hits, readable, top_k=2)

    assert [hit.passage.id for hit in attributed] == ["psg_b", "psg_c"]


def test_a_hit_is_cited_by_the_whole_passage_and_keeps_what_each_leg_said():
    hit = fused("psg_b", 0.8)

    (attributed,) = attribute([hit], [PASSAGE], top_k=1)

    assert attributed.citation.span == Span(7, 29)
    assert attributed.citation.quote == VERSION_TEXT[7:29]
    assert (attributed.citation.document, attributed.citation.version_number, attributed.citation.page) == ("doc_1", 3, 4)
    assert attributed.fused is hit


def test_a_quote_is_cited_by_its_place_in_the_version_not_in_the_passage():
    citation = Citation.of(PASSAGE, within=Span(13, 21))

    assert citation.quote == "26 weeks"
    assert citation.span.of(VERSION_TEXT) == "26 weeks"


def test_a_quote_beyond_its_passage_is_refused():
    beyond = Span(13, 23)

    with pytest.raises(ValueError, match="within its passage"):
        Citation.of(PASSAGE, within=beyond)
