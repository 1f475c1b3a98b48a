"""An indexed passage as a point's payload, and back. What is written is what is read: the contract suite reads everything back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.adapters.qdrant.collection import (
    ACCESS_CLASS,
    CLASS_EVER,
    DOCUMENT,
    GAP_COUNT,
    GAPS,
    OPEN,
    ORDINAL,
    PREFIX,
    SOURCE,
    TEXT,
    VALID_FROM,
    VALID_TO,
    VERSION,
    WORDS,
)
from retrieval.domain.passages import Gap, IndexedDocument, IndexedPassage
from retrieval.domain.phrases import BOUNDARY, worded
from retrieval.ports.writing import Reclassification

Payload = dict[str, object]


@dataclass(frozen=True)
class HeldPassage:
    """One point of an index, whole. `valid_to`: None for what is current, and only for that."""

    document: str
    source: str
    access_class: int
    version: str
    valid_from: int
    passage: IndexedPassage
    valid_to: int | None = None
    gaps: tuple[Gap, ...] = ()

    @property
    def is_current(self) -> bool:
        return self.valid_to is None

    @property
    def intervals(self) -> tuple[tuple[int, int], ...]:
        """The revisions at which it was current: from each first on, before each second."""
        return _intervals(self.valid_from, OPEN if self.valid_to is None else self.valid_to, self.gaps)


def points_of(documents: Sequence[IndexedDocument]) -> list[HeldPassage]:
    """What an index holds of these documents: current passages first, so that none of them waits for what is past."""
    current = [
        HeldPassage(each.document, each.source, each.access_class, each.version, each.valid_from, passage, None, each.gaps)
        for each in documents
        for passage in each.passages
    ]
    past = [
        HeldPassage(each.document, each.source, each.access_class, once.version, once.valid_from, passage, once.valid_to, once.gaps)
        for each in documents
        for once in each.past
        for passage in once.passages
    ]
    return current + past


def payload_of(held: HeldPassage) -> Payload:
    """The payload of one passage."""
    passage = held.passage
    return {
        CLASS_EVER: held.access_class,
        DOCUMENT: held.document,
        SOURCE: held.source,
        VERSION: held.version,
        ORDINAL: passage.ordinal,
        VALID_FROM: held.valid_from,
        VALID_TO: OPEN if held.valid_to is None else held.valid_to,
        TEXT: storable(passage.text),
        PREFIX: storable(passage.prefix),
        WORDS: f"{worded(storable(passage.prefix))} {BOUNDARY} {worded(storable(passage.text))}",
        **({ACCESS_CLASS: held.access_class} if held.is_current else {}),
        **({GAPS: [{"from": start, "to": end} for start, end in held.gaps], GAP_COUNT: len(held.gaps)} if held.gaps else {}),
    }


def held_passage(point_id: object, payload: Mapping[str, object]) -> HeldPassage:
    """The inverse of `payload_of`; without vectors.

    Raises:
        KeyError: the payload was not written by this contract.
        ValueError: it shows what is past as if it were current, or hides what is current.
    """
    valid_to = None if payload[VALID_TO] == OPEN else _integer(payload[VALID_TO])
    shown_to = {payload[ACCESS_CLASS]} if ACCESS_CLASS in payload else set()
    if shown_to != ({payload[CLASS_EVER]} if valid_to is None else set()):
        raise ValueError(f"the point {point_id} shows itself to other readers than it says")
    return HeldPassage(
        document=str(payload[DOCUMENT]),
        source=str(payload[SOURCE]),
        access_class=_integer(payload[CLASS_EVER]),
        version=str(payload[VERSION]),
        valid_from=_integer(payload[VALID_FROM]),
        passage=IndexedPassage(
            id=str(point_id),
            ordinal=_integer(payload[ORDINAL]),
            text=str(payload[TEXT]),
            prefix=str(payload[PREFIX]),
            vector=(),
        ),
        valid_to=valid_to,
        gaps=_gaps_in(payload),
    )


def intervals_in(payload: Mapping[str, object]) -> tuple[tuple[int, int], ...]:
    """`HeldPassage.intervals` of a point of which nothing else is known."""
    return _intervals(_integer(payload[VALID_FROM]), _integer(payload[VALID_TO]), _gaps_in(payload))


def _intervals(start: int, end: int, gaps: Sequence[Gap]) -> tuple[tuple[int, int], ...]:
    edges = [start, *(edge for gap in gaps for edge in gap), end]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def _gaps_in(payload: Mapping[str, object]) -> tuple[Gap, ...]:
    found = payload.get(GAPS) or []
    assert isinstance(found, list)
    return tuple((int(gap["from"]), int(gap["to"])) for gap in found)


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
