"""What the core asks of a model that words answers. It is given passages as data and has no tools."""

from collections import abc
from dataclasses import dataclass
from typing import Protocol

from retrieval.domain.answers import TokenUsage
from retrieval.domain.sources import Classification


@dataclass(frozen=True)
class GroundingPassage:
    """A passage as a generator gets it. What it is given has passed the gate.

    Attributes:
        label: by which the output names it, e.g. `1`; unique in its task.
        text: marked as data (`steps.prompting`).
    """

    label: str
    title: str
    text: str


@dataclass(frozen=True)
class GenerationTask:
    """One question to be worded from passages.

    Attributes:
        prompt: id and version of the prompt that it was made with, e.g. `answer@1`.
        instructions: the system's part: what to do, and that passages are data.
        question: as it was asked.
        passages: best first.
        restated: the instructions in short, said again after the passages.
        max_output_tokens: at which the output is cut.
    """

    prompt: str
    instructions: str
    question: str
    passages: tuple[GroundingPassage, ...]
    restated: str
    max_output_tokens: int


@dataclass(frozen=True)
class TextPiece:
    """The next characters of the output."""

    text: str


@dataclass(frozen=True)
class CitedPiece:
    """The model says: characters `start` up to, not including, `end` of the output so far come from the passages with these labels."""

    start: int
    end: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """The end of the output, always the last piece. `complete`: whether the model ended it itself; it may have been cut."""

    usage: TokenUsage
    complete: bool


Piece = TextPiece | CitedPiece | Finished


class Generator(Protocol):
    """A model that words an answer from passages. Nothing that it says is believed before it has been verified."""

    @property
    def name(self) -> str:
        """Which model, as it is shown and recorded, e.g. `cohere/command-a-03-2025`."""

    @property
    def most_sensitive(self) -> Classification:
        """Passages of sources classified above this are not to be given to it: it is elsewhere."""

    def generate(self, task: GenerationTask, *, timeout_seconds: float) -> abc.Generator[Piece, None, None]:
        """The output as it comes, in order, `Finished` last.

        The call begins with the first piece that is asked for; closing this gives it up. `timeout_seconds` is for the whole output, and
        what the caller does between two pieces is in it.

        Raises:
            ModelUnavailable: while iterating: it did not answer in time, refused, or answered what cannot be read.
        """
