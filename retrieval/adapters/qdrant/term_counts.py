"""How rare a term is among what a scope may read: the passages that hold it, counted for each access class.

The engine can count this itself (`SearchParams.idf`), but looks at every readable passage to do so, in every query: 2.7 of the 2.9 ms of a
lexical search by somebody who reads 69,000 passages. Here a term costs a sum over the classes that hold it. What is counted of classes that
the scope does not read takes no part in any sum.

Counts are kept as sorted runs that are merged as they grow, like those of a log-structured merge tree (O'Neil et al., Acta Informatica
1996): adding a document sorts its own terms only, and a search looks into few runs. Runs never change, so that nobody waits for a writer.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.adapters.qdrant.collection import OPEN

GROWTH = 8
"""A run is at least so many times as long as the one after it."""
REMEMBERED_SCOPES = 256
_PLACE_BITS = 32

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Counted:
    """A passage as it is counted: its class, its source, the hashes of its terms, each once, and the revisions at which it was current."""

    access_class: int
    source: str
    terms: Sequence[int]
    intervals: Sequence[tuple[int, int]] = ((0, OPEN),)


@dataclass(frozen=True)
class _Run:
    """Passages by term and place, both in one number, ascending: the places of one term are neighbours."""

    keys: Numbers
    passages: Numbers

    def holding(self, terms: Numbers, readable: Mask) -> Numbers:
        """Passages of readable classes that hold each term."""
        edges = np.searchsorted(self.keys, np.stack([terms, terms + 1]) << _PLACE_BITS)
        found = np.zeros(len(terms), np.int64)
        for at, (first, end) in enumerate(edges.T.tolist()):
            if first < end:
                places = self.keys[first:end] & ((1 << _PLACE_BITS) - 1)
                found[at] = self.passages[first:end][readable[places]].sum()
        return found


@dataclass(frozen=True)
class _State:
    """What searches see. Passages that are not told apart are counted in one place: they are of one class, and current as long.

    Attributes:
        passages, sources: of each place.
        known: the class of each place, and the revisions from which on and before which its passages were current, shape (3, places).
    """

    runs: tuple[_Run, ...]
    passages: Numbers
    sources: tuple[str, ...]
    known: Numbers


_Place = tuple[int, int, int]
_NEVER_BEFORE, _WITHOUT_END = 0, OPEN


class TermCounts:
    """Thread-safe for many readers beside one writer; the caller keeps it to one writer.

    Args:
        by_time: count also what was current once, so that any moment can be asked for. Else only what is current, in fewer places.
    """

    def __init__(self, *, by_time: bool = False) -> None:
        self._by_time = by_time
        self._places: dict[_Place, int] = {}
        self._state = _State((), np.zeros(0, np.int64), (), np.zeros((3, 0), np.int64))
        self._masks: OrderedDict[int, tuple[Sequence[int], Mask]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, added: Sequence[Counted], removed: Sequence[Counted] = ()) -> None:
        """Count these passages from now on, and those no longer. A class is of one source only."""
        state = self._with_places_of(added)
        counted = [(passage, self._places[place], 1) for passage in added for place in self._places_of(passage)]
        counted += [(passage, self._places[place], -1) for passage in removed for place in self._places_of(passage)]
        if not counted:
            return
        places = np.array([place for _, place, _ in counted], np.int64)
        signs = np.array([sign for _, _, sign in counted], np.int64)
        lengths = [len(passage.terms) for passage, _, _ in counted]
        terms = np.fromiter((term for passage, _, _ in counted for term in passage.terms), np.int64, sum(lengths))
        run = _summed(terms << _PLACE_BITS | np.repeat(places, lengths), np.repeat(signs, lengths))
        passages = state.passages.copy()
        np.add.at(passages, places, signs)
        self._state = _State(_merged((*state.runs, run)), passages, state.sources, state.known)

    def idf(self, classes: Sequence[int], sources: Sequence[str], terms: Sequence[int], *, as_of: int | None = None) -> list[float]:
        """ln(1 + (passages - holding + 1/2) / (holding + 1/2)) of each term, over the passages of these classes (and sources, if any).

        Over those that were current at the revision `as_of`, where it is given; it takes counts by time.

        Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the 1 that keeps it above 0.
        """
        state = self._state
        readable = self._readable(classes, state, as_of)
        if sources:
            readable = readable & np.array([source in sources for source in state.sources], bool)
        passages, wanted = int(state.passages[readable].sum()), np.array(terms, np.int64)
        holding = sum((run.holding(wanted, readable) for run in state.runs), np.zeros(len(wanted), np.int64))
        return [math.log1p((passages - held + 0.5) / (held + 0.5)) for held in holding.tolist()]

    def passages(self, classes: Sequence[int], *, as_of: int | None = None) -> int:
        """How many these classes hold."""
        state = self._state
        return int(state.passages[self._readable(classes, state, as_of)].sum())

    def _places_of(self, passage: Counted) -> list[_Place]:
        """One for each interval, of which a moment lies in one at most."""
        if self._by_time:
            return [(passage.access_class, start, end) for start, end in passage.intervals]
        is_current = any(end == OPEN for _, end in passage.intervals)
        return [(passage.access_class, _NEVER_BEFORE, _WITHOUT_END)] if is_current else []

    def _with_places_of(self, passages: Sequence[Counted]) -> _State:
        """The state with the places that were never counted in before."""
        state = self._state
        new = {place: passage.source for passage in passages for place in self._places_of(passage) if place not in self._places}
        if not new:
            return state
        self._places |= {place: len(state.sources) + at for at, place in enumerate(new)}
        known = np.concatenate([state.known, np.array(list(new), np.int64).T], axis=1)
        return _State(state.runs, np.append(state.passages, np.zeros(len(new), np.int64)), (*state.sources, *new.values()), known)

    def _readable(self, classes: Sequence[int], state: _State, as_of: int | None) -> Mask:
        """Which places are of these classes, and of that moment."""
        of_classes, starts, ends = state.known
        readable = self._of_classes(classes, of_classes)
        return readable if as_of is None else readable & (starts <= as_of) & (as_of < ends)

    def _of_classes(self, classes: Sequence[int], places: Numbers) -> Mask:
        """A principal's classes are the same object until they change, so they are looked up once."""
        with self._lock:
            known = self._masks.get(id(classes))
            if known is not None and known[0] is classes and len(known[1]) == len(places):
                self._masks.move_to_end(id(classes))
                return known[1]
        found = np.isin(places, np.array(classes, np.int64))
        with self._lock:
            self._masks[id(classes)] = (classes, found)
            while len(self._masks) > REMEMBERED_SCOPES:
                self._masks.popitem(last=False)
        return found


def _merged(runs: tuple[_Run, ...]) -> tuple[_Run, ...]:
    """The runs with the last ones merged until each is long enough beside the next."""
    while len(runs) > 1 and len(runs[-2].keys) < GROWTH * len(runs[-1].keys):
        *before, longer, shorter = runs
        merged = _summed(np.concatenate([longer.keys, shorter.keys]), np.concatenate([longer.passages, shorter.passages]))
        runs = (*before, merged)
    return runs


def _summed(keys: Numbers, passages: Numbers) -> _Run:
    """A run of these, equal keys added up, without those that add up to nothing."""
    order = np.argsort(keys, kind="stable")
    keys, passages = keys[order], passages[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    sums = np.add.reduceat(passages, starts) if len(starts) else passages
    kept = sums != 0
    return _Run(keys[starts][kept], sums[kept])
