"""What is kept of a text's tokens: by the head alone on numbers worked by hand, and by the bundled model on texts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np
import pytest

from retrieval.adapters.models import sentence_transformer
from retrieval.adapters.models.fast import FastModel
from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder
from retrieval.adapters.models.token_head import LEVELS, MAX_SEGMENT, WIDTH, TokenHead
from retrieval.adapters.models.weights import find_weights
from retrieval.domain.passages import embedded_text
from retrieval.ports.models import TokenVectors, token_embedder

VOCABULARY = {"[CLS]": 0, "[SEP]": 1, "the": 2, "fox": 3, "##es": 4, ".": 5, ",": 6, "red": 7, "?": 8}
MEAN = np.array([1, 1, 1], dtype=np.float32)
FIRST_TWO = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32)
TITLE, TEXT = "Travel rules > Approval", "Trips are approved by the head of department. Who books without it pays. Hotels, too!"


@pytest.fixture
def head() -> TokenHead:
    return TokenHead(VOCABULARY, MEAN, FIRST_TWO)


def hidden(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def kept(head: TokenHead, tokens: list[str], *, prefix_tokens: int = 0) -> TokenVectors:
    """Of tokens whose place in the model is their own."""
    ids = [VOCABULARY[token] for token in tokens]
    return head.tokens(ids, np.random.default_rng(3).normal(size=(len(ids), 3)).astype(np.float32), prefix_tokens=prefix_tokens)


def named(found: TokenVectors) -> list[str]:
    names = {number: token for token, number in VOCABULARY.items()}
    return [names[int(id_)] for id_ in found.ids]


def test_a_tokens_vector_is_centred_turned_and_made_as_large_as_four_bits_allow(head: TokenHead):
    found = head.tokens([3, 7], hidden((4, 5, 9), (1, -1, 0)), prefix_tokens=0)

    assert found.vectors.tolist() == [[round(7 * 3 / 4), 7], [0, -7]]
    assert (found.vectors.dtype, found.ids.dtype, found.segments.dtype) == (np.int8, np.uint16, np.uint8)


def test_stop_words_marks_and_special_tokens_are_left_out(head: TokenHead):
    assert named(kept(head, ["[CLS]", "the", "red", ",", "fox", "##es", ".", "[SEP]"])) == ["red", "fox", "##es"]


def test_of_a_text_that_says_nothing_else_everything_is_kept(head: TokenHead):
    assert named(kept(head, ["[CLS]", "the", "?", "[SEP]"])) == ["[CLS]", "the", "?", "[SEP]"]


def test_every_token_tells_its_sentence_and_that_of_the_title_is_none(head: TokenHead):
    found = kept(head, ["[CLS]", "red", "fox", "fox", "red", ".", "fox", "?", "red", "[SEP]"], prefix_tokens=3)

    assert list(zip(named(found), found.segments.tolist(), strict=True)) == [
        ("red", 0),
        ("fox", 0),
        ("fox", 1),
        ("red", 1),
        ("fox", 2),
        ("red", 3),
    ]


def test_a_text_of_very_many_sentences_keeps_its_numbers_small(head: TokenHead):
    found = kept(head, ["red", "."] * 400)

    assert found.segments.tolist() == [min(number, MAX_SEGMENT) for number in range(1, 401)]


def test_a_token_that_is_where_all_tokens_are_gives_no_number_that_is_none(head: TokenHead):
    assert head.tokens([3], hidden((1, 1, 1)), prefix_tokens=0).vectors.tolist() == [[0, 0]]


def text_of(found: TokenVectors, embedder: SentenceTransformerEmbedder) -> list[list[str]]:
    """The tokens of each segment."""
    names = {number: token for token, number in embedder._loaded.tokens.vocabulary().items()}
    pairs = zip(found.segments.tolist(), found.ids.tolist(), strict=True)
    return [[names[id_] for _, id_ in group] for _, group in groupby(pairs, key=lambda pair: pair[0])]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)


@pytest.mark.models
def test_the_tokens_of_a_passage_stand_in_its_title_and_its_sentences(embedder: SentenceTransformerEmbedder):
    _, [found] = embedder.embed_with_tokens([embedded_text(TITLE, TEXT)], [TITLE])

    assert text_of(found, embedder) == [
        ["travel", "rules", "approval"],
        ["trips", "approved", "head", "department"],
        ["books", "without", "pays"],
        ["hotels"],
    ]
    assert (found.segments[0], found.segments[-1]) == (0, 3)
    assert found.vectors.shape == (11, WIDTH)
    assert np.abs(found.vectors).max(axis=1).tolist() == [LEVELS] * 11


@pytest.mark.models
def test_a_passage_without_a_title_has_no_tokens_of_one(embedder: SentenceTransformerEmbedder):
    _, [found] = embedder.embed_with_tokens([TEXT], [""])

    assert found.segments.min() == 1


@pytest.mark.models
def test_one_pass_gives_the_vectors_that_embedding_alone_gives(embedder: SentenceTransformerEmbedder):
    texts = [TEXT, "", "Short.", "Übergröße in 北京 costs 3.5 % more. " * 9, "A long one. " * 300, "x"]

    vectors, tokens = embedder.embed_with_tokens(texts, ["", "", "Short", "", "A long one.", ""])

    assert (vectors == embedder.embed(texts)).all()
    assert [len(found.ids) for found in tokens] == [len(found.segments) for found in tokens] == [len(found.vectors) for found in tokens]
    assert all(len(found.ids) > 0 for found in tokens)
    assert embedder.embed_with_tokens([], [])[1] == []


@pytest.mark.models
def test_a_texts_tokens_mean_the_same_whatever_it_is_embedded_with(embedder: SentenceTransformerEmbedder):
    texts = [f"Sentence number {number}. " * (number % 13) for number in range(40)] + [TEXT]

    [alone] = embedder.embed_with_tokens([TEXT], [""])[1]
    among = embedder.embed_with_tokens(texts, [""] * len(texts))[1][-1]

    assert (among.ids.tolist(), among.segments.tolist()) == (alone.ids.tolist(), alone.segments.tolist())
    assert np.abs(among.vectors.astype(int) - alone.vectors).max() <= 1


@pytest.mark.models
def test_a_word_is_nearer_to_itself_in_a_like_sentence_than_to_what_stands_beside_it(embedder: SentenceTransformerEmbedder):
    [first], [second] = (embedder.embed_with_tokens([text], [""])[1] for text in ("The pump is broken.", "Repair the pump."))
    pump = unit(first.vectors)[first.ids == second.ids[-1]][0]

    repair_and_pump = unit(second.vectors) @ pump

    assert repair_and_pump[1] > repair_and_pump[0] + 0.2


@pytest.mark.models
def test_a_querys_tokens_and_its_vector_cost_one_pass(embedder: SentenceTransformerEmbedder, monkeypatch: pytest.MonkeyPatch):
    query = "Who approves trips to Lisbon?"
    expected = embedder.embed_with_tokens([query], [""])
    vector = embedder.embed_query(query)
    monkeypatch.setattr(embedder._loaded, "embed_with_tokens", lambda *_: pytest.fail("computed again"))

    found = embedder.query_tokens(query)

    assert vector == pytest.approx(expected[0][0], abs=1e-6)
    assert text_of(found, embedder) == [["approve", "##s", "trips", "lisbon"]]
    assert (found.vectors == expected[1][0].vectors).all()
    assert embedder.query_tokens(query) is found


@pytest.mark.models
def test_many_threads_get_their_own_querys_tokens(embedder: SentenceTransformerEmbedder):
    queries = [f"trip number {number} to Lisbon" for number in range(18)]
    expected = [embedder.embed_with_tokens([query], [""])[1][0].ids.tolist() for query in queries]
    barrier = threading.Barrier(6)

    def ask(number: int) -> list[int]:
        if number < 6:
            barrier.wait(20)
        return list(embedder.query_tokens(queries[number]).ids.tolist())

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(18))) == expected


@pytest.mark.models
def test_a_model_without_a_head_says_so_and_gives_none(embedder: SentenceTransformerEmbedder, monkeypatch: pytest.MonkeyPatch):
    whole = embedder._loaded
    without = FastModel(whole._encoder, whole.tokens, max_tokens=whole.max_tokens, batch_passages=32)
    monkeypatch.setattr(sentence_transformer, "_load", lambda *_, **_options: without)
    other = SentenceTransformerEmbedder(find_weights(""))

    assert token_embedder(embedder) is embedder
    assert token_embedder(other) is None
    assert other.embed_query("anything").shape == (384,)
    for ask in (
        lambda: other.embed_with_tokens(["x"], [""]),
        lambda: other.query_tokens("x"),
        lambda: other._loaded.embed_with_tokens([], []),
    ):
        with pytest.raises(ValueError, match="does not tell of tokens"):
            ask()
