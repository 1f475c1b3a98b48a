"""A generator behind its guard."""

from collections import abc

from retrieval.adapters.resilience.guard import Guard
from retrieval.domain.sources import Classification
from retrieval.ports.generation import GenerationTask, Generator, Piece


class GuardedGenerator:
    """`Generator`: the same pieces, or CallFailed sooner and with less load on what fails. Tried again only before its first piece."""

    def __init__(self, generator: Generator, guard: Guard) -> None:
        self._generator = generator
        self._guard = guard

    @property
    def name(self) -> str:
        return self._generator.name

    @property
    def most_sensitive(self) -> Classification:
        return self._generator.most_sensitive

    def generate(self, task: GenerationTask, *, timeout_seconds: float) -> abc.Generator[Piece, None, None]:
        return self._guard.stream(lambda seconds: self._generator.generate(task, timeout_seconds=seconds), timeout_seconds=timeout_seconds)
