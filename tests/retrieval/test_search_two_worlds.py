"""Two worlds behind the whole read path, with the bundled model, its tokens and the graph: one lacks what Ann may not read."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.answer_service import AnswerService
from retrieval.domain.queries import Query
from retrieval.domain.runs import Leg
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from tests.retrieval.served import (
    ASKED,
    SENTENCES,
    served,
    shown,
    texts,
)
from tests.story import ANN, BOB, PUBLIC, allow

pytestmark = [pytest.mark.permissions, pytest.mark.models]

CODES = ("ERR-1042", "ERR-2077", "ERR-3001")
OFFICES = ("Lisbon Office", "Porto Office", "Faro Office")


def said(number: int, about: str) -> str:
    """A sentence that names a code, and an office other than the one that says it."""
    return f"{SENTENCES[number % 8][:-1]}, {about} about {CODES[number % 3]} of the {OFFICES[(number + 1) % 3]}."


OPEN = {name: (said(number, "says the head"), PUBLIC) for number, name in enumerate((*OFFICES, *(f"open-{n:02}.md" for n in range(15))))}
HIDDEN = {
    f"hidden-{number:02}.md": (said(number, "approves, writes and travels the board abroad"), allow("user:bob")) for number in range(14)
}
QUERIES = (
    ASKED,
    "What does ERR-1042 say of trips?",
    "Lisbon Office",
    "Who approves trips abroad in the Porto Office?",
    "hotels and invoices ERR-2077",
    '"the travel office" hotels',
    "meals on a journey to the Faro Office",
    "What does the board write?",
)


@pytest.fixture(scope="module")
def two_worlds(
    embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[KnowledgeService, KnowledgeService]]:
    """Without and with documents that Ann may not read. What she may read was taken in alike."""
    with ExitStack() as opened:
        services = []
        for name, hidden in (("without", {}), ("with", HIDDEN)):
            settings = Settings(data_directory=tmp_path_factory.mktemp(name) / "archivist")
            world = opened.enter_context(served(settings, embedder))
            world.sync(OPEN)
            if hidden:
                world.sync({**OPEN, **hidden})
            index = opened.enter_context(world.index(settings.data_directory / "index"))
            services.append(world.service(index, walks=world.walks()))
        yield services[0], services[1]


@pytest.mark.parametrize("top_k", [1, 5, 20])
def test_a_world_without_the_hidden_documents_gives_the_same_hits_scores_and_explanations(
    two_worlds: tuple[KnowledgeService, KnowledgeService], top_k: int
):
    without, with_hidden = two_worlds

    legs = set()
    for text in QUERIES:
        query = Query(text, top_k=top_k, depth=100, explain=True)
        retrieved = with_hidden.retrieve(ANN, query)
        assert shown(retrieved) == shown(without.retrieve(ANN, query)), text
        legs |= {leg for hit in retrieved.explanation.hits.values() for leg in hit.legs}

    assert legs == set(Leg), "every leg has found something"


@pytest.mark.parametrize("text", QUERIES[:4])
def test_a_world_without_the_hidden_documents_gives_the_same_answer(two_worlds: tuple[KnowledgeService, KnowledgeService], text: str):
    here, there = (AnswerService(service.settings, service).answer(ANN, Query(text, top_k=5, depth=100)) for service in two_worlds)

    assert (here.outcome, here.sentences, here.reason) == (there.outcome, there.sentences, there.reason)


def test_who_may_read_the_hidden_documents_finds_them_among_the_first(two_worlds: tuple[KnowledgeService, KnowledgeService]):
    without, with_hidden = two_worlds

    for text in QUERIES[:4]:
        bobs = with_hidden.retrieve(BOB, Query(text, top_k=5, depth=100, explain=True))
        assert any("board" in found for found in texts(bobs))
        assert shown(bobs) != shown(without.retrieve(BOB, Query(text, top_k=5, depth=100, explain=True)))
