"""A passage's vectors on a point, one for each model, and back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from retrieval.adapters.qdrant.collection import IndexIdentity, vector_name
from retrieval.domain.passages import IndexedPassage


def vectors_on_point(identity: IndexIdentity, passage: IndexedPassage) -> dict[str, list[float]]:
    """By vector name, of the models that the index holds. A model that has not embedded the passage yet has none on its point."""
    given = passage.vectors or {identity.model: passage.vector}
    return {vector_name(model): [float(x) for x in given[model]] for model in identity.models if len(given.get(model, ()))}


def vector_names(identity: IndexIdentity) -> list[str]:
    return [vector_name(model) for model in identity.models]


def with_vectors(identity: IndexIdentity, passage: IndexedPassage, found: object) -> IndexedPassage:
    """The passage with what stands on its point: the inverse of `vectors_on_point`."""
    named = cast("Mapping[str, Any]", found if isinstance(found, dict) else {})
    vectors = {model: tuple(named[vector_name(model)]) for model in identity.models if vector_name(model) in named}
    return replace(passage, vector=vectors.get(identity.model, ()), vectors=vectors if identity.beside else {})
