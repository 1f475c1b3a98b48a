"""Curated answers in memory, over a real catalog: which of them is found, for how long, and under which model."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.ports.learning import CuratedChange
from retrieval.ports.models import Vectors
from retrieval.settings import Settings
from tests.api.conftest import FakeClock, FakeEmbedder
from tests.curated import IN_A_WEEK, curate, memory_of
from tests.story import ANN, PUBLIC, Story

FILES = {name: (f"Text of {name}. More.", PUBLIC) for name in ("a.md", "b.md")}


@dataclass
class CountingEmbedder(FakeEmbedder):
    model: str = "fake@1"
    embedded: list[str] = field(default_factory=list)

    def embed_query(self, text: str) -> Vectors:
        self.embedded.append(text)
        return super().embed_query(text)


@pytest.fixture
def story(settings: Settings) -> Iterator[Story]:
    catalog = open_catalog(settings)
    story = Story(catalog)
    story.sync(FILES)
    yield story
    catalog.close()


class Finder:
    """What Ann finds in memory, as ids."""

    def __init__(self, catalog: Catalog, embedder: FakeEmbedder, clock: FakeClock) -> None:
        self._catalog = catalog
        self._embedder = embedder
        self.memory = memory_of(catalog, embedder, clock)

    def __call__(self, question: str, *, model: str | None = None, most: int = 9) -> list[str]:
        scope, vector = self._catalog.gate.scope(ANN), self._embedder.embed_query(question)
        found = self.memory.nearest(scope, question, vector, model=model or self._embedder.model, most=most)
        return [match.curated for match in found]


def test_it_is_found_by_its_question_and_its_paraphrases_and_by_no_near_question(story: Story):
    leave = curate(story, "a.md", reader=ANN, question="How many days of leave do I have?")
    story.catalog.learning.curated.ask_as(CuratedChange("user:rita", leave.id), ["What holiday am I entitled to?"])
    find = Finder(story.catalog, FakeEmbedder(), FakeClock())

    assert find("how many days of leave do I have") == [leave.id]
    assert find("What holiday am I entitled to?") == [leave.id]
    assert find("How many hours of leave do I have?") == []
    assert find("How many days of leave does Bob have?") == []


def test_the_nearest_comes_first_then_the_newest_and_no_more_than_wanted(story: Story):
    exact = curate(story, "a.md", reader=ANN, escalation="esc_1", question="Where is the quiet room?")
    near = curate(story, "a.md", reader=ANN, escalation="esc_2", question="Where is that quiet room?")
    again = curate(story, "b.md", reader=ANN, escalation="esc_3", question="Where is the quiet room?")
    find = Finder(story.catalog, FakeEmbedder(), FakeClock())

    assert find("Where is the quiet room?") == [again.id, exact.id, near.id]
    assert find("Where is the quiet room?", most=2) == [again.id, exact.id]


def test_it_holds_until_the_moment_at_which_it_expires(story: Story):
    curated, clock = curate(story, "a.md", reader=ANN, question="Where is lunch?"), FakeClock()
    find = Finder(story.catalog, FakeEmbedder(), clock)

    clock.at = IN_A_WEEK - timedelta(microseconds=1)
    assert find("Where is lunch?") == [curated.id]
    clock.at = IN_A_WEEK
    assert find("Where is lunch?") == []
    story.catalog.learning.curated.renew(CuratedChange("user:rita", curated.id), expires_at=IN_A_WEEK + timedelta(days=1))
    assert find("Where is lunch?") == [curated.id]


def test_changes_by_another_process_count_at_once(story: Story, settings: Settings):
    curated = curate(story, "a.md", reader=ANN, question="Where is lunch?")
    find = Finder(story.catalog, FakeEmbedder(), FakeClock())
    other = open_catalog(settings)

    other.learning.curated.judge(curated.id, right=0, wrong=3, suspend=True)

    assert find("Where is lunch?") == []
    other.learning.curated.renew(CuratedChange("user:rita", curated.id), expires_at=IN_A_WEEK)
    assert find("Where is lunch?") == [curated.id]
    other.close()


def test_what_is_new_is_embedded_once_by_whoever_refreshes_first(story: Story):
    first, second = CountingEmbedder(), CountingEmbedder()
    find, also = Finder(story.catalog, first, FakeClock()), Finder(story.catalog, second, FakeClock())
    curate(story, "a.md", reader=ANN, question="Where is lunch?")
    assert find("Where is lunch?") == []
    first.embedded.clear()

    find.memory.refresh()
    also.memory.refresh()
    find.memory.refresh()

    assert first.embedded == ["Where is lunch?"]
    assert second.embedded == []
    assert len(find("Where is lunch?")) == len(also("Where is lunch?")) == 1


def test_another_model_embeds_anew_and_vectors_of_two_models_are_never_compared(story: Story):
    curated = curate(story, "a.md", reader=ANN, question="Where is lunch?")
    Finder(story.catalog, CountingEmbedder(), FakeClock())
    other = CountingEmbedder(model="other@2")
    find = Finder(story.catalog, other, FakeClock())

    assert other.embedded == ["Where is lunch?"]
    assert find("Where is lunch?") == [curated.id]
    assert find("Where is lunch?", model="fake@1") == []


def test_a_question_of_a_passages_words_has_a_vector_of_its_own(story: Story):
    question = "Text of a."  # as the story cuts it
    curate(story, "a.md", reader=ANN, question=question)
    embedder = CountingEmbedder()

    find = Finder(story.catalog, embedder, FakeClock())

    assert embedder.embedded == [question]
    assert len(find(question)) == 1


def test_a_quote_whose_document_has_a_newer_version_is_found_again_once_it_was_followed(story: Story):
    curated = curate(story, "a.md", reader=ANN, question="Where is lunch?")
    find = Finder(story.catalog, FakeEmbedder(), FakeClock())

    story.sync({**FILES, "a.md": ("Before it. Text of a.md. More.", PUBLIC)})
    assert find("Where is lunch?") == []
    story.catalog.learning.anchoring.anchor(most=9)

    assert find("Where is lunch?") == [curated.id]


def test_a_question_without_words_finds_nothing(story: Story):
    curate(story, "a.md", reader=ANN, question="???")
    find = Finder(story.catalog, FakeEmbedder(), FakeClock())

    assert find("???") == find("") == find("?") == []
