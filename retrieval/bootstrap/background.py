"""Work that goes on beside requests."""
# ruff: noqa: PLC0415 - torch, Qdrant and their like take seconds to import

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def in_background(work: Callable[[], None], *, pause_seconds: float) -> Iterator[None]:
    """`work` again and again in a thread of its own, until the end."""
    from retrieval.indexing.thread import FollowerThread

    thread = FollowerThread(work, pause_seconds=pause_seconds)
    thread.start()
    try:
        yield
    finally:
        thread.stop()
