"""Personal data is found by its form, and ordinary business text is left alone. Nothing is fetched to do it."""

import socket
from pathlib import Path

import pytest

from pipelines.inspection.inspect import WINDOW_CHARACTERS, inspect, windows
from pipelines.inspection.mask import mask
from pipelines.inspection.personal import personal_data
from retrieval.domain.contracts import PERSONAL_KINDS
from retrieval.domain.documents import Element, ElementKind, ParsedDocument, Span
from tests.pipelines.inspection.synthetic import SENTENCES, business_texts, sentences

SAMPLES = Path("data/samples")
LEAST_RECALL = 0.95
MOST_FALSE = 0.01
"""Share of business texts in which anything is found."""


@pytest.mark.parametrize("kind", PERSONAL_KINDS)
def test_values_of_each_kind_are_found_where_they_stand(kind: str):
    made = sentences(kind, count=40)

    found = [any(d.kind == kind and value in d.span.of(text) for d in personal_data(text)) for text, value in made]

    assert sum(found) / len(found) >= LEAST_RECALL, [text for (text, _), was in zip(made, found, strict=True) if not was]


def test_every_kind_that_an_owner_may_name_is_tried():
    assert set(SENTENCES) == set(PERSONAL_KINDS)


def test_numbers_of_business_are_nobodys():
    texts = business_texts(500)

    wrong = [text for text in texts if personal_data(text)]

    assert len(wrong) / len(texts) <= MOST_FALSE, wrong


def test_no_sample_document_in_plain_text_is_suspected():
    for path in sorted(SAMPLES.rglob("*.md")):
        found = inspect(path.read_text(encoding="utf-8"))

        assert (found.secrets, found.instructions, found.hidden) == ({}, 0, 0), path


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch):
    def refused(*_arguments: object) -> None:
        raise AssertionError("an inspection asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setattr(socket.socket, "connect", refused)

    assert inspect("Write to ann.lee@northwind.co.uk.").personal == {"EMAIL_ADDRESS": 1}


def test_a_value_at_the_border_of_a_window_is_not_cut_in_two():
    text = "word " * (WINDOW_CHARACTERS // 5 - 2) + "ann.lee@northwind.com and more"

    assert "".join(windows(text)) == text
    assert inspect(text).personal == {"EMAIL_ADDRESS": 1}


def test_no_more_is_looked_at_than_was_asked():
    assert inspect("." * 100 + " ann.lee@northwind.com", most_characters=100).is_empty


def test_masking_moves_every_span_to_where_its_text_is_now():
    parts = ["Ann, ann.lee@northwind.com", "SSN 536-90-4399; write to bo.lee@northwind.com.", "Nothing here."]
    text = "\n\n".join(parts)
    elements, start = [], 0
    for part in parts:
        elements.append(Element(Span(start, start + len(part)), ElementKind.TEXT, heading_path=("By ann.lee@northwind.com",)))
        start += len(part) + 2
    document = ParsedDocument("To bo.lee@northwind.com", "text/plain", text, tuple(elements), "test", {"author": "ann.lee@northwind.com"})

    masked = mask(document, ())

    assert [each.span.of(masked.document.text) for each in masked.document.elements] == [
        "Ann, [EMAIL_ADDRESS]",
        "SSN [US_SSN]; write to [EMAIL_ADDRESS].",
        "Nothing here.",
    ]
    assert (masked.document.title, masked.document.metadata) == ("To [EMAIL_ADDRESS]", {"author": "[EMAIL_ADDRESS]"})
    assert {each.heading_path for each in masked.document.elements} == {("By [EMAIL_ADDRESS]",)}
    assert masked.counts == {"EMAIL_ADDRESS": 7, "US_SSN": 1}
    assert mask(document, ("US_SSN",)).counts == {"US_SSN": 1}
