"""Which sentence each token of a passage is in, and how near the tokens of a question come to each sentence.

Tokens are kept with a number that rises after each of the marks that a tokenizer takes for a sentence's end (`TokenVectors.segments`). The
sentences that are quoted are cut with more care (`domain.units`): a decimal point ends a segment and no sentence, a heading ends a
sentence and no segment. Where a segment reaches over several sentences, its tokens are shared out among its words.

Nearness is late interaction: each token of the question with its nearest of the sentence (Khattab and Zaharia, "ColBERT", SIGIR 2020).
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.documents import Span
from retrieval.domain.terms import STOP_WORDS, terms
from retrieval.ports.models import TokenVectors
from retrieval.steps.token_text import Floats, directions

Places = npt.NDArray[np.int64]

IN_TITLE = -1
"""Stands for a sentence's number where a token is in the title or the headings."""
_MARK = re.compile(r"[.!?;\u037e]")
_WORD = re.compile(r"\w+")


def sentences_of_tokens(text: str, sentences: Sequence[Span], tokens: TokenVectors) -> Places:
    """Shape (tokens,): the number of the sentence that each is in, from 0, never falling; `IN_TITLE` for those before the text.

    Args:
        text: of the passage, without title and headings.
        sentences: of that text, in order; without any, all tokens count as the title's.
        tokens: of the passage.
    """
    found = np.full(len(tokens.ids), IN_TITLE, dtype=np.int64)
    if not sentences:
        return found
    starts = [span.start for span in sentences]
    numbers, firsts, counts = np.unique(tokens.segments, return_index=True, return_counts=True)
    stretches = _stretches(text)
    shift = None
    for number, first, count in zip(numbers.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        if number == 0:
            continue
        shift = number - _first_with_terms(text, stretches) if shift is None else shift
        stretch = stretches[min(max(number - shift, 0), len(stretches) - 1)]
        first_sentence, last_sentence = _sentence_at(starts, stretch.start), _sentence_at(starts, max(stretch.end - 1, stretch.start))
        if first_sentence == last_sentence:
            found[first : first + count] = first_sentence
        else:
            found[first : first + count] = [_sentence_at(starts, at) for at in _characters(text, stretch, count)]
    never_falling: Places = np.maximum.accumulate(found)  # also where the tokens are not of this text's marks
    return never_falling


def _sentence_at(starts: Sequence[int], character: int) -> int:
    return max(bisect_right(starts, character) - 1, 0)


def _stretches(text: str) -> list[Span]:
    """What stands between two marks, from its first word on."""
    found, start = [], 0
    for end in [*(mark.start() for mark in _MARK.finditer(text)), len(text)]:
        word = _WORD.search(text, start, end)
        found.append(Span(word.start() if word else end, end))
        start = end + 1
    return found


def _first_with_terms(text: str, stretches: Sequence[Span]) -> int:
    """The stretch that the first token after the title is in: of stop words none is kept."""
    return next((number for number, stretch in enumerate(stretches) if terms(stretch.of(text))), 0)


def _characters(text: str, stretch: Span, count: int) -> list[int]:
    """Where each of the `count` tokens of a stretch begins: one for each word, or where words make several, shared out by their lengths."""
    said = [word for word in _WORD.finditer(text, stretch.start, stretch.end) if word.group().lower() not in STOP_WORDS]
    if not said:
        return [stretch.start] * count
    if len(said) == count:
        return [word.start() for word in said]
    ends = np.cumsum([len(word.group()) for word in said])
    at = np.searchsorted(ends, (np.arange(count) + 0.5) / count * ends[-1])
    return [said[number].start() for number in at.tolist()]


@dataclass(frozen=True)
class Nearness:
    """The tokens of a question and the sentences of some passages, one column for each sentence of all passages in order.

    Attributes:
        query: ids of the question's tokens, shape (query tokens,).
        likeness: cosine of each token and its nearest of the sentence, shape (query tokens, sentences); 0 where a sentence has no tokens.
        same: whether the sentence has the token itself; the same shape, 0 or 1.
        title_likeness, title_same: of the title and headings, shape (query tokens, passages).
        passage_likeness, passage_same: of the whole passage, shape (query tokens, passages).
        adjacency: share of the question's neighbouring tokens that are neighbours in the sentence, shape (sentences,).
        pooled: cosine of the mean token of the question and of the sentence, shape (sentences,).
        backwards: mean over the sentence's tokens of the cosine with the nearest of the question, shape (sentences,).
        passages: each sentence's passage, shape (sentences,).
        firsts: column of each passage's first sentence, shape (passages,).
    """

    query: npt.NDArray[np.uint16]
    likeness: Floats
    same: Floats
    title_likeness: Floats
    title_same: Floats
    passage_likeness: Floats
    passage_same: Floats
    adjacency: Floats
    pooled: Floats
    backwards: Floats
    passages: Places
    firsts: Places
    columns: Mapping[tuple[int, int], int]

    def column(self, hit: int, start: int) -> int:
        """Of the sentence of the passage `hit`, a number from 0, that begins at `start` of its text."""
        return self.columns[hit, start]

    @cached_property
    def lengths(self) -> Places:
        """How many sentences the passage of each sentence has, shape (sentences,)."""
        lengths: Places = np.bincount(self.passages, minlength=len(self.firsts))[self.passages]
        return lengths

    def neighbour(self, values: Floats, step: int) -> Floats:
        """`values`, shape (query tokens, sentences), of the sentence before (-1) or after (1) in the same passage; 0 without one."""
        moved = np.roll(values, -step, axis=1)
        at_border = np.roll(self.passages, -step) != self.passages
        at_border[0 if step < 0 else -1] = True
        moved[:, at_border] = 0
        return moved


def nearness(
    query: TokenVectors, hits: Sequence[RetrievedPassage], spans: Sequence[Sequence[Span]], tokens: Mapping[str, TokenVectors]
) -> Nearness:
    """Of every sentence of the hits. `spans` has the sentences of each hit, `tokens` those of every hit by passage id."""
    found = [tokens[hit.passage.id] for hit in hits]
    places = [sentences_of_tokens(hit.passage.text, cut, each) for hit, cut, each in zip(hits, spans, found, strict=True)]
    counts = np.array([len(cut) for cut in spans])
    firsts = np.cumsum(counts) - counts
    owner = np.repeat(np.arange(len(found)), [len(each.ids) for each in found])
    place = np.concatenate(places)
    column = np.where(place == IN_TITLE, IN_TITLE, place + firsts[owner])
    asked, said = directions(query.vectors), directions(np.concatenate([each.vectors for each in found]))
    likeness: Floats = asked.dot(said.T)
    same = (query.ids[:, None] == np.concatenate([each.ids for each in found])[None, :]).astype(np.float32)
    group = _Groups.of(owner, column)
    total = int(counts.sum())
    return Nearness(
        query=query.ids,
        likeness=group.spread(group.best(likeness), total),
        same=group.spread(group.best(same), total),
        title_likeness=group.of_titles(group.best(likeness), len(found)),
        title_same=group.of_titles(group.best(same), len(found)),
        passage_likeness=_best_of(likeness, owner, len(found)),
        passage_same=_best_of(same, owner, len(found)),
        adjacency=group.spread(_neighbours(same, column, group), total).mean(axis=0),
        pooled=_pooled(asked, said, group, total),
        backwards=group.spread(group.mean(likeness.max(axis=0)[None, :]), total)[0],
        passages=np.repeat(np.arange(len(found)), counts),
        firsts=firsts,
        columns={(hit, span.start): int(firsts[hit]) + number for hit, cut in enumerate(spans) for number, span in enumerate(cut)},
    )


@dataclass(frozen=True)
class _Groups:
    """Runs of tokens of one sentence, or of one title.

    Attributes:
        begins: where each begins among the tokens.
        columns: its sentence; `IN_TITLE` for a title.
        owners: its passage.
        sizes: how many tokens it has.
    """

    begins: Places
    columns: Places
    owners: Places
    sizes: Places

    @classmethod
    def of(cls, owner: Places, column: Places) -> "_Groups":
        changes = (owner[1:] != owner[:-1]) | (column[1:] != column[:-1])
        begins = np.flatnonzero(np.concatenate([[True], changes]))
        return cls(begins, column[begins], owner[begins], np.diff(np.append(begins, len(owner))))

    def best(self, values: Floats) -> Floats:
        """Shape (rows, tokens) to (rows, groups)."""
        best: Floats = np.maximum.reduceat(values, self.begins, axis=1)
        return best

    def mean(self, values: Floats) -> Floats:
        """Shape (rows, tokens) to (rows, groups)."""
        mean: Floats = (np.add.reduceat(values, self.begins, axis=1) / self.sizes).astype(np.float32)
        return mean

    def spread(self, values: Floats, sentences: int) -> Floats:
        """Shape (rows, groups) to (rows, sentences); 0 for a sentence without tokens."""
        spread = np.zeros((len(values), sentences), dtype=np.float32)
        inside = self.columns != IN_TITLE
        spread[:, self.columns[inside]] = values[:, inside]
        return spread

    def of_titles(self, values: Floats, passages: int) -> Floats:
        """Shape (rows, groups) to (rows, passages); 0 without a title."""
        titles = np.zeros((len(values), passages), dtype=np.float32)
        is_title = self.columns == IN_TITLE
        titles[:, self.owners[is_title]] = values[:, is_title]
        return titles


def _best_of(values: Floats, owner: Places, passages: int) -> Floats:
    best: Floats = np.maximum.reduceat(values, np.searchsorted(owner, np.arange(passages)), axis=1)
    return best


def _neighbours(same: Floats, column: Places, group: _Groups) -> Floats:
    """Shape (pairs of the question, groups): whether the pair stands in the sentence; one row of zeros for a single token."""
    pairs = np.zeros((max(len(same) - 1, 1), same.shape[1]), dtype=np.float32)
    if len(same) > 1:
        pairs[:, :-1] = same[:-1, :-1] * same[1:, 1:] * (column[1:] == column[:-1])
    return group.best(pairs)


def _pooled(asked: Floats, said: Floats, group: _Groups, sentences: int) -> Floats:
    mean = group.mean(said.T)
    mean /= np.maximum(np.linalg.norm(mean, axis=0), 1e-9)
    question = asked.mean(axis=0)
    question /= max(float(np.linalg.norm(question)), 1e-9)
    pooled: Floats = group.spread(question.dot(mean)[None, :], sentences)[0]
    return pooled
