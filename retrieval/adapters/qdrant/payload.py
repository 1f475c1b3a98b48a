"""An indexed passage as a point's payload, and back. What is written is what is read: the contract suite reads everything back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.adapters.qdrant.collection import (
    ACCESS_CLASS,
    CURRENT,
    DOCUMENT,
    ORDINAL,
    PREFIX,
    SOURCE,
    TEXT,
    VALID_FROM,
    VALID_TO,
    VERSION,
    WORDS,
)
from retrieval.domain.passages import IndexedDocument, IndexedPassage
from retrieval.domain.phrases import BOUNDARY, worded
from retrieval.ports.writing import Reclassification

Payload = dict[str, object]


@dataclass(frozen=True)
class HeldPassage:
    """One point of an index, whole."""

    document: str
    source: str
    access_class: int
    version: str
    valid_from: int
    passage: IndexedPassage


def payload_of(document: IndexedDocument, passage: IndexedPassage) -> Payload:
    """The payload of one passage. Indexes follow the current version, so `valid_to` is open."""
    return {
        ACCESS_CLASS: document.access_class,
        DOCUMENT: document.document,
        SOURCE: document.source,
        VERSION: document.version,
        ORDINAL: passage.ordinal,
        CURRENT: True,
        VALID_FROM: document.valid_from,
        VALID_TO: None,
        TEXT: storable(passage.text),
        PREFIX: storable(passage.prefix),
        WORDS: f"{worded(storable(passage.prefix))} {BOUNDARY} {worded(storable(passage.text))}",
    }


def held_passage(point_id: object, payload: Mapping[str, object], vector: Sequence[float]) -> HeldPassage:
    """The inverse of `payload_of`.

    Raises:
        KeyError: the payload was not written by this contract.
    """
    return HeldPassage(
        document=str(payload[DOCUMENT]),
        source=str(payload[SOURCE]),
        access_class=_integer(payload[ACCESS_CLASS]),
        version=str(payload[VERSION]),
        valid_from=_integer(payload[VALID_FROM]),
        passage=IndexedPassage(
            id=str(point_id),
            ordinal=_integer(payload[ORDINAL]),
            text=str(payload[TEXT]),
            prefix=str(payload[PREFIX]),
            vector=tuple(vector),
        ),
    )


def by_class(changes: Sequence[Reclassification]) -> dict[int, list[str]]:
    """Documents by the class they move to, so that a class costs one request; of two changes of a document the last counts."""
    last = {change.document: change.access_class for change in changes}
    documents: dict[int, list[str]] = {}
    for document, access_class in last.items():
        documents.setdefault(access_class, []).append(document)
    return documents


def storable(text: str) -> str:
    """The text with lone surrogates replaced: the engine takes UTF-8 only, and one such text must not stop all indexing.

    The gate sees that the text is not the catalog's and withholds the passage.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def _integer(value: object) -> int:
    assert isinstance(value, int)
    return value
