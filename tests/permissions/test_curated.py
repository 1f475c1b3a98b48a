"""Curated answers and who may read them: nobody is given one who may not read all that it cites, and hidden ones change nothing.

Long form: ARCHIVIST_TEST_CURATED_TRIALS=2000.
"""

import os
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.curated import CuratedMatch, ReadableCurated
from retrieval.domain.permissions import EVERYONE, AccessPolicy, AccessScope, Principal
from retrieval.domain.queries import Query
from retrieval.learning_service.curating import Curating
from retrieval.ports.learning import CuratedChange, CuratedSearch
from retrieval.ports.models import Vectors
from retrieval.settings import Settings
from tests.api.conftest import FakeClock, FakeEmbedder
from tests.curated import IN_A_WEEK, curate, curating_of
from tests.story import Story, allow

pytestmark = pytest.mark.permissions

TRIALS = int(os.environ.get("ARCHIVIST_TEST_CURATED_TRIALS", "200"))
PER_WORLD = 50
GROUPS = tuple(f"group:g{number}" for number in range(4))
TOPICS = ("travel", "leave", "parking", "lunch", "training", "laptops")
EVERYBODY = Principal("admin", groups=frozenset(GROUPS))
EMBEDDER = FakeEmbedder()


@dataclass
class Paper:
    key: str
    text: str
    policy: AccessPolicy


@dataclass
class World:
    """Papers, and curated answers as (escalation, topic, keys cited)."""

    papers: Mapping[str, Paper]
    answers: Sequence[tuple[str, str, tuple[str, ...]]]

    @classmethod
    def drawn(cls, draw: random.Random) -> "World":
        papers = {}
        for number in range(12):
            allowed = draw.choice([(EVERYONE,), (draw.choice(GROUPS),), tuple(draw.sample(GROUPS, 2))])
            denied = (draw.choice(GROUPS),) if draw.random() < 0.2 else ()
            key = f"paper-{number}.md"
            papers[key] = Paper(key, f"Paper {number} says {draw.choice(TOPICS)} {number}. The rest of it.", allow(*allowed, deny=denied))
        citable = [key for key, paper in papers.items() if paper.policy.readable_by(EVERYBODY.groups | {EVERYONE})]
        answers = [
            (f"esc_{number}", draw.choice(TOPICS), tuple(draw.sample(citable, draw.randint(1, min(3, len(citable))))))
            for number in range(20)
        ]
        return cls(papers, answers)

    def as_seen_by(self, subjects: frozenset[str]) -> "World":
        """Without what those subjects may not read, and without every answer that stands on it."""
        papers = {key: paper for key, paper in self.papers.items() if paper.policy.readable_by(subjects)}
        return World(papers, [answer for answer in self.answers if set(answer[2]) <= papers.keys()])


@dataclass
class Planted:
    world: World
    catalog: Catalog
    story: Story
    curating: Curating
    ids: dict[str, str] = field(default_factory=dict)

    def expected(self, topic: str, subjects: frozenset[str]) -> set[str]:
        seen = self.world.as_seen_by(subjects)
        return {self.ids[escalation] for escalation, of, _ in seen.answers if of == topic}

    def ask(self, principal: Principal, topic: str, curating: Curating | None = None) -> ReadableCurated | None:
        question = question_on(topic)
        scope = self.catalog.gate.scope(principal)
        query = Query(question, top_k=10, depth=100)
        return (curating or self.curating).answer(principal, scope, query, EMBEDDER.embed_query(question), model=EMBEDDER.model)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("empty")
    open_catalog(Settings(data_directory=directory)).close()
    return directory


@contextmanager
def planted(world: World, empty: Path, directory: Path) -> Iterator[Planted]:
    shutil.copytree(empty, directory)
    catalog = open_catalog(Settings(data_directory=directory))
    story = Story(catalog)
    story.sync({key: (paper.text, paper.policy) for key, paper in world.papers.items()})
    ids = {}
    for escalation, topic, keys in world.answers:
        ids[escalation] = curate(story, *keys, reader=EVERYBODY, question=question_on(topic), escalation=escalation).id
    yield Planted(world, catalog, story, curating_of(catalog, EMBEDDER, FakeClock()), ids)
    catalog.close()


def question_on(topic: str) -> str:
    return f"What do we say about {topic}?"


def somebody(draw: random.Random) -> Principal:
    return Principal(f"user-{draw.randint(0, 9)}", groups=frozenset(draw.sample(GROUPS, draw.randint(0, 3))))


def subjects_of(principal: Principal) -> frozenset[str]:
    return principal.groups | {principal.subject, EVERYONE}


def shown(found: ReadableCurated | None) -> object:
    if found is None:
        return None
    answer = found.answer
    return answer.id, answer.question, answer.probability, found.sentences, [replace(p, revision=0, access_class=0) for p in found.passages]


def test_hidden_curated_answers_change_nothing(empty: Path, tmp_path: Path):
    differing, answered, hidden = [], 0, 0
    for number in range(max(1, TRIALS // PER_WORLD)):
        draw = random.Random(7_000 + number)
        world, asker = World.drawn(draw), somebody(draw)
        without = world.as_seen_by(subjects_of(asker))
        hidden += len(world.answers) - len(without.answers)
        with planted(world, empty, tmp_path / f"{number}-with") as here, planted(without, empty, tmp_path / f"{number}-without") as there:
            for _ in range(PER_WORLD):
                topic = draw.choice(TOPICS)
                one, other = here.ask(asker, topic), there.ask(asker, topic)
                answered += one is not None
                if shown(one) != shown(other):
                    differing.append(f"seed {7_000 + number}: {asker.subject} on {topic}")

    assert differing == []
    assert answered > TRIALS // 10
    assert hidden > 0


@dataclass
class RevokingSearch:
    """Between finding an answer and showing it, the asker leaves all groups that the directory knows."""

    search: CuratedSearch
    catalog: Catalog
    member: str = ""
    revoked: int = 0

    def nearest(
        self, scope: AccessScope, question: str, vector: Vectors, *, model: str, sources: Sequence[str] = (), most: int = 1
    ) -> tuple[CuratedMatch, ...]:
        found = self.search.nearest(scope, question, vector, model=model, sources=sources, most=most)
        if self.member:
            self.catalog.directory.set_groups(self.member, [])
            self.revoked += bool(found)
        return found


def test_nobody_is_given_what_stands_on_something_they_may_not_read(empty: Path, tmp_path: Path):
    leaks, answered, revoked = [], 0, 0
    for number in range(max(1, TRIALS // PER_WORLD)):
        draw = random.Random(9_000 + number)
        with planted(World.drawn(draw), empty, tmp_path / str(number)) as here:
            search = RevokingSearch(here.curating.search, here.catalog)
            curating = replace(here.curating, search=search)
            for trial in range(PER_WORLD):
                asker, groups = Principal(f"user-{trial}"), draw.sample(GROUPS, draw.randint(0, 3))
                here.catalog.directory.set_groups(asker.subject, groups)
                search.member = asker.subject if draw.random() < 0.3 else ""
                topic = draw.choice(TOPICS)
                found = here.ask(asker, topic, curating)
                now = frozenset() if search.member else frozenset(groups)
                expected = here.expected(topic, now | {asker.subject, EVERYONE})
                answered += found is not None
                wrong = found.answer.id not in expected if found is not None else bool(expected) and not search.member
                if wrong:
                    leaks.append(f"seed {9_000 + number}, trial {trial}: {asker.subject} in {groups} on {topic}")
            revoked += search.revoked

    assert leaks == []
    assert answered > TRIALS // 10
    assert revoked > 0


def test_a_document_that_is_closed_to_the_asker_takes_the_answer_with_it_at_once(empty: Path, tmp_path: Path):
    ann, open_, closed = Principal("ann"), allow(EVERYONE), allow("group:g1")
    papers = {key: Paper(key, f"Paper {key} says travel. More.", open_) for key in ("a.md", "b.md")}
    with planted(World(papers, [("esc_1", "travel", ("a.md", "b.md"))]), empty, tmp_path / "world") as here:
        before = here.ask(ann, "travel")
        here.story.sync({"a.md": (papers["a.md"].text, open_), "b.md": (papers["b.md"].text, closed)})

        after = here.ask(ann, "travel")

        assert before is not None
        assert after is None
        assert here.ask(Principal("bea", groups=frozenset({"group:g1"})), "travel") is not None


def test_an_answer_that_was_taken_back_expired_or_lost_its_quote_is_given_to_nobody(empty: Path, tmp_path: Path):
    ann, paper = Principal("ann"), Paper("a.md", "Paper a says travel. More.", allow(EVERYONE))
    clock = FakeClock(at=IN_A_WEEK)
    with planted(World({"a.md": paper}, [("esc_1", "travel", ("a.md",)), ("esc_2", "leave", ("a.md",))]), empty, tmp_path / "w") as here:
        expired = curating_of(here.catalog, EMBEDDER, clock)
        assert here.ask(ann, "travel", expired) is None
        assert here.ask(ann, "travel") is not None
        here.catalog.learning.curated.retire(CuratedChange("user:rita", here.ids["esc_1"]))
        assert here.ask(ann, "travel") is None
        assert here.ask(ann, "leave") is not None
        here.story.sync({"a.md": ("Paper a says nothing. More.", paper.policy)})
        assert here.ask(ann, "leave") is None


def test_a_question_for_some_sources_is_answered_from_no_other(empty: Path, tmp_path: Path):
    ann, paper = Principal("ann"), Paper("a.md", "Paper a says travel. More.", allow(EVERYONE))
    question = question_on("travel")
    with planted(World({"a.md": paper}, [("esc_1", "travel", ("a.md",))]), empty, tmp_path / "world") as here:
        scope, vector = here.catalog.gate.scope(ann), EMBEDDER.embed_query(question)
        found = [
            here.curating.answer(ann, scope, Query(question, top_k=1, depth=1, sources=sources), vector, model=EMBEDDER.model)
            for sources in ((), ("handbook",), ("wiki",))
        ]

    assert [each is not None for each in found] == [True, True, False]
