"""What the catalog promises of texts' tokens, on SQLite and on PostgreSQL."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from sqlalchemy import func, select

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import token_vectors
from retrieval.adapters.catalog.token_vectors import packed, unpacked
from retrieval.ports.models import TokenVectors
from tests.story import ANN, EVERYTHING, MODEL, PUBLIC, Story, allow

pytestmark = pytest.mark.contract

FILES = {"a.md": ("One. Two.", PUBLIC), "b.md": ("Three.", allow("user:bob"))}


@pytest.fixture
def story(catalog: Catalog) -> Story:
    story = Story(catalog)
    story.sync(FILES)
    return story


def tokens_of(text: str, *, width: int = 4) -> TokenVectors:
    """One token for each letter, every number at its limits somewhere."""
    drawn = np.random.default_rng(len(text)).integers(-7, 8, (len(text), width)).astype(np.int8)
    drawn[0, 0], drawn[-1, -1] = -7, 7
    ids = np.array([65_535 - number for number in range(len(text))], dtype=np.uint16)
    return TokenVectors(ids, np.array([255 - number for number in range(len(text))], dtype=np.uint8), drawn)


def same(first: TokenVectors, second: TokenVectors) -> bool:
    pairs = [(first.ids, second.ids), (first.segments, second.segments), (first.vectors, second.vectors)]
    return all(one.dtype == other.dtype and one.shape == other.shape and (one == other).all() for one, other in pairs)


def passages(story: Story) -> dict[str, str]:
    """Text to passage id."""
    with story.feed.snapshot() as (_, documents):
        return {passage.text: passage.id for document in documents for passage in document.passages}


def hashes(story: Story, model: str = MODEL) -> dict[str, str]:
    """Text to hash, of those texts that have no tokens."""
    work = story.catalog.embeddings.to_embed(story.source, model, with_tokens=True)
    return {item.text: item.text_hash for item in work}


def rows(catalog: Catalog) -> int:
    with catalog.database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(token_vectors)) or 0)


def test_tokens_come_back_by_passage_as_they_were_kept(story: Story):
    ids, kept = passages(story), {text: tokens_of(text) for text in ("One.", " Two.")}
    story.catalog.token_vectors.store_tokens(MODEL, [(hashes(story)[text], tokens) for text, tokens in kept.items()])

    found = story.catalog.token_vectors.tokens(EVERYTHING, MODEL, list(ids.values()))

    assert found.keys() == {ids["One."], ids[" Two."]}
    assert all(same(found[ids[text]], tokens) for text, tokens in kept.items())


def test_who_asks_for_no_passage_or_for_another_model_gets_none(story: Story):
    story.catalog.token_vectors.store_tokens(MODEL, [(hashes(story)["One."], tokens_of("One."))])
    asked = [passages(story)["One."], "psg_unknown"]

    assert story.catalog.token_vectors.tokens(EVERYTHING, MODEL, []) == {}
    assert story.catalog.token_vectors.tokens(EVERYTHING, "other@1", asked) == {}
    assert story.catalog.token_vectors.tokens(EVERYTHING, MODEL, asked).keys() == {asked[0]}


def test_a_scope_gets_no_tokens_of_what_its_classes_do_not_hold(story: Story):
    ids = passages(story)
    story.catalog.token_vectors.store_tokens(MODEL, [(hash_, tokens_of(text)) for text, hash_ in hashes(story).items()])

    found = story.catalog.token_vectors.tokens(story.catalog.gate.scope(ANN), MODEL, list(ids.values()))

    assert found.keys() == {ids["One."], ids[" Two."]}


def test_a_text_in_two_documents_has_its_tokens_once(story: Story):
    story.sync({**FILES, "c.md": ("One.", PUBLIC)})
    story.catalog.token_vectors.store_tokens(MODEL, [(hashes(story)["One."], tokens_of("One."))])
    with story.feed.snapshot() as (_, documents):
        both = [passage.id for document in documents for passage in document.passages if passage.text == "One."]

    found = story.catalog.token_vectors.tokens(EVERYTHING, MODEL, both)

    assert (len(both), rows(story.catalog)) == (2, 1)
    assert same(found[both[0]], found[both[1]])


def test_what_is_kept_stays_when_it_is_kept_again(story: Story):
    hash_ = hashes(story)["One."]
    story.catalog.token_vectors.store_tokens(MODEL, [(hash_, tokens_of("One."))])

    story.catalog.token_vectors.store_tokens(MODEL, [(hash_, tokens_of("something longer")), (hash_, tokens_of("longer"))])

    assert rows(story.catalog) == 1
    assert same(
        story.catalog.token_vectors.tokens(EVERYTHING, MODEL, [passages(story)["One."]])[passages(story)["One."]], tokens_of("One.")
    )


def test_two_models_keep_their_tokens_beside_each_other(story: Story):
    hash_, id_ = hashes(story)["One."], passages(story)["One."]
    for model, width in ((MODEL, 4), ("other@1", 10)):
        story.catalog.token_vectors.store_tokens(model, [(hash_, tokens_of("One.", width=width))])

    widths = [story.catalog.token_vectors.tokens(EVERYTHING, model, [id_])[id_].vectors.shape for model in (MODEL, "other@1")]

    assert widths == [(4, 4), (4, 10)]


def test_a_text_without_tokens_is_missing_only_where_tokens_are_wanted(story: Story):
    embeddings = story.catalog.embeddings
    before = (embeddings.missing(story.source, MODEL), embeddings.missing(story.source, MODEL, with_tokens=True))
    story.catalog.token_vectors.store_tokens(MODEL, [(hashes(story)["One."], tokens_of("One."))])

    assert before == (0, 3)
    assert list(embeddings.to_embed(story.source, MODEL)) == []
    assert embeddings.missing(story.source, MODEL, with_tokens=True) == 2
    assert hashes(story).keys() == {" Two.", "Three."}


def test_tokens_under_another_model_are_none_under_this_one(story: Story):
    story.catalog.token_vectors.store_tokens("other@1", [(hash_, tokens_of(text)) for text, hash_ in hashes(story).items()])

    assert story.catalog.embeddings.missing(story.source, MODEL, with_tokens=True) == 3
    assert hashes(story).keys() == {"One.", " Two.", "Three."}


def test_a_text_with_tokens_and_without_an_embedding_is_missing_all_the_same(story: Story):
    story.catalog.token_vectors.store_tokens("other@1", [(hash_, tokens_of(text)) for text, hash_ in hashes(story, "other@1").items()])

    assert rows(story.catalog) == 3
    assert story.catalog.embeddings.missing(story.source, "other@1", with_tokens=True) == 3
    assert len(hashes(story, "other@1")) == 3


@trials(max_examples=100, deadline=None)
@given(count=st.integers(1, 60), pairs=st.integers(1, 48), seed=st.integers(0, 1_000))
def test_packing_loses_nothing_and_takes_half_a_byte_for_each_number(count: int, pairs: int, seed: int):
    dice = np.random.default_rng(seed)
    tokens = TokenVectors(
        dice.integers(0, 65_536, count).astype(np.uint16),
        dice.integers(0, 256, count).astype(np.uint8),
        dice.integers(-7, 8, (count, 2 * pairs)).astype(np.int8),
    )

    content = packed(tokens)

    assert len(content) == count * (3 + pairs)
    assert same(unpacked(content, count), tokens)


@pytest.mark.parametrize(("size", "count"), [(13, 2), (6, 2), (3, 1), (0, 1)], ids=["cut off", "no vectors", "one without", "empty"])
def test_what_is_not_a_whole_number_of_tokens_is_refused(size: int, count: int):
    with pytest.raises(ValueError, match="not a whole number of tokens"):
        unpacked(bytes(size), count)
