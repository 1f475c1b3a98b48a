"""The only place where filters are made: none may match everything."""

import pytest
import qdrant_edge
from qdrant_client import models

from retrieval.adapters.qdrant import edge_shard, server_collection
from retrieval.adapters.qdrant.filters import EmptyFilterError, Filters
from tests.retrieval.indexing.world import scope_of

BOTH = pytest.mark.parametrize("filters", [edge_shard._FILTERS, server_collection._FILTERS], ids=["edge", "server"])

pytestmark = pytest.mark.permissions


@BOTH
def test_an_empty_scope_makes_no_filter(filters: Filters[object]) -> None:
    with pytest.raises(EmptyFilterError):
        filters.readable(scope_of())
    with pytest.raises(EmptyFilterError):
        filters.readable(scope_of(), sources=["wiki"], passages=["00000000-0000-8000-8000-000000000000"])


@BOTH
def test_no_documents_make_no_filter(filters: Filters[object]) -> None:
    with pytest.raises(EmptyFilterError):
        filters.of_documents([])
    with pytest.raises(EmptyFilterError):
        filters.replaced([], keep=["00000000-0000-8000-8000-000000000000"])


def test_a_scope_becomes_a_condition_on_the_access_class_for_the_client() -> None:
    made = server_collection._FILTERS.readable(scope_of(4, 2), sources=["wiki"])

    assert made == models.Filter(
        must=[
            models.FieldCondition(key="access_class", match=models.MatchAny(any=[2, 4])),
            models.FieldCondition(key="source", match=models.MatchAny(any=["wiki"])),
        ]
    )


def test_a_scope_becomes_a_condition_on_the_access_class_for_the_engine() -> None:
    made = edge_shard._FILTERS.readable(scope_of(4, 2))

    (condition,) = made.must or []
    assert isinstance(condition, qdrant_edge.FieldCondition)
    assert condition.key == "access_class"
    assert isinstance(condition.match, qdrant_edge.MatchAny)
    assert sorted(condition.match.value) == [2, 4]
