"""Campaigns: no reviewer is shown evidence beyond what the asker and the reviewer both may read, and no asker an answer beyond their own.

What each may read is computed a second time here, from the policies and memberships that the test made.
`ARCHIVIST_TEST_TRIPLES` and `ARCHIVIST_TEST_DELIVERIES` set how many are looked at (200 and 100).
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.errors import NotReadable
from retrieval.domain.escalations import EscalationState
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import EVERYONE, AccessPolicy, Principal
from retrieval.settings import Settings
from tests.desk import Desk, DeskClock, amended, draft_of

pytestmark = [pytest.mark.permissions, pytest.mark.slow]

TRIPLES = int(os.environ.get("ARCHIVIST_TEST_TRIPLES", "200"))
DELIVERIES = int(os.environ.get("ARCHIVIST_TEST_DELIVERIES", "100"))
LOOKS = 10
"""At one escalation, each by another reviewer after another change."""
PEOPLE = [Principal(f"p{number}") for number in range(8)]
GROUPS = [f"group:g{number}" for number in range(6)]
DOCUMENTS = 20


@dataclass
class Company:
    """People, groups and documents, and what follows from them."""

    desk: Desk
    draw: random.Random
    policies: dict[str, AccessPolicy] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    passages: dict[str, list[ReadablePassage]] = field(default_factory=dict)

    def begin(self) -> None:
        """Every document's passages are learned while everybody may read them; after that, permissions are drawn."""
        self.policies = {f"d{number}.md": AccessPolicy.of([EVERYONE]) for number in range(DOCUMENTS)}
        self.desk.story.sync(self.files)
        for passage in self.desk.story.gated(PEOPLE[0]).readable:
            self.passages.setdefault(passage.title, []).append(passage)
        self.redraw()
        for person in PEOPLE:
            self.join(person)

    @property
    def files(self) -> dict[str, tuple[str, AccessPolicy]]:
        return {key: (f"The secret of {key} is here. More of {key} is there.", policy) for key, policy in self.policies.items()}

    def redraw(self) -> None:
        """Other permissions for every document."""
        subjects = [EVERYONE, *(person.subject for person in PEOPLE), *GROUPS]
        for key in self.policies:
            allow = self.draw.sample(subjects, self.draw.randint(0, 4))
            deny = self.draw.sample(subjects[1:], self.draw.choice((0, 0, 1)))
            self.policies[key] = AccessPolicy.of(allow, deny)
        self.desk.story.sync(self.files)

    def join(self, person: Principal) -> None:
        """Other groups for one person. One in three groups is in another."""
        member = person.subject if self.draw.random() < 0.8 else self.draw.choice(GROUPS)
        self.groups[member] = set(self.draw.sample(GROUPS, self.draw.randint(0, 3))) - {member}
        self.desk.catalog.directory.set_groups(member, sorted(self.groups[member]))

    def may_read(self, person: Principal, key: str) -> bool:
        reached, onward = set(), {person.subject}
        while onward:
            reached |= onward
            onward = {group for each in onward for group in self.groups.get(each, ())} - reached
        return self.policies[key].readable_by(frozenset(reached | {EVERYONE}))

    def readable(self, *people: Principal) -> list[ReadablePassage]:
        return [each for key in self.policies for each in self.passages[key] if all(self.may_read(person, key) for person in people)]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    clock = DeskClock()
    settings = Settings(data_directory=tmp_path, escalation_max_pending=100_000)
    catalog = open_catalog(settings, clock=clock)
    company = Company(Desk(catalog, clock, settings), random.Random(os.environ.get("ARCHIVIST_TEST_SEED", "18")))
    company.begin()
    company.desk.terms(reviewers=("group:desk",))
    yield company
    catalog.close()


def as_reviewer(person: Principal) -> Principal:
    return Principal(person.id, groups=frozenset({"group:desk"}))


def test_no_evidence_is_shown_beyond_what_both_may_read(company: Company):
    draw, reviewing = company.draw, company.desk.reviewing
    looks, withheld = 0, 0
    while looks < TRIPLES:
        asker = draw.choice(PEOPLE)
        found = company.readable(asker)
        evidence = draw.sample(found, min(len(found), draw.randint(1, 8)))
        opened = company.desk.asking.open(asker, draft_of(evidence, question=f"question {looks}"))
        for _ in range(LOOKS):
            change = draw.random()
            if change < 0.05:
                company.redraw()
            elif change < 0.6:
                company.join(draw.choice(PEOPLE))
            reviewer = draw.choice(PEOPLE)
            looks += 1
            if reviewer == asker:
                with pytest.raises(NotReadable):
                    reviewing.item(as_reviewer(reviewer), opened.id)
                continue

            item = reviewing.item(as_reviewer(reviewer), opened.id)

            both = {passage.id for passage in company.readable(asker, reviewer)}
            expected = [passage for passage in evidence if passage.id in both]
            assert [each.passage.id for each in item.evidence] == [passage.id for passage in expected]
            assert [sentence.text for sentence in item.draft] == [passage.text for passage in expected]
            assert item.is_withheld == (len(expected) < len(evidence))
            assert all(passage.text not in str(item) for passage in evidence if passage.id not in both)
            withheld += item.is_withheld

    assert withheld > TRIPLES / 20


def test_no_answer_is_delivered_beyond_what_the_asker_may_read(company: Company):
    draw, desk = company.draw, company.desk
    delivered, kept_back = 0, 0
    while delivered + kept_back < DELIVERIES:
        asker, reviewer = draw.sample(PEOPLE, 2)
        known = company.readable(reviewer)
        if not known:
            company.join(reviewer)
            continue
        cited = draw.sample(known, min(len(known), draw.randint(1, 3)))
        opened = desk.asking.open(asker, draft_of([], question=f"question {delivered + kept_back}"))
        claimed = desk.reviewing.claim(as_reviewer(reviewer), opened.id, expected=1)
        desk.reviewing.decide(as_reviewer(reviewer), opened.id, amended(cited), expected=claimed.version)
        if draw.random() < 0.5:
            company.join(asker)
        elif draw.random() < 0.1:
            company.redraw()

        view = desk.asking.poll(asker, opened.id)

        mine = {passage.id for passage in company.readable(asker)}
        if all(passage.id in mine for passage in cited):
            assert [sentence.text for sentence in view.sentences] == [passage.text for passage in cited]
            delivered += 1
        else:
            assert (view.state, view.sentences) == (EscalationState.REJECTED, ())
            assert all(passage.text not in str(view) for passage in cited)
            kept_back += 1

    assert min(delivered, kept_back) > DELIVERIES / 20
