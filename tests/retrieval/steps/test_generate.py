from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from retrieval.domain.answers import TokenUsage
from retrieval.domain.errors import ModelUnavailable
from retrieval.domain.sources import Classification
from retrieval.ports.generation import Finished, GenerationTask, GroundingPassage, Piece, TextPiece
from retrieval.steps.generate import Generation, generate

PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED = Classification
TASK = GenerationTask("answer@1", "Answer.", "How many?", (GroundingPassage("1", "Hoists", "Two."),), "Answer.", 100)
SAID = (TextPiece("Two"), TextPiece("."))
DONE = Finished(TokenUsage(10, 2), complete=True)


@dataclass
class FakeGenerator:
    """Says its pieces, or fails after so many of them, with some seconds of a clock before each."""

    name: str
    clock: list[float] = field(default_factory=lambda: [0.0])
    seconds: float = 0.0
    fails_after: int | None = None
    most_sensitive: Classification = RESTRICTED
    given: list[float] = field(default_factory=list)
    closed: int = 0

    def generate(self, task: GenerationTask, *, timeout_seconds: float) -> Iterator[Piece]:
        assert task is TASK
        self.given.append(timeout_seconds)
        try:
            for number, piece in enumerate((*SAID, DONE)):
                self.clock[0] += self.seconds
                if number == self.fails_after:
                    raise ModelUnavailable("down")
                yield piece
        finally:
            self.closed += 1


def generation(*generators: FakeGenerator, seconds: float = 1.0, sensitivities: Sequence[Classification] = (PUBLIC,)) -> Generation:
    clock = generators[0].clock if generators else [0.0]
    return generate(TASK, generators, timeout_seconds=seconds, sensitivities=sensitivities, monotonic=lambda: clock[0])


def test_the_first_that_answers_words_it():
    first, second = FakeGenerator("first"), FakeGenerator("second")
    asked = generation(first, second)

    assert tuple(asked.pieces()) == SAID
    assert (asked.by, asked.failed, asked.finished) == ("first", (), DONE)
    assert (first.closed, second.given) == (1, [])


def test_where_one_fails_before_its_first_piece_the_next_takes_its_place():
    asked = generation(FakeGenerator("first", fails_after=0), FakeGenerator("second", fails_after=0), FakeGenerator("third"))

    assert tuple(asked.pieces()) == SAID
    assert (asked.by, asked.failed, asked.finished) == ("third", ("first", "second"), DONE)


@pytest.mark.parametrize("pieces", [1, 2])
def test_where_one_breaks_off_nothing_of_another_is_added_to_it(pieces):
    second = FakeGenerator("second")
    asked = generation(FakeGenerator("first", fails_after=pieces), second)

    assert tuple(asked.pieces()) == SAID[:pieces]
    assert (asked.by, asked.failed, asked.finished) == ("first", ("first",), None)
    assert second.given == []


def test_where_all_fail_there_are_no_pieces():
    asked = generation(FakeGenerator("first", fails_after=0), FakeGenerator("second", fails_after=0))

    assert tuple(asked.pieces()) == ()
    assert (asked.by, asked.failed, asked.finished) == (None, ("first", "second"), None)


def test_without_generators_nothing_fails():
    asked = generation()

    assert tuple(asked.pieces()) == ()
    assert (asked.by, asked.failed) == (None, ())


@pytest.mark.permissions
def test_who_may_not_be_shown_every_passage_is_not_asked_and_has_not_failed():
    elsewhere, here = FakeGenerator("elsewhere", most_sensitive=INTERNAL), FakeGenerator("here")
    asked = generation(elsewhere, here, sensitivities=[PUBLIC, CONFIDENTIAL])

    assert tuple(asked.pieces()) == SAID
    assert (asked.by, asked.failed, elsewhere.given) == ("here", (), [])


def test_what_one_takes_of_the_time_is_taken_from_the_next():
    clock = [0.0]
    slow, next_ = FakeGenerator("slow", clock, seconds=0.75, fails_after=0), FakeGenerator("next", clock)

    tuple(generation(slow, next_).pieces())

    assert next_.given == [0.25]


def test_without_any_time_left_the_next_is_not_asked_and_has_failed():
    clock = [0.0]
    slow, next_ = FakeGenerator("slow", clock, seconds=1.0, fails_after=0), FakeGenerator("next", clock)
    asked = generation(slow, next_)

    assert tuple(asked.pieces()) == ()
    assert (asked.failed, next_.given) == (("slow", "next"), [])


def test_whoever_leaves_gives_up_the_call():
    first = FakeGenerator("first")
    asked = generation(first)

    with closing(asked.pieces()) as pieces:
        assert next(pieces) == SAID[0]
        assert first.closed == 0

    assert first.closed == 1
    assert (asked.by, asked.failed, asked.finished) == ("first", (), None)


def test_nobody_is_asked_before_a_piece_is():
    first = FakeGenerator("first")

    generation(first).pieces()

    assert first.given == []


def test_a_mistake_of_ours_rises():
    class Mistaken(FakeGenerator):
        def generate(self, task: GenerationTask, *, timeout_seconds: float) -> Iterator[Piece]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tuple(generation(Mistaken("first")).pieces())
