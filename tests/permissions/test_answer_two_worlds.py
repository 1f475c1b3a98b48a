"""An answer is that of a world without what its asker may not read: outcome, reason, confidence, conflicts, citations, escalation.

300 pairs here, 5,000 where ARCHIVIST_TEST_ANSWER_PAIRS says so.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.permissions.oracle import Folder, Paper
from tests.permissions.requests import Request, Requests
from tests.permissions.two_worlds import compare_worlds
from tests.permissions.worlds import Author, Size

PAIRS = int(os.environ.get("ARCHIVIST_TEST_ANSWER_PAIRS", "300"))

pytestmark = [pytest.mark.permissions, pytest.mark.slow]

THINGS = ("fish lift", "river gate", "concrete ladder", "counter sensor", "spare engine")
STATEMENTS = (
    "The {thing} is inspected every {days} days",
    "The {thing} may {not_}be used in winter",
    "The {thing} was approved by {name}",
    "The warranty of the {thing} lasts {days} months",
)
QUESTIONS = (
    "How many days until the {thing} is inspected?",
    "May the {thing} be used in winter?",
    "Who approved the {thing}?",
    "How long does the warranty of the {thing} last?",
    "When does the canteen serve soup?",
)
NAMES = ("Mara Lind", "Tobias Frey")


class StatingAuthor(Author):
    """Writes documents that state things, often the same and now and then the contrary, in sources with terms of their own."""

    def body(self, word: str) -> str:
        drawn = self.random
        said = drawn.choice(STATEMENTS).format(
            thing=drawn.choice(THINGS), days=drawn.choice((30, 90)), not_=drawn.choice(("", "not ")), name=drawn.choice(NAMES)
        )
        return f"{said}. Filed as {word}."

    def paper(self) -> Paper:
        """All of one title: documents whose titles differ in a word are about different things."""
        return replace(super().paper(), title="", modified_at=self.random.choice(("", "2020-01-01", "2026-01-01")))

    def folder(self, *, may_be_stale: bool = False) -> Folder:
        drawn = self.random
        answers = {
            "risk_tier": drawn.choice(("low", "standard", "high")),
            "accepted_error": 0.5,
            "max_age_days": drawn.choice((0, 0, 365)),
            "authority": drawn.choice((40, 50, 50, 60)),
            "access_requests": drawn.random() < 0.5,
        }
        return replace(super().folder(may_be_stale=may_be_stale), answers=answers)

    def query(self, papers: list[Paper]) -> str:
        if self.random.random() < 0.1:
            return super().query(papers)
        return self.random.choice(QUESTIONS).format(thing=self.random.choice(THINGS))


def ask(requests: Requests) -> Request:
    """For an answer, with every wish for a person: none told, a person, no person."""
    drawn = requests.answer()
    assert drawn.body is not None
    wishes: tuple[dict[str, bool], ...] = ({}, {"escalate": True}, {"escalate": False})
    return replace(drawn, body=drawn.body | wishes[len(drawn.body["query"]) % len(wishes)])


def test_an_answer_is_that_of_a_world_without_the_hidden_documents(tmp_path: Path):
    found = compare_worlds(tmp_path, seed=4_242, pairs=PAIRS, size=Size(papers=60, people=6, groups=6), ask=ask, drawn_by=StatingAuthor)

    assert found.pairs == PAIRS
    assert found.differences == []
    assert found.hidden > 100
    assert {"answered", "abstained", "escalated", "conflict", "conflicting_sources", "stale"} <= set(found.outcomes), found.outcomes
