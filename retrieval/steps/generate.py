"""The wording of an answer by the first generator that begins one, of those that may be shown its passages.

    generation = generate(task, generators, timeout_seconds=20.0, sensitivities=[passage.classification for passage in passages])
    with closing(generation.pieces()) as pieces:  # leaving gives up the call
        for piece in pieces: ...
    generation.by, generation.failed, generation.finished

Before the first piece a generator that fails makes way for the next. After it none can: what the caller has is not unsaid, so the pieces
end there, and `finished` stays None. No generator: no pieces, and `by` stays None. Nothing is raised for a generator that fails.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from retrieval.domain.errors import ModelUnavailable
from retrieval.domain.sources import Classification
from retrieval.ports import generation as port
from retrieval.ports.generation import CitedPiece, Finished, GenerationTask, TextPiece
from retrieval.ports.models import cleared


@dataclass
class Generation:
    """What becomes of a task. It changes while the pieces are taken, and says how it went when they are at their end.

    Attributes:
        by: name of the generator whose pieces these are; None: none has begun.
        failed: names of those that should have worded it, in the order in which they were tried; `by` last where it broke off.
        finished: how `by` ended; None: it has not, or broke off, and what it said may lack anything.
    """

    task: GenerationTask
    generators: Sequence[port.Generator]
    timeout_seconds: float
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)
    by: str | None = None
    failed: tuple[str, ...] = ()
    finished: Finished | None = None

    def pieces(self) -> Generator[TextPiece | CitedPiece, None, None]:
        """The output as it comes. To be taken once. Closing it gives up the call."""
        deadline = self.monotonic() + self.timeout_seconds
        for generator in self.generators:
            left = deadline - self.monotonic()
            try:
                if left > 0:
                    yield from self._pieces(generator, left)
                    return
            except ModelUnavailable:
                pass  # who failed, and why, is in the guard's log lines
            self.failed = (*self.failed, generator.name)
            if self.by is not None:
                return

    def _pieces(self, generator: port.Generator, seconds: float) -> Generator[TextPiece | CitedPiece, None, None]:
        with closing(generator.generate(self.task, timeout_seconds=seconds)) as pieces:
            for piece in pieces:
                self.by = generator.name
                if isinstance(piece, Finished):
                    self.finished = piece
                    return
                yield piece


def generate(
    task: GenerationTask,
    generators: Sequence[port.Generator],
    *,
    timeout_seconds: float,
    sensitivities: Sequence[Classification],
    monotonic: Callable[[], float] = time.monotonic,
) -> Generation:
    """A generation that begins when its pieces are taken.

    Args:
        task: its passages have passed the gate.
        generators: as they are preferred.
        timeout_seconds: for all of them together, from the first piece asked for to the last one given.
        sensitivities: classification of each passage's source. Who may not be shown all is not tried, and has not failed.
        monotonic: seconds that only grow.
    """
    return Generation(task, cleared(generators, sensitivities), timeout_seconds, monotonic)
