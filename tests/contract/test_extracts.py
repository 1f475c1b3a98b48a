"""Stretches of text that neighbouring passages cover together: exactly the version's, for whoever may read it; on both databases."""

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.documents import Span
from retrieval.domain.passages import Stretch
from tests.story import ANN, BOB, PUBLIC, Story, allow

pytestmark = [pytest.mark.contract, pytest.mark.permissions]

TEXT = "Grüße 🎻.\n\n\tDas zweite, “naïve” Stück — 日本語."


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog)


def stretch(story: Story, key: str, span: Span) -> Stretch:
    version = next(passage.version for passage in story.gated(BOB).readable if passage.document == story.document(key))
    return Stretch(story.document(key), version, span)


@pytest.mark.parametrize("span", [Span(0, len(TEXT)), Span(6, 7), Span(9, 14), Span(len(TEXT) - 1, len(TEXT))], ids=str)
def test_an_extract_is_the_versions_text_at_its_span(story: Story, span: Span):
    story.sync({"a.md": (TEXT, PUBLIC)})
    wanted = stretch(story, "a.md", span)

    assert story.catalog.gate.extracts(ANN, [wanted]) == {wanted: span.of(TEXT)}


def test_of_what_may_not_be_read_there_is_no_extract(story: Story):
    story.sync({"a.md": ("One. Two.", PUBLIC), "b.md": ("Three. Four.", allow("user:bob"))})
    mine, hidden = stretch(story, "a.md", Span(0, 9)), stretch(story, "b.md", Span(0, 12))

    assert story.catalog.gate.extracts(ANN, [hidden, mine]) == {mine: "One. Two."}
    assert story.catalog.gate.extracts(ANN, []) == {}


def test_a_version_that_is_not_current_any_more_gives_none(story: Story):
    story.sync({"a.md": ("One. Two.", PUBLIC)})
    old = stretch(story, "a.md", Span(0, 9))

    story.sync({"a.md": ("One. Two. Three.", PUBLIC)})

    assert story.catalog.gate.extracts(ANN, [old]) == {}


def test_a_revoked_grant_counts_at_once(story: Story):
    story.sync({"a.md": ("One. Two.", allow("user:ann", "user:bob"))})
    wanted = stretch(story, "a.md", Span(0, 9))
    before = story.catalog.gate.extracts(ANN, [wanted])

    run = story.start()
    story.record(run, {"a.md": ("One. Two.", allow("user:bob"))})

    assert (before, story.catalog.gate.extracts(ANN, [wanted])) == ({wanted: "One. Two."}, {})
