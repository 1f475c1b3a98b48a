"""A quote that is not exactly the stored version's text at its place never becomes a citation.

Random spans and quotes of random texts, through everything that makes citations: passages that passed the gate, evidence and claims.
`ARCHIVIST_QUOTE_TRIALS` sets how many.
"""

import os
import random
from dataclasses import replace

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.answers import Citation
from retrieval.domain.documents import Span
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage
from retrieval.ports.reading import Candidate
from retrieval.steps.support import supported
from tests.story import ANN, PUBLIC, Story

pytestmark = [pytest.mark.permissions, pytest.mark.contract]

TRIALS = int(os.environ.get("ARCHIVIST_QUOTE_TRIALS", "1000"))
ALPHABET = "ab é😀\u0301\u200b|\n.1N?"
TEXTS = 12


@pytest.fixture
def drawn() -> random.Random:
    return random.Random(5)


def text_of(drawn: random.Random) -> str:
    words = ["".join(drawn.choices(ALPHABET, k=drawn.randint(1, 8))) for _ in range(drawn.randint(3, 30))]
    return "Text " + " ".join(words) + "."


def altered(drawn: random.Random, text: str) -> str:
    """Another text of about the same length."""
    at = drawn.randrange(len(text))
    ways = (
        text[:at] + drawn.choice("xyzÉ ") + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[:at] + drawn.choice("x \u200b") + text[at:],
        text.swapcase(),
        text[::-1],
    )
    return drawn.choice([way for way in ways if way != text] or [text + "x"])


def stored(catalog: Catalog, drawn: random.Random) -> dict[str, str]:
    """Version id to its text, as the catalog keeps it."""
    story = Story(catalog)
    story.sync({f"{number}.md": (text_of(drawn), PUBLIC) for number in range(TEXTS)})
    documents = [catalog.documents.document(ANN, story.document(f"{number}.md")) for number in range(TEXTS)]
    return {found.version.id: found.text for found in documents}


def stands(citation: Citation, texts: dict[str, str]) -> bool:
    """By offset and by hash."""
    there = citation.span.of(texts[citation.version])
    return citation.quote == there and text_hash(citation.quote) == text_hash(there) and len(there) == len(citation.span)


def test_no_altered_text_passes_the_gate_to_be_quoted(catalog: Catalog, drawn: random.Random):
    texts = stored(catalog, drawn)
    passages = Story.gated(Story(catalog, source="again"), ANN).readable
    passed = 0
    for _ in range(TRIALS):
        passage = drawn.choice(passages)
        claimed = drawn.choice([passage.text, altered(drawn, passage.text)])

        gated = catalog.gate.gate(ANN, [Candidate(passage.id, claimed)])

        assert [found.text for found in gated.readable] == ([claimed] if claimed == passage.text else [])
        assert all(stands(Citation.of(found), texts) for found in gated.readable)
        passed += len(gated.readable)
    assert 0 < passed < TRIALS


def test_a_span_of_a_passage_is_cited_exactly_or_not_at_all(catalog: Catalog, drawn: random.Random):
    texts = stored(catalog, drawn)
    passages = Story(catalog, source="again").gated(ANN).readable
    refused = 0
    for _ in range(TRIALS):
        passage = drawn.choice(passages)
        start = drawn.randint(0, len(passage.text) + 3)
        within = Span(start, start + drawn.randint(0, 12))
        try:
            citation = Citation.of(passage, within=within)
        except ValueError:
            refused += 1
            assert within.end > len(passage.text)
            continue
        assert stands(citation, texts)
    assert 0 < refused < TRIALS


def test_a_claim_that_is_not_in_the_stored_text_is_never_told_to_be_a_quote(catalog: Catalog, drawn: random.Random):
    texts = stored(catalog, drawn)
    passages = Story(catalog, source="again").gated(ANN).readable
    quoted = 0
    for _ in range(TRIALS):
        passage: ReadablePassage = drawn.choice(passages)
        start = drawn.randrange(len(passage.text))
        claim = passage.text[start : start + drawn.randint(1, 60)]
        claim = drawn.choice([passage.text.strip(), claim, altered(drawn, claim)])

        found = supported(claim, [], {"1": passage})

        quoted += found.citation is not None
        assert found.citation is None or stands(found.citation, texts)
        assert found.verdict != "quoted" or (found.citation is not None and found.text == found.citation.quote)
    assert 0 < quoted < TRIALS


def test_a_receipt_recognises_its_quote_and_no_other(catalog: Catalog, drawn: random.Random):
    stored(catalog, drawn)
    passages = Story(catalog, source="again").gated(ANN).readable
    citations = [Citation.of(passage) for passage in passages if passage.text]
    catalog.citations.keep(ANN, citations)
    receipts = {citation.id: catalog.citations.check(ANN, citation.id).receipt for citation in citations}

    for _ in range(TRIALS):
        citation = drawn.choice(citations)
        receipt = receipts[citation.id]

        assert receipt.is_quote(citation.quote)
        assert not receipt.is_quote(altered(drawn, citation.quote))
        moved = replace(receipt, span=Span(receipt.span.start, receipt.span.end + 1))
        assert not moved.is_quote(citation.quote)
