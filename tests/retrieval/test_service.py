"""The read path where the index is behind the catalog: what it still finds shows nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.answers import Retrieved
from retrieval.domain.permissions import AccessScope
from retrieval.domain.queries import Query
from retrieval.domain.runs import Hit, Leg, Run
from retrieval.ports.models import Vectors
from retrieval.ports.reading import LegRuns, LegSearch
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from retrieval.steps.fuse import weights
from tests.permissions.small_embedder import SmallEmbedder
from tests.story import ANN, PUBLIC, Story, allow

pytestmark = pytest.mark.permissions

FILES = {"a.md": ("Alpha.", PUBLIC), "b.md": ("Beta.", PUBLIC), "c.md": ("Gamma.", PUBLIC)}


@dataclass
class BehindIndex:
    """Finds what it is told, readable or not, as an index does that has not heard of a change yet."""

    lexical: dict[str, float]
    dense: dict[str, float]
    held: Mapping[str, str]

    def search(self, _scope: AccessScope, search: LegSearch) -> LegRuns:
        return LegRuns(*(self._run(leg, scores, search.depth) for leg, scores in ((Leg.LEXICAL, self.lexical), (Leg.DENSE, self.dense))))

    def texts(self, _scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        return {id_: self.held[id_] for id_ in passages}

    def vectors(self, _scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        return dict(zip(passages, SmallEmbedder().embed([self.held[id_] for id_ in passages]), strict=True))

    def revision(self) -> int:
        return 0

    def _run(self, leg: Leg, scores: dict[str, float], depth: int) -> Run:
        ids = {text: id_ for id_, text in self.held.items()}
        return Run.ranked(leg, [Hit(ids[text], score) for text, score in scores.items()], depth=depth)


@pytest.fixture
def story(settings: Settings) -> Story:
    story = Story(open_catalog(settings))
    story.sync(FILES)
    yield story
    story.catalog.close()


def retrieve(story: Story, settings: Settings, lexical: dict[str, float], dense: dict[str, float], *, explain: bool = False) -> Retrieved:
    catalog: Catalog = story.catalog
    with story.feed.snapshot() as (_, documents):
        held = {passage.id: passage.text for document in documents for passage in document.passages}
    index = BehindIndex(lexical, dense, held)
    service = KnowledgeService(settings, catalog.gate, catalog.gate, catalog.documents, index, SmallEmbedder(), catalog.audit)
    return service.retrieve(ANN, Query("anything", top_k=10, depth=100, explain=explain))


def shown(retrieved: Retrieved) -> list[tuple[str, float, int]]:
    return [(hit.passage.text, hit.score, hit.rank) for hit in retrieved.hits]


def test_a_withheld_passage_shapes_nobodys_score_and_leaves_no_gap(story: Story, settings: Settings):
    lexical, dense = {"Alpha.": 9.0, "Beta.": 3.0, "Gamma.": 1.5}, {"Alpha.": 0.9, "Beta.": 0.5, "Gamma.": 0.1}
    never_there = retrieve(story, settings, *({text: score for text, score in leg.items() if text != "Alpha."} for leg in (lexical, dense)))

    run = story.start()
    story.record(run, {**FILES, "a.md": ("Alpha.", allow("user:bob"))})

    assert shown(retrieve(story, settings, lexical, dense)) == shown(never_there)
    assert [text for text, _, _ in shown(never_there)] == ["Beta.", "Gamma."]


def test_a_passage_altered_in_the_index_is_withheld_and_reported(story: Story, settings: Settings, capsys: pytest.CaptureFixture[str]):
    with story.feed.snapshot() as (_, documents):
        held = {passage.id: passage.text for document in documents for passage in document.passages}
    altered = next(id_ for id_, text in held.items() if text == "Beta.")
    index = BehindIndex({"Forged.": 2.0, "Alpha.": 1.0}, {}, {**held, altered: "Forged."})
    catalog = story.catalog
    service = KnowledgeService(settings, catalog.gate, catalog.gate, catalog.documents, index, SmallEmbedder(), catalog.audit)

    retrieved = service.retrieve(ANN, Query("anything", top_k=10, depth=100))

    assert [hit.passage.text for hit in retrieved.hits] == ["Alpha."]
    logged = capsys.readouterr().out
    assert "passages_altered_in_index" in logged
    assert altered in logged
    assert "Forged" not in logged


def explained(story: Story, settings: Settings, lexical: dict[str, float], dense: dict[str, float]) -> tuple[object, ...]:
    """The legs' weights, and of each hit what it owes to which leg."""
    explanation = retrieve(story, settings, lexical, dense, explain=True).explanation
    return explanation.weights, [(hit.legs, hit.fused_score) for hit in explanation.hits.values()]


def test_a_withheld_passage_does_not_weigh_the_legs(story: Story, settings: Settings):
    settings = settings.model_copy(update={"fusion_weights": "learned"})
    lexical, dense = {"Alpha.": 9.0, "Beta.": 3.0, "Gamma.": 2.9}, {"Beta.": 0.5, "Gamma.": 0.45}
    readable = {text: score for text, score in lexical.items() if text != "Alpha."}
    never_there, steeper = explained(story, settings, readable, dense), explained(story, settings, lexical, dense)

    run = story.start()
    story.record(run, {**FILES, "a.md": ("Alpha.", allow("user:bob"))})

    assert explained(story, settings, lexical, dense) == never_there
    assert steeper[0] != never_there[0], "while it can be read it weighs them"


def test_the_explanation_tells_the_weight_that_was_used(story: Story, settings: Settings):
    legs = {"Alpha.": 9.0, "Beta.": 3.0}, {"Beta.": 0.5, "Gamma.": 0.45}
    learned = settings.model_copy(update={"fusion_weights": "learned"})

    (used, hits), (base, _) = explained(story, learned, *legs), explained(story, settings, *legs)

    assert base == weights(lexical_weight=settings.fusion_lexical_weight, with_feedback=True)
    assert used[Leg.LEXICAL] != base[Leg.LEXICAL]
    assert used[Leg.LEXICAL] + used[Leg.DENSE] + used[Leg.FEEDBACK] == pytest.approx(1)
    for places, fused_score in hits:
        assert sum(place.contribution for place in places.values()) == pytest.approx(fused_score, abs=1e-4)


@pytest.mark.parametrize(("fusion", "second"), [("convex", 3 / 9), ("rank", 61 / 62), ("distribution", 2 / 6)])
def test_the_legs_are_fused_as_the_settings_say(story: Story, settings: Settings, fusion: str, second: float):
    chosen = settings.model_copy(update={"fusion": fusion})

    _, hits = explained(story, chosen, {"Alpha.": 9.0, "Beta.": 3.0}, {})

    assert sorted(legs[Leg.LEXICAL].share for legs, _ in hits)[0] == pytest.approx(second, abs=1e-5)
