"""Embedding into a real catalog: what the model is asked for, how often, and what is there afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from pipelines.stages.embed import embed_missing
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.documents import Span
from retrieval.domain.ingestion import SourceRun
from retrieval.domain.passages import DraftPassage, IndexedPassage
from retrieval.domain.permissions import AccessPolicy
from retrieval.ports.models import TokenVectors, Vectors, token_embedder
from retrieval.settings import Settings
from tests.story import EVERYTHING, PUBLIC, Story, vector_of

FILES = {"a.md": ("One. Two.", PUBLIC), "b.md": ("Three. Four and more.", PUBLIC), "c.md": ("One. Five.", PUBLIC)}
TEXTS = {"One.", " Two.", "Three.", " Four and more.", " Five."}


@dataclass
class SilentEmbedder:
    """A vector from a text's hash, and a memory of what was embedded. Tells of no tokens."""

    model: str = "fake@1"
    dimensions: int = 8
    max_tokens: int = 256
    embedded: list[str] = field(default_factory=list)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return np.stack([vector_of(text, self.dimensions) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        return self.embed([text])[0]


@dataclass
class TellingEmbedder(SilentEmbedder):
    """Tells of one token for each letter."""

    gives_tokens: bool = True
    prefixes: list[str] = field(default_factory=list)

    def embed_with_tokens(self, texts: Sequence[str], prefixes: Sequence[str]) -> tuple[Vectors, Sequence[TokenVectors]]:
        self.prefixes += prefixes
        return self.embed(texts), [self.query_tokens(text) for text in texts]

    def query_tokens(self, text: str) -> TokenVectors:
        ids = np.array([ord(letter) for letter in text], dtype=np.uint16)
        return TokenVectors(ids, np.ones(len(ids), dtype=np.uint8), np.tile(np.int8([1, -1]), (len(ids), 1)))


@pytest.fixture
def story(settings: Settings) -> Iterator[Story]:
    """Files that are cut and not embedded yet."""
    story = Story(open_catalog(settings))
    cut(story, FILES)
    yield story
    story.catalog.close()


def cut(story: Story, files: Mapping[str, tuple[str, AccessPolicy]]) -> None:
    run = story.start()
    story.record(run, files)
    story.stage(run, files)


def embed(story: Story, embedder: SilentEmbedder, *, with_tokens: bool = True, **options: object) -> int:
    catalog: Catalog = story.catalog
    return embed_missing(catalog.embeddings, embedder, story.source, tokens=catalog.token_vectors if with_tokens else None, **options)


def told(story: Story) -> dict[str, str]:
    """Each passage's text and what its tokens spell. The source must be published."""
    with story.feed.snapshot() as (_, documents):
        texts = {passage.id: passage.text for document in documents for passage in document.passages}
    tokens = story.catalog.token_vectors.tokens(EVERYTHING, "fake@1", list(texts))
    return {texts[id_]: "".join(map(chr, found.ids.tolist())) for id_, found in tokens.items()}


def publish(story: Story) -> None:
    list(story.catalog.publishing.publish(story.start(), model=story.model, batch=100))


def test_every_text_is_embedded_once_and_its_tokens_come_of_the_same_pass(story: Story):
    embedder = TellingEmbedder()

    done = embed(story, embedder)

    publish(story)
    assert done == len(TEXTS)
    assert sorted(embedder.embedded) == sorted(TEXTS)
    assert told(story) == {text: text for text in TEXTS}


def test_the_model_is_told_which_part_of_each_text_is_title_and_headings(story: Story, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(story, "cut", lambda run: store_with_titles(story, run))
    cut(story, {"d.md": ("Six.", PUBLIC), "e.md": ("Seven is longer.", PUBLIC)})
    embedder = TellingEmbedder()

    embed(story, embedder)

    named = {text: prefix for text, prefix in zip(embedder.embedded, embedder.prefixes, strict=True) if prefix}
    assert named == {"Title of d.md\nSix.": "Title of d.md", "Title of e.md\nSeven is longer.": "Title of e.md"}


def test_who_has_everything_asks_the_model_for_nothing(story: Story):
    embed(story, TellingEmbedder())
    again = TellingEmbedder()

    assert embed(story, again) == 0
    assert again.embedded == []


def test_tokens_that_are_wanted_later_are_filled_in_once_and_vectors_stay(story: Story):
    embed(story, TellingEmbedder(), with_tokens=False)
    publish(story)
    before = {passage.id: bytes(passage.vector) for passage in indexed(story)}
    later, again = TellingEmbedder(), TellingEmbedder()

    filled = [embed(story, later), embed(story, again)]

    assert filled == [len(TEXTS), 0]
    assert sorted(later.embedded) == sorted(TEXTS)
    assert told(story) == {text: text for text in TEXTS}
    assert {passage.id: bytes(passage.vector) for passage in indexed(story)} == before


def test_tokens_that_are_not_wanted_any_more_are_no_reason_to_embed(story: Story):
    embed(story, TellingEmbedder())
    without = TellingEmbedder()

    assert embed(story, without, with_tokens=False) == 0


def test_a_model_that_tells_of_no_tokens_embeds_all_the_same_and_is_not_asked_again(story: Story):
    silent = SilentEmbedder()

    counts = [embed(story, silent), embed(story, silent)]

    publish(story)
    assert token_embedder(silent) is None
    assert counts == [len(TEXTS), 0]
    assert len(indexed(story)) == len(TEXTS) + 1
    assert told(story) == {}


def test_a_telling_model_that_is_told_not_to_tell_is_a_silent_one(story: Story):
    embedder = TellingEmbedder(gives_tokens=False)

    embed(story, embedder)

    publish(story)
    assert (embedder.prefixes, told(story)) == ([], {})


def test_each_text_keeps_its_own_vector_and_tokens_over_many_windows(story: Story):
    progress: list[tuple[int, int]] = []

    embed(story, TellingEmbedder(), window=2, progress=lambda done, total: progress.append((done, total)))

    publish(story)
    assert progress == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert told(story) == {text: text for text in TEXTS}
    for passage in indexed(story):
        assert np.asarray(passage.vector) == pytest.approx(vector_of(passage.text, 8))


def test_a_run_that_ends_between_windows_leaves_whole_windows_and_the_next_does_the_rest(story: Story):
    def end_after_one(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(story, TellingEmbedder(), window=2, progress=end_after_one)
    rest = TellingEmbedder()

    assert embed(story, rest, window=2) == len(TEXTS) - 2
    publish(story)
    assert told(story) == {text: text for text in TEXTS}


def test_a_crash_after_the_tokens_and_before_the_vectors_is_made_good(story: Story, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as crashing:
        crashing.setattr(story.catalog.embeddings, "store", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            embed(story, TellingEmbedder())

    assert embed(story, TellingEmbedder()) == len(TEXTS)
    publish(story)
    assert told(story) == {text: text for text in TEXTS}
    assert len(indexed(story)) == len(TEXTS) + 1


def indexed(story: Story) -> list[IndexedPassage]:
    with story.feed.snapshot() as (_, documents):
        return [passage for document in documents for passage in document.passages]


def store_with_titles(story: Story, run: SourceRun) -> None:
    for version in story.catalog.staging.to_chunk(run):
        span = Span(0, len(version.text))
        draft = DraftPassage(0, span, version.text, f"Title of {version.title}", None, (), 3)
        story.catalog.staging.store_passages(run, version, [draft])
