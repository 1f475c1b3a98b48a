"""Two worlds behind the whole read path, with the bundled model, its tokens and the graph: one lacks what Ann may not read."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.domain.queries import Query
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
PLACES = ("Lisbon", "Porto", "Faro")
OPEN = {
    f"open-{number:02}.md": (f"{SENTENCES[number % 8][:-1]}, says {CODES[number % 3]} of the office in {PLACES[number % 3]}.", PUBLIC)
    for number in range(18)
}
HIDDEN = {
    f"hidden-{number:02}.md": (
        f"{SENTENCES[number % 8][:-1]}, writes the board about {CODES[number % 3]} in {PLACES[number % 3]} and approves trips abroad.",
        allow("user:bob"),
    )
    for number in range(14)
}
QUERIES = (
    ASKED,
    "What does ERR-1042 say of trips?",
    "Lisbon",
    "Who travels abroad from Porto?",
    "hotels and invoices ERR-2077",
    '"the travel office" hotels',
    "meals on a journey to Faro",
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

    for text in QUERIES:
        query = Query(text, top_k=top_k, depth=100, explain=True)
        assert shown(with_hidden.retrieve(ANN, query)) == shown(without.retrieve(ANN, query)), text


@pytest.mark.parametrize("text", QUERIES[:4])
def test_a_world_without_the_hidden_documents_gives_the_same_answer(two_worlds: tuple[KnowledgeService, KnowledgeService], text: str):
    here, there = (service.answer(ANN, Query(text, top_k=5, depth=100)) for service in two_worlds)

    assert (here.outcome, here.sentences, here.reason) == (there.outcome, there.sentences, there.reason)


def test_who_may_read_the_hidden_documents_finds_them_among_the_first(two_worlds: tuple[KnowledgeService, KnowledgeService]):
    without, with_hidden = two_worlds

    for text in QUERIES[:4]:
        bobs = with_hidden.retrieve(BOB, Query(text, top_k=5, depth=100, explain=True))
        assert any("board" in found for found in texts(bobs))
        assert shown(bobs) != shown(without.retrieve(BOB, Query(text, top_k=5, depth=100, explain=True)))
