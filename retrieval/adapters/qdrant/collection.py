"""The contract of the passage collection: what both adapters create, write and expect to find."""

from dataclasses import asdict, dataclass

CONTRACT_VERSION = 5
"""Raised whenever an index written before could not be read as if it were written now: it is then built anew."""

DENSE = "dense"
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


@dataclass(frozen=True)
class IndexIdentity:
    """What makes two indexes comparable. An index of another identity is never searched, it is built anew.

    Attributes:
        model: the embedder's name and content hash; vectors of two models mean different things even at equal length.
        dimensions: floats per dense vector.
        contract: the version of this file's contract.
    """

    model: str
    dimensions: int
    contract: int = CONTRACT_VERSION

    def as_json(self) -> dict[str, str | int]:
        return asdict(self)

    def difference(self, found: object) -> str | None:
        """Why an index with the identity `found` (JSON values) cannot serve, for a person to read; None when it can."""
        if not isinstance(found, dict):
            return "it does not say what it holds"
        for name, wanted in self.as_json().items():
            if found.get(name) != wanted:
                return f"its {name} is {found.get(name)!r}, not {wanted!r}"
        return None
