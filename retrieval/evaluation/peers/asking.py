"""Asking peers in processes of their own: they take minutes, hold Python's lock, and do not need each other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context

from retrieval.evaluation.metrics import Ranking
from retrieval.evaluation.peers.shelf import Shelf
from retrieval.evaluation.peers.table import PEERS
from retrieval.ports.models import Vectors

SLOWEST_FIRST = ("haystack", "qdrant-client", "llama-index")
"""Begun first, so that no process is left with a long one when the others are done."""

Question = tuple[str, str, Vectors]
"""Id, text and vector, shape (dimensions,)."""


@contextmanager
def processes(count: int) -> Iterator[Executor]:
    """Fresh ones, which share nothing with this one: its threads and models stay here."""
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield pool


def ask_peers(
    names: Sequence[str], shelf: Shelf, questions: Sequence[Question], *, pool: Executor, progress: Callable[[int, int], None]
) -> Mapping[str, Mapping[str, Ranking]]:
    """Peer to query id to document ids, best first; in the order of `names`. `progress` is told how many are done, and of how many."""
    if not names:
        return {}
    progress(0, len(names))
    begun = sorted(names, key=lambda name: SLOWEST_FIRST.index(name) if name in SLOWEST_FIRST else len(SLOWEST_FIRST))
    running = {pool.submit(_ask, name, shelf, questions): name for name in begun}
    found: dict[str, Mapping[str, Ranking]] = {}
    for done in as_completed(running):
        found[running[done]] = done.result()
        progress(len(found), len(names))
    return {name: found[name] for name in names}


def _ask(name: str, shelf: Shelf, questions: Sequence[Question]) -> Mapping[str, Ranking]:
    ask = PEERS[name]()(shelf)
    return {id_: list(ask(text, vector)) for id_, text, vector in questions}
