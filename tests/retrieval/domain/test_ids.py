"""Ids are equal for equal places only."""

from retrieval.domain.ids import document_id, passage_id, version_id


def test_where_a_source_ends_and_a_key_begins_makes_a_difference():
    ids = {document_id(source, key) for source, key in (("wiki", "a/b"), ("wik", "ia/b"), ("wikia", "/b"), ("", "wikia/b"))}

    assert len(ids) == 4


def test_where_a_document_ends_and_a_number_begins_makes_a_difference():
    assert version_id("doc_1", 11) != version_id("doc_11", 1)
    assert passage_id("ver_1", 11) != passage_id("ver_11", 1)


def test_the_same_place_has_the_same_id():
    assert document_id("wiki", "a.md") == document_id("wiki", "a.md")
