"""Lists of readable documents and of owned sources, on both databases."""

from dataclasses import replace

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.directory import Entry
from retrieval.domain.permissions import Principal
from tests.story import ANN, BOB, PUBLIC, Story, allow

pytestmark = pytest.mark.contract


@pytest.mark.permissions
def test_a_list_holds_the_readable_documents_in_pages(catalog: Catalog):
    story = Story(catalog)
    files = {f"{n}.txt": (f"Sentence {n}.", allow(f"user:{'ann' if n % 2 else 'bob'}")) for n in range(9)}
    story.sync(files | {"all.txt": ("For all.", PUBLIC)})
    mine = sorted(story.document(key) for key in ("1.txt", "3.txt", "5.txt", "7.txt", "all.txt"))

    first = catalog.documents.documents(ANN, source=None, after="", count=3)
    second = catalog.documents.documents(ANN, source="handbook", after=first.documents[-1].id, count=3)

    assert [document.id for document in first.documents + second.documents] == mine
    assert (first.more, second.more) == (True, False)


@pytest.mark.permissions
def test_who_may_read_nothing_is_shown_an_empty_list(catalog: Catalog):
    Story(catalog).sync({"a.txt": ("For Ann.", allow("user:ann"))})

    assert catalog.documents.documents(BOB, source=None, after="", count=3).documents == ()


@pytest.mark.permissions
def test_a_withdrawn_document_is_on_no_list(catalog: Catalog):
    story = Story(catalog)
    story.sync({"a.txt": ("One.", PUBLIC), "b.txt": ("Two.", PUBLIC)})
    story.sync({"a.txt": ("One.", PUBLIC)})

    listed = catalog.documents.documents(ANN, source=None, after="", count=9)

    assert [document.id for document in listed.documents] == [story.document("a.txt")]


@pytest.mark.permissions
def test_sources_are_owned_through_groups_of_the_directory_and_of_the_credential(catalog: Catalog):
    Story(catalog)
    catalog.sources.register(replace(catalog.sources.get("handbook").spec, owner="group:owners"), by="user:dana")
    catalog.directory.set_groups("group:clerks", ["group:owners"])
    clerk = Principal("eve", groups=frozenset({"group:clerks"}))

    assert [status.source.spec.id for status in catalog.owned.owned(clerk, after="", count=9)] == ["handbook"]
    assert catalog.owned.owned(clerk, after="handbook", count=9) == ()
    assert catalog.owned.owned(Principal("dana"), after="", count=9) == ()


@pytest.mark.permissions
def test_who_is_no_longer_active_owns_nothing(catalog: Catalog):
    Story(catalog)
    catalog.directory.add(Entry("user:dana", "Dana", active=False))

    assert catalog.owned.owned(Principal("dana"), after="", count=9) == ()
