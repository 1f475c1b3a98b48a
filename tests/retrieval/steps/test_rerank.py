from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from retrieval.domain.errors import ModelUnavailable
from retrieval.domain.sources import Classification
from retrieval.ports.models import cleared
from retrieval.steps.rerank import Reranking, rerank

PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED = Classification


@dataclass
class FakeReranker:
    """Scores a text by its length, or fails, after some seconds of a clock that it moves."""

    name: str
    clock: list[float] = field(default_factory=lambda: [0.0])
    seconds: float = 0.0
    fails: bool = False
    most_sensitive: Classification = RESTRICTED
    given: list[float] = field(default_factory=list)

    def scores(self, _query: str, texts: Sequence[str], *, timeout_seconds: float) -> Sequence[float]:
        self.given.append(timeout_seconds)
        self.clock[0] += self.seconds
        if self.fails:
            raise ModelUnavailable("down")
        return [len(text) for text in texts]


def test_the_first_that_answers_gives_the_scores():
    first, second = FakeReranker("first"), FakeReranker("second")

    assert rerank("q", ["a", "abc"], [first, second], 1.0) == Reranking((1, 3), "first", ())
    assert second.given == []


def test_where_one_fails_the_next_takes_its_place_and_the_failure_is_told():
    rerankers = [FakeReranker("first", fails=True), FakeReranker("second", fails=True), FakeReranker("third")]

    assert rerank("q", ["a"], rerankers, 1.0) == Reranking((1,), "third", ("first", "second"))


def test_where_all_fail_there_are_no_scores():
    rerankers = [FakeReranker("first", fails=True), FakeReranker("second", fails=True)]

    assert rerank("q", ["a"], rerankers, 1.0) == Reranking(None, None, ("first", "second"))


def test_without_rerankers_or_texts_nothing_fails():
    assert rerank("q", ["a"], [], 1.0) == Reranking(None, None, ())
    assert rerank("q", [], [FakeReranker("first", fails=True)], 1.0) == Reranking(None, None, ())


def test_what_one_takes_of_the_time_is_taken_from_the_next():
    clock = [0.0]
    slow, next_ = FakeReranker("slow", clock, seconds=0.75, fails=True), FakeReranker("next", clock)

    rerank("q", ["a"], [slow, next_], 1.0, monotonic=lambda: clock[0])

    assert (slow.given, next_.given) == ([1.0], [0.25])


def test_who_has_no_time_left_is_not_asked_and_has_failed():
    clock = [0.0]
    slow, next_ = FakeReranker("slow", clock, seconds=1.0, fails=True), FakeReranker("next", clock)

    reranking = rerank("q", ["a"], [slow, next_], 1.0, monotonic=lambda: clock[0])

    assert reranking == Reranking(None, None, ("slow", "next"))
    assert next_.given == []


@pytest.mark.permissions
@pytest.mark.parametrize(
    ("classifications", "names"),
    [
        pytest.param([PUBLIC, INTERNAL], ["elsewhere", "here"], id="all below"),
        pytest.param([PUBLIC, CONFIDENTIAL, PUBLIC], ["here"], id="one above"),
        pytest.param([RESTRICTED], ["here"], id="far above"),
        pytest.param([], ["elsewhere", "here"], id="none"),
    ],
)
def test_one_passage_that_may_not_be_shown_keeps_all_of_them_from_a_reranker(classifications, names):
    rerankers = [FakeReranker("elsewhere", most_sensitive=INTERNAL), FakeReranker("here")]

    assert [reranker.name for reranker in cleared(rerankers, classifications)] == names
