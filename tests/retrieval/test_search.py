"""Searching, feeding back, reranking and gating as one: what is withheld shows nowhere, and what fails takes nothing with it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.adapters.models.weights import find_weights
from retrieval.bootstrap import open_rerankers
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.permissions import Principal
from retrieval.domain.queries import Query
from retrieval.domain.runs import Leg
from retrieval.domain.sources import Classification, SourceSpec
from retrieval.ports.reading import Candidate, Gated
from retrieval.search import MOST_ATTEMPTS
from retrieval.service import KnowledgeService
from retrieval.settings import Settings
from retrieval.steps.features import FEATURES
from tests import cohere_server
from tests.cohere_server import KEY, WRONG, Cohere, serving_cohere
from tests.retrieval.served import RecordedTokens, Served, StaleIndex, served, shown, texts
from tests.story import ANN, BOB, PUBLIC, allow

pytestmark = [pytest.mark.permissions, pytest.mark.models]

SENTENCES = (
    "Trips abroad are approved by the head of the department.",
    "Every trip abroad needs an approval before it is booked.",
    "Hotels abroad are booked by the travel office.",
    "Approval of a trip takes two working days.",
    "Who travels by train is paid a first class ticket.",
    "Invoices of hotels are sent to the accounts team.",
    "Rental cars are insured by the company.",
    "Meals on a journey are paid up to a daily amount.",
    "Parents may stay at home for six months.",
    "The canteen closes at three o'clock.",
    "Bicycles are kept in the cellar.",
    "Passwords are changed every ninety days.",
    "The pump is serviced twice a year.",
    "New colleagues are welcomed on Mondays.",
    "Printers are leased from a supplier.",
    "The lift is inspected in March.",
)
FILES = {f"{number:02}.md": (text, PUBLIC) for number, text in enumerate(SENTENCES)}
LEXICAL = dict(zip(SENTENCES, (5.0, 9.0, 4.0, 6.0, 1.0), strict=False))
ASKED = "Who approves trips abroad?"
QUERY = Query(ASKED, top_k=5, depth=100, explain=True)
WORDS = Query(SENTENCES[3], top_k=5, depth=100)


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(find_weights(""), dtype="float32", threads=1)


@pytest.fixture(scope="module")
def taken_in(embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a catalog that holds the files, for tests to copy."""
    settings = Settings(data_directory=tmp_path_factory.mktemp("taken_in") / "archivist")
    with served(settings, embedder) as world:
        world.sync(FILES)
    return settings.data_directory


@pytest.fixture
def world(settings: Settings, embedder: SentenceTransformerEmbedder, taken_in: Path) -> Iterator[Served]:
    with served(settings, embedder, copied_from=taken_in) as world:
        yield world


@pytest.fixture
def stale(world: Served) -> StaleIndex:
    return StaleIndex.of(world.passages, LEXICAL)


@pytest.fixture
def cohere() -> Iterator[Cohere]:
    with serving_cohere() as cohere:
        yield cohere


@contextmanager
def reranked_by(cohere: Cohere, world: Served, index: StaleIndex, **changed: Any) -> Iterator[KnowledgeService]:
    """The read path with Cohere's reranker, as the settings open it; it is asked once for each query."""
    settings = {"cohere_api_key": KEY, "cohere_base_url": cohere.url, "cohere_max_response_bytes": 100_000, "model_attempts": 1, **changed}
    with open_rerankers(world.settings.model_copy(update=settings)) as rerankers:
        yield world.service(index, settings=settings, rerankers=rerankers)


@pytest.fixture
def by_cohere(world: Served, stale: StaleIndex, cohere: Cohere) -> Iterator[KnowledgeService]:
    with reranked_by(cohere, world, stale) as service:
        yield service


def revoked(text: str) -> dict[str, Any]:
    """The same files, one of which Ann may not read any more."""
    return {key: (held, allow("user:bob") if held == text else policy) for key, (held, policy) in FILES.items()}


@pytest.mark.parametrize(
    ("top_k", "changed"),
    [
        pytest.param(5, {}, id="everything on"),
        pytest.param(5, {"rerank_passages": 0}, id="without reranking"),
        pytest.param(5, {"feedback_passages": 0}, id="without feedback"),
        pytest.param(5, {"rerank_tokens": False}, id="without tokens"),
        pytest.param(1, {"rerank_passages": 2}, id="far more found than shown"),
    ],
)
def test_whichever_passage_is_withheld_it_shapes_nothing_of_what_is_shown(
    world: Served, stale: StaleIndex, top_k: int, changed: dict[str, Any]
):
    tokens = RecordedTokens(world.catalog)
    query = replace(QUERY, top_k=top_k)
    behind = world.service(stale, settings=changed, tokens=tokens)
    behind.retrieve(ANN, query)  # what is remembered of it must not show either

    for text in SENTENCES:
        world.list_again(revoked(text))
        tokens.asked.clear()
        retrieved = behind.retrieve(ANN, query)
        assert shown(retrieved) == shown(world.service(stale.without(text), settings=changed).retrieve(ANN, query)), text
        assert text not in {stale.held[id_] for id_ in tokens.asked}


def test_tokens_are_asked_for_of_no_passage_that_the_gate_withholds(world: Served, stale: StaleIndex):
    tokens = RecordedTokens(world.catalog)
    world.list_again(revoked(SENTENCES[1]))

    world.service(stale, tokens=tokens).retrieve(ANN, QUERY)

    assert {stale.held[id_] for id_ in tokens.asked} == set(SENTENCES) - {SENTENCES[1]}


def test_a_passages_tokens_are_read_once(world: Served, stale: StaleIndex):
    tokens = RecordedTokens(world.catalog)
    service = world.service(stale, tokens=tokens)

    first, again = (service.retrieve(ANN, QUERY) for _ in range(2))

    assert shown(first) == shown(again)
    assert sorted(tokens.asked) == sorted(stale.held)


@dataclass
class RestlessGate:
    """The catalog's gate; before each pass Ann loses another of the passages that are found, as long as some are left to lose."""

    world: Served
    left: list[str]
    lost: set[str] = field(default_factory=set)

    def gate(self, principal: Principal, candidates: Sequence[Candidate], *, at_least: int = 0) -> Gated:
        if self.left:
            self.lost.add(self.left.pop())
            files = {key: (text, allow("user:bob") if text in self.lost else policy) for key, (text, policy) in FILES.items()}
            self.world.list_again(files)
        return self.world.catalog.gate.gate(principal, candidates, at_least=at_least)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return getattr(self.world.catalog.gate, name)


def test_where_more_is_withheld_each_time_the_third_attempt_is_the_last(world: Served, stale: StaleIndex):
    restless = RestlessGate(world, list(SENTENCES))

    with pytest.raises(IndexUnavailable, match="changes faster") as refused:
        world.service(stale, gate=restless).retrieve(ANN, QUERY)

    assert refused.value.retry_after_seconds == 1
    assert len(restless.lost) == MOST_ATTEMPTS


def test_where_it_comes_to_rest_in_time_what_is_left_is_shown_as_if_nothing_else_had_been_there(world: Served, stale: StaleIndex):
    restless = RestlessGate(world, list(SENTENCES[:2]))

    retrieved = world.service(stale, gate=restless).retrieve(ANN, QUERY)

    never_there = stale.without(SENTENCES[0]).without(SENTENCES[1])
    assert shown(retrieved) == shown(world.service(never_there).retrieve(ANN, QUERY))


def test_a_reranker_that_answers_gives_the_order(by_cohere: KnowledgeService, cohere: Cohere):
    retrieved = by_cohere.retrieve(ANN, replace(WORDS, explain=True))

    assert texts(retrieved)[0] == SENTENCES[3]
    assert retrieved.degraded == ()
    assert {hit.rerank.by for hit in retrieved.explanation.hits.values()} == {"cohere/rerank-v3.5"}
    scores = [retrieved.explanation.hits[hit.passage.id].rerank.score for hit in retrieved.hits]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1.0)


def test_whatever_a_reranker_answers_the_order_is_that_without_it_and_the_failure_is_told(world: Served, stale: StaleIndex, cohere: Cohere):
    without = world.service(stale).retrieve(ANN, WORDS)

    for fault in WRONG:
        cohere.fault = fault
        with reranked_by(cohere, world, stale) as service:
            retrieved = service.retrieve(ANN, WORDS)
        assert retrieved.degraded == ("rerank",), fault
        assert shown(replace(retrieved, degraded=())) == shown(without), fault

    assert cohere.fired == dict.fromkeys(WRONG, 1)


def test_a_reranker_that_is_left_alone_is_not_asked_and_its_absence_is_told(
    world: Served, stale: StaleIndex, by_cohere: KnowledgeService, cohere: Cohere
):
    cohere.fault = "429 with Retry-After"

    answers = [by_cohere.retrieve(ANN, WORDS) for _ in range(7)]

    assert [retrieved.degraded for retrieved in answers] == [("rerank",)] * 7
    assert {tuple(texts(retrieved)) for retrieved in answers} == {tuple(texts(world.service(stale).retrieve(ANN, WORDS)))}
    assert len(cohere.requests) < 7


def test_a_reranker_that_takes_too_long_is_left_behind(world: Served, stale: StaleIndex, cohere: Cohere):
    cohere.fault, cohere.seconds = "slow", 5.0

    with reranked_by(cohere, world, stale, rerank_timeout_seconds=0.2) as impatient:
        retrieved = impatient.retrieve(ANN, WORDS)

    assert retrieved.degraded == ("rerank",)
    assert texts(retrieved) == texts(world.service(stale).retrieve(ANN, WORDS))
    assert retrieved.seconds["rerank"] < 2


def test_what_was_revoked_while_a_reranker_read_it_is_not_shown(
    world: Served, by_cohere: KnowledgeService, cohere: Cohere, monkeypatch: pytest.MonkeyPatch
):
    def revoke_and_answer(handler: cohere_server.Handler, body: Any) -> None:
        world.list_again(revoked(SENTENCES[3]))
        cohere_server.right(handler, body)

    monkeypatch.setitem(cohere_server.FAULTS, "revoking", revoke_and_answer)
    before = by_cohere.retrieve(ANN, WORDS)
    cohere.fault = "revoking"

    during = by_cohere.retrieve(ANN, replace(WORDS, explain=True))

    assert texts(before)[0] == SENTENCES[3]
    assert SENTENCES[3] not in texts(during)
    assert len(during.hits) == WORDS.top_k
    assert SENTENCES[3] not in repr(during)
    assert during.explanation.hits.keys() == {hit.passage.id for hit in during.hits}


def test_what_was_revoked_while_a_reranker_failed_is_not_shown_either(
    world: Served, by_cohere: KnowledgeService, cohere: Cohere, monkeypatch: pytest.MonkeyPatch
):
    def revoke_and_fail(handler: cohere_server.Handler, body: Any) -> None:
        world.list_again(revoked(SENTENCES[3]))
        cohere_server.FAULTS["500"](handler, body)

    monkeypatch.setitem(cohere_server.FAULTS, "revoking", revoke_and_fail)
    cohere.fault = "revoking"

    retrieved = by_cohere.retrieve(ANN, WORDS)

    assert retrieved.degraded == ("rerank",)
    assert SENTENCES[3] not in texts(retrieved)


def test_what_is_withheld_is_not_sent_to_a_reranker(world: Served, by_cohere: KnowledgeService, cohere: Cohere):
    world.list_again(revoked(SENTENCES[3]))

    by_cohere.retrieve(ANN, WORDS)

    [request] = cohere.requests
    sent = [text.partition("\n")[2] for text in request.body["documents"]]
    assert set(sent) == set(SENTENCES) - {SENTENCES[3]}


@pytest.mark.parametrize("classification", list(Classification))
def test_passages_classified_above_the_limit_are_not_sent(
    world: Served, by_cohere: KnowledgeService, cohere: Cohere, classification: Classification
):
    secret = "Approval of a trip to the board takes no time."
    story = world.story("board")
    spec = SourceSpec("board", "files", "Board", "user:dana", classification=classification)
    world.catalog.sources.register(spec, by="user:dana")
    world.sync({"minutes.md": (secret, PUBLIC)}, source=story.source)
    mixed = replace(by_cohere, index=StaleIndex.of(world.passages, LEXICAL))

    retrieved = mixed.retrieve(ANN, replace(WORDS, explain=True))

    sent = [text for request in cohere.requests for text in request.body["documents"]]
    may_be_sent = classification in {Classification.PUBLIC, Classification.INTERNAL}
    assert secret in texts(retrieved)
    assert any(secret in text for text in sent) is may_be_sent
    assert len(cohere.requests) == int(may_be_sent)
    assert retrieved.degraded == ()
    expected = "cohere/rerank-v3.5" if may_be_sent else "features"
    assert {hit.rerank.by for hit in retrieved.explanation.hits.values()} == {expected}


def test_a_graph_that_is_not_loaded_is_told_and_changes_nothing_else(world: Served, stale: StaleIndex):
    without = world.service(stale).retrieve(ANN, QUERY)

    retrieved = world.service(stale, walks=world.walks(loaded=False)).retrieve(ANN, QUERY)

    assert retrieved.degraded == ("graph",)
    assert shown(replace(retrieved, degraded=())) == shown(without)


def test_a_graph_that_is_loaded_or_not_wanted_is_no_degradation(world: Served, stale: StaleIndex):
    not_wanted = world.service(stale, settings={"graph_weight": 0.0}, walks=world.walks(loaded=False)).retrieve(ANN, QUERY)
    loaded = world.service(stale, walks=world.walks()).retrieve(ANN, QUERY)

    assert (not_wanted.degraded, loaded.degraded) == ((), ())


def test_an_explanation_adds_up_and_tells_of_the_hits_that_are_shown_and_no_others(world: Served, tmp_path: Path):
    with world.index(tmp_path / "index") as index:
        retrieved = world.service(index).retrieve(ANN, QUERY)

    explanation = retrieved.explanation
    assert explanation is not None
    assert list(explanation.hits) == [hit.passage.id for hit in retrieved.hits]
    assert set(explanation.legs) == {Leg.LEXICAL, Leg.DENSE, Leg.FEEDBACK}
    assert sum(explanation.weights.values()) == pytest.approx(1)
    assert {"approves", "trips", "abroad"} <= set(explanation.terms)
    for hit in retrieved.hits:
        told = explanation.hits[hit.passage.id]
        assert sum(place.contribution for place in told.legs.values()) == pytest.approx(told.fused_score, abs=2e-5)
        assert told.rerank.by == "features"
        assert tuple(told.rerank.contributions) == FEATURES
        assert told.readable_by == ("everyone",)
    ranks = [explanation.hits[hit.passage.id].rerank.score for hit in retrieved.hits]
    assert ranks == sorted(ranks, reverse=True)


def test_without_explain_nothing_is_explained_and_the_hits_are_the_same(world: Served, tmp_path: Path):
    with world.index(tmp_path / "index") as index:
        service = world.service(index)
        explained, plain = (service.retrieve(ANN, replace(QUERY, explain=explain)) for explain in (True, False))

    assert plain.explanation is None
    assert shown(plain)[:-1] == shown(explained)[:-1]


def test_a_reader_of_fewer_passages_is_told_of_his_own_subject_only(world: Served, tmp_path: Path):
    files = {**FILES, "00.md": (SENTENCES[0], allow("user:ann", "user:bob", "group:board"))}
    world.list_again(files)

    with world.index(tmp_path / "index") as index:
        retrieved = world.service(index).retrieve(BOB, QUERY)

    [told] = [retrieved.explanation.hits[hit.passage.id] for hit in retrieved.hits if hit.passage.text == SENTENCES[0]]
    assert told.readable_by == ("user:bob",)


RULE = "Whoever books a trip abroad asks the head of the department for approval at least five working days before the journey begins"


def test_a_duplicate_is_shown_in_the_better_one_and_takes_no_place(world: Served, tmp_path: Path):
    world.sync(
        {**FILES, "rule.md": (f"{RULE}.", PUBLIC), "copy.md": (f"{RULE.upper()}.", PUBLIC), "secret.md": (f"{RULE}!", allow("user:bob"))}
    )
    query = replace(QUERY, text=RULE, top_k=3)

    with world.index(tmp_path / "index") as index:
        plain = world.service(index).retrieve(ANN, query)
        collapsed = world.service(index, settings={"hits_collapse_duplicates": True}).retrieve(ANN, query)
        bobs = world.service(index, settings={"hits_collapse_duplicates": True}).retrieve(BOB, query)

    assert sum(text.lower().startswith(RULE.lower()) for text in texts(plain)) == 2
    [best, *others] = collapsed.hits
    assert [duplicate.quote.lower() for duplicate in best.duplicates] == [f"{RULE.lower()}."]
    assert best.citation.quote.lower() == f"{RULE.lower()}."
    assert len(others) == 2
    assert not any(hit.duplicates or hit.passage.text.lower().startswith(RULE.lower()) for hit in others)
    assert len(bobs.hits[0].duplicates) == 2
    assert f"{RULE}!" not in repr(collapsed)


def test_neighbours_are_shown_as_exactly_the_stretch_of_text_that_they_cover(world: Served, tmp_path: Path):
    text = "Trips abroad - naïve or not - are approved by the head.\n\n  Approval of trips abroad takes two days; über Nacht, too.\n"
    world.sync({**FILES, "two.md": (text, PUBLIC)})

    with world.index(tmp_path / "index") as index:
        retrieved = world.service(index).retrieve(ANN, replace(QUERY, top_k=10))
        apart = world.service(index, settings={"hits_join_neighbours": False}).retrieve(ANN, replace(QUERY, top_k=10))

    document = world.story().document("two.md")
    [first, second] = [hit for hit in retrieved.hits if hit.passage.document == document]
    assert first.extract is not None
    assert first.extract.text == text == first.extract.span.of(text)
    assert second.extract is None
    assert all(hit.extract is None for hit in retrieved.hits if hit.passage.document != document)
    assert all(hit.extract is None for hit in apart.hits)


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
