"""What the catalog promises of citations' receipts, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from retrieval.adapters.catalog.authority import Authority
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.citations import CatalogCitations
from retrieval.adapters.catalog.tables import (
    changes,
    citation_receipts,
    document_versions,
    documents,
    passages,
    texts,
    validity,
)
from retrieval.domain.answers import Citation
from retrieval.domain.citations import CitationState
from retrieval.domain.documents import Span
from retrieval.domain.errors import NotReadable
from retrieval.domain.ids import content_hash, text_hash
from retrieval.domain.permissions import Principal
from tests.api.conftest import FakeClock
from tests.story import ANN, BOB, PUBLIC, Story, allow

pytestmark = [pytest.mark.contract, pytest.mark.permissions]

TEXT = "Leave is 26 weeks. Ask your manager."
SENTENCE = "Leave is 26 weeks."


@pytest.fixture
def story(catalog: Catalog) -> Story:
    story = Story(catalog)
    story.sync({"a.md": (TEXT, PUBLIC), "b.md": ("Secret 7.", allow("user:bob"))})
    return story


def cited(story: Story, principal: Principal = ANN, quote: str = SENTENCE) -> Citation:
    [passage] = [found for found in story.gated(principal).readable if quote in found.text]
    start = passage.text.index(quote)
    return Citation.of(passage, within=Span(start, start + len(quote)))


def given(story: Story, principal: Principal = ANN) -> Citation:
    citation = cited(story, principal)
    story.catalog.citations.keep(principal, [citation], request_id="r1")
    return citation


def test_a_receipt_says_what_was_cited_where_and_when(story: Story):
    citation = given(story)

    found = story.catalog.citations.check(ANN, citation.id)

    receipt = found.receipt
    assert (receipt.citation, receipt.document, receipt.version) == (citation.id, story.document("a.md"), citation.version)
    assert (receipt.version_number, receipt.content_hash) == (1, content_hash(TEXT.encode()))
    assert (receipt.span, receipt.quote_hash, receipt.request_id) == (Span(0, 18), text_hash(SENTENCE), "r1")
    assert (found.state, found.is_current, found.quoted and found.quoted.quote) == (CitationState.INTACT, True, SENTENCE)


def test_the_last_of_several_receipts_counts(story: Story):
    citation = given(story)
    story.catalog.citations.keep(ANN, [citation, citation], request_id="r2")

    assert story.catalog.citations.check(ANN, citation.id).receipt.request_id == "r2"


def test_a_citation_is_there_for_those_alone_who_were_given_it(story: Story):
    citation = given(story)

    for principal, asked in ((BOB, citation.id), (ANN, "cit_" + 24 * "0")):
        with pytest.raises(NotReadable) as refused:
            story.catalog.citations.check(principal, asked)
        assert str(refused.value) == "there is no such citation, or it was not given to you"


@pytest.mark.parametrize(
    ("text", "state", "quote_at"),
    [
        pytest.param(f"{SENTENCE} Ask HR.", CitationState.INTACT, 0, id="the same at its place in a newer version"),
        pytest.param(f"New. {SENTENCE} Ask HR.", CitationState.CHANGED, 5, id="moved"),
        pytest.param(f"{SENTENCE[:-1]}! New. {SENTENCE} {SENTENCE}", CitationState.CHANGED, 24, id="the nearest of two"),
        pytest.param("Leave is 28 weeks. Ask your manager.", CitationState.CHANGED, None, id="gone"),
        pytest.param("Short.", CitationState.CHANGED, None, id="shorter than the span"),
    ],
)
def test_a_newer_version_is_compared_with_what_was_cited(story: Story, text: str, state: CitationState, quote_at: int | None):
    citation = given(story)
    story.sync({"a.md": (text, PUBLIC)})

    found = story.catalog.citations.check(ANN, citation.id)

    assert (found.state, found.is_current) == (state, False)
    assert found.current is not None
    assert found.current.number == 2
    assert (found.quoted and found.quoted.span.start) == quote_at
    if found.quoted is not None:
        assert found.quoted.span.of(text) == found.quoted.quote == SENTENCE


def test_a_stored_text_that_was_altered_is_no_longer_what_was_cited(story: Story):
    citation = given(story)
    with story.catalog.database.write() as connection:
        connection.execute(update(texts).where(texts.c.text == TEXT).values(text=TEXT.replace("26", "62")))

    found = story.catalog.citations.check(ANN, citation.id)

    assert (found.state, found.quoted) == (CitationState.CHANGED, None)


def test_a_withdrawn_document_is_told_as_such_and_shows_nothing(story: Story):
    citation = given(story)
    story.sync({"c.md": ("Other.", PUBLIC)})

    found = story.catalog.citations.check(ANN, citation.id)

    assert (found.state, found.current, found.quoted) == (CitationState.WITHDRAWN, None, None)


def erase(catalog: Catalog, document: str) -> None:
    """As if it had never been, but for receipts."""
    versions = select(document_versions.c.id).where(document_versions.c.document == document)
    with catalog.database.write() as connection:
        connection.execute(delete(passages).where(passages.c.version.in_(versions)))
        connection.execute(delete(validity).where(validity.c.version.in_(versions)))
        connection.execute(delete(document_versions).where(document_versions.c.document == document))
        connection.execute(delete(changes).where(changes.c.document == document))
        connection.execute(delete(documents).where(documents.c.id == document))


def hide(story: Story) -> None:
    story.sync({"a.md": (TEXT, allow("user:bob"))})


def hide_and_withdraw(story: Story) -> None:
    hide(story)
    story.sync({"c.md": ("Other.", PUBLIC)})


def hide_and_change(story: Story) -> None:
    story.sync({"a.md": ("Something else.", allow("user:bob"))})


def test_whatever_became_of_a_document_that_one_may_not_read_is_told_alike(catalog: Catalog):
    """Hidden, changed and hidden, withdrawn and hidden, erased: four worlds, one answer."""
    story = Story(catalog)
    becomes: list[Callable[[], None]] = [
        lambda: hide(story),
        lambda: hide_and_change(story),
        lambda: hide_and_withdraw(story),
        lambda: erase(catalog, story.document("a.md")),
    ]
    told = []
    for become in becomes:
        story.sync({"a.md": (TEXT, PUBLIC)})
        citation = given(story)
        become()
        found = catalog.citations.check(ANN, citation.id)
        told.append((found.state, found.current, found.quoted, found.access_class, found.is_current))

    assert told == [(CitationState.NOT_READABLE, None, None, None, False)] * 4


def test_nothing_that_is_kept_holds_the_text(story: Story):
    given(story)

    with story.catalog.database.read() as connection:
        [row] = connection.execute(select(citation_receipts)).all()

    assert not any("Leave" in str(value) for value in row)


def test_receipts_are_kept_for_so_many_days(catalog: Catalog):
    story = Story(catalog)
    story.sync({"a.md": (TEXT, PUBLIC)})
    clock = FakeClock()
    catalog.database.clock = clock
    receipts = CatalogCitations(catalog.database, Authority(catalog.database), kept_days=30)
    citation = cited(story)
    receipts.keep(ANN, [citation])
    clock.at += timedelta(days=30) - timedelta(seconds=1)
    receipts.check(ANN, citation.id)
    clock.at += timedelta(seconds=1)

    with pytest.raises(NotReadable):
        receipts.check(ANN, citation.id)
    receipts.keep(BOB, [citation])
    with catalog.database.read() as connection:
        assert connection.scalars(select(citation_receipts.c.reader)).all() == ["user:bob"]


def test_an_answer_without_citations_keeps_nothing(story: Story):
    story.catalog.citations.keep(ANN, [])

    with story.catalog.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(citation_receipts)) == 0


def test_a_forgotten_persons_receipts_are_deleted_and_nobody_elses(story: Story):
    citation = given(story)
    given(story, BOB)

    story.catalog.learning.forgetting.forget(ANN.subject, by="app:cli")

    with pytest.raises(NotReadable):
        story.catalog.citations.check(ANN, citation.id)
    assert story.catalog.citations.check(BOB, citation.id).state is CitationState.INTACT
