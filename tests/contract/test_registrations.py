"""Registrations are versions with who and when; what two sources both hold is told only as far as the asker may read it."""

from dataclasses import replace

import pytest

from retrieval.adapters.catalog import reader
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.errors import InvalidInput
from retrieval.domain.ids import content_hash
from retrieval.domain.permissions import Principal
from tests.story import ANN, BOB, PUBLIC, Story, allow

pytestmark = pytest.mark.contract


def test_every_registration_with_a_change_is_a_version(catalog: Catalog) -> None:
    Story(catalog)
    spec = catalog.sources.get("handbook").spec
    changed = replace(spec, title="Another name")
    catalog.sources.register(changed, by="user:ann")
    catalog.sources.register(changed, by="user:bob")

    newest, first = catalog.sources.history("handbook")

    assert (newest.version, newest.spec, newest.registered_by) == (2, changed, "user:ann")
    assert (first.version, first.spec, first.registered_by) == (1, spec, "user:dana")
    assert first.registered_at <= newest.registered_at
    with pytest.raises(InvalidInput, match="source"):
        catalog.sources.history("nowhere")


@pytest.mark.permissions
def test_only_readable_current_documents_of_other_sources_count_as_the_same(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "HASHES_AT_ONCE", 2)
    public, hidden, gone = "One.", "Two.", "Three."
    Story(catalog).sync({"a.txt": (public, PUBLIC), "b.txt": (hidden, allow("user:ann")), "c.txt": (public, PUBLIC)})
    withdrawn = Story(catalog, source="old")
    withdrawn.sync({"x.txt": (gone, PUBLIC), "y.txt": (public, PUBLIC)})
    withdrawn.sync({"y.txt": (public, PUBLIC)})
    contents = [content_hash(text.encode()) for text in (public, hidden, gone, "Four.")]

    def held(principal: Principal, besides: str) -> dict[str, frozenset[str]]:
        return dict(catalog.documents.holding(principal, contents, besides=besides))

    one, two = contents[:2]
    assert held(ANN, "new") == {one: {"handbook", "old"}, two: {"handbook"}}
    assert held(BOB, "new") == {one: {"handbook", "old"}}
    assert held(ANN, "handbook") == {one: {"old"}}
    assert held(Principal("ann", sources=frozenset({"old"})), "new") == {one: {"old"}}
    assert catalog.documents.holding(ANN, [], besides="new") == {}
