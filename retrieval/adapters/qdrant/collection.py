"""The contract of the passage collection: what both adapters create, write and expect to find."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from retrieval.domain.errors import IndexUnavailable

CONTRACT_VERSION = 5
"""Raised whenever an index written before could not be read as if it were written now: it is then built anew."""

DENSE = "dense"
"""What names of dense vectors begin with; `vector_name` gives them."""
LEXICAL = "lexical"

ACCESS_CLASS = "access_class"
"""Of points of current versions only: a filter over it cannot see the past."""
CLASS_EVER = "class_ever"
"""Of every point: what the document's readers are now, whenever the version was current."""
DOCUMENT = "document"
SOURCE = "source"
VERSION = "version"
ORDINAL = "ordinal"
VALID_FROM = "valid_from"
VALID_TO = "valid_to"
OPEN = 2**53
"""The end of what is current: the largest integer up to which a range, which compares floats, knows each from the next."""
GAPS = "gaps"
"""`[{"from": revision, "to": revision}, ...]`, only where there are any; `gap_count` says so to a filter without reading them."""
GAP_COUNT = "gap_count"
TEXT = "text"
PREFIX = "prefix"
WORDS = "words"
"""Prefix and text as phrases are sought in them. A text index of its own: tokens between spaces, in their order."""

INTEGER_INDEXES = (ACCESS_CLASS, CLASS_EVER, VALID_FROM, VALID_TO, GAP_COUNT)
KEYWORD_INDEXES = (DOCUMENT, SOURCE)

UPSERT_POINTS = 256
"""Points written in one request: small enough that searches interleave (30 ms of the embedded engine at 384 dimensions)."""


def vector_name(model: str) -> str:
    """Of a model's vectors on a point. Vectors of two models never have the same name, whatever their lengths."""
    return f"{DENSE}-{hashlib.blake2b(model.encode(), digest_size=6).hexdigest()}"


@dataclass(frozen=True)
class IndexIdentity:
    """What an index holds, or should hold. One that lacks the model, or is of another contract, is never searched but built anew.

    Attributes:
        model: the embedder's name and content hash; vectors of two models mean different things even at equal length.
        dimensions: floats per dense vector.
        contract: the version of this file's contract.
        beside: other models whose vectors the points hold as well, with their dimensions; in the order of their ids.
    """

    model: str
    dimensions: int
    contract: int = CONTRACT_VERSION
    beside: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of_json(cls, raw: Mapping[str, object]) -> Self:
        """The inverse of `as_json`. Raises KeyError, TypeError or ValueError for anything else."""
        beside = raw.get("beside") or []
        assert isinstance(beside, list)
        named = tuple((str(model), int(dimensions)) for model, dimensions in beside)
        return cls(str(raw["model"]), int(str(raw["dimensions"])), int(str(raw["contract"])), named)

    def as_json(self) -> dict[str, object]:
        return {
            "model": self.model,
            "dimensions": self.dimensions,
            "contract": self.contract,
            "beside": [[model, dimensions] for model, dimensions in self.beside],
        }

    @cached_property
    def models(self) -> Mapping[str, int]:
        """Every model's dimensions."""
        return {self.model: self.dimensions, **dict(self.beside)}

    def led_by(self, model: str) -> "IndexIdentity":
        """The same models, this one of them first."""
        others = tuple(sorted((name, dimensions) for name, dimensions in self.models.items() if name != model))
        return IndexIdentity(model, self.models[model], self.contract, others)

    def name_of(self, model: str) -> str:
        """The name of a model's vectors; of the model's own where none is said. Raises IndexUnavailable when there are none."""
        if model and model not in self.models:
            raise IndexUnavailable(f"the index does not hold vectors of {model} yet", retry_after_seconds=5)
        return vector_name(model or self.model)

    def difference(self, found: object) -> str | None:
        """Why an index with the identity `found` (JSON values) cannot serve, for a person to read; None when it can."""
        if not isinstance(found, dict):
            return "it does not say what it holds"
        if found.get("contract") != self.contract:
            return f"its contract is {found.get('contract')!r}, not {self.contract!r}"
        try:
            held = IndexIdentity.of_json(found).models
        except (KeyError, TypeError, ValueError, AssertionError):
            return "it does not say what it holds"
        if self.model not in held:
            return f"its model is {', '.join(map(repr, held))}, not {self.model!r}"
        if held[self.model] != self.dimensions:
            return f"its dimensions are {held[self.model]!r}, not {self.dimensions!r}"
        return None

    def lacks(self, found: "IndexIdentity") -> bool:
        """Whether an index that holds `found` has to be built anew to hold everything this one names."""
        return not self.models.items() <= found.models.items()
