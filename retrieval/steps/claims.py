"""Generated text as claims: one plain sentence each, with the labels of the passages that it says it stands on.

The text is read as it comes and gives the same claims however it is cut into pieces: a sentence is handed on once what follows shows
that it is over. What is left of it without its marks must be plain text (`domain.plain_text`); else the whole sentence is refused and
counted. Nothing here is believed: whether a passage supports a claim is told elsewhere.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from retrieval.domain.documents import Span
from retrieval.domain.marked_text import MarkedText
from retrieval.domain.plain_text import plain_sentence
from retrieval.domain.sentences import sentences
from retrieval.ports.generation import CitedPiece

PATIENCE = 16
"""A sentence that is not over is looked at again when the text has grown by one part in so many: a hostile text costs little more
than its length."""

_OVER = re.compile(r"\s*+[\"'\u201c\u2018\u00ab(\[{\u00bf\u00a1*_]*+(?:\w++\W|[^\w\s])")
"""What stands behind a sentence's end when nothing further can move that end: `domain.sentences` looks at the next word."""
_DISGUISED_MARK = re.compile(r"\[\W{0,3}\d{1,8}\W{0,3}\]|[\u3010\u3011]")
"""A citation mark that was written in another way, or put together by taking something out."""


@dataclass(frozen=True)
class Claim:
    """One sentence of generated text.

    Attributes:
        text: plain, on one line, without marks.
        labels: of passages that were given, in the order of first mention; none where the sentence names none.
    """

    text: str
    labels: tuple[str, ...] = ()


class ClaimReader:
    """Reads one output.

    Attributes:
        refused: sentences so far that were no plain text, too long, or cited only what was not given.
        says_nothing: whether the output said, by the prompt's word, that the passages do not answer.
    """

    def __init__(
        self,
        *,
        labels: Collection[str],
        marker: str,
        nothing: str,
        max_claims: int,
        max_claim_characters: int,
        max_characters: int,
    ) -> None:
        """For the output of one task.

        Args:
            labels: of the task's passages.
            marker: the task's datamark.
            nothing: the prompt's word for passages that do not answer.
            max_claims: further sentences are not handed on.
            max_claim_characters: a longer sentence is refused.
            max_characters: of the output; what is behind them is not read.
        """
        self._labels = frozenset(labels)
        self._marker = marker
        self._nothing = nothing
        self._max_claims = max_claims
        self._max_claim_characters = max_claim_characters
        self._unread = max_characters
        self._marked = MarkedText(marker)
        self._cited: list[CitedPiece] = []
        self._claims = 0
        self._look_at = 0
        self.refused = 0
        self.says_nothing = False

    @property
    def is_full(self) -> bool:
        """Whether no further claim will come: the rest of the output need not be waited for."""
        return self._claims >= self._max_claims or not self._unread

    def feed(self, text: str) -> list[Claim]:
        """The claims that are over now that these characters have come."""
        self._marked.add(text[: self._unread])
        self._unread -= min(len(text), self._unread)
        return self._whole_claims()

    def cite(self, piece: CitedPiece) -> None:
        """Heed a citation that came beside the text. It counts for those of its sentences that have not been handed on."""
        self._cited.append(piece)

    def end(self, *, complete: bool = True) -> list[Claim]:
        """The remaining claims, when no more characters come. An output that was cut (not `complete`) loses its last sentence."""
        self._marked.add("", ended=True)
        self._look_at = 0
        claims = self._whole_claims(ended=True)
        rest = sentences(self._marked.text)
        if rest and complete and self._unread:
            claims += self._claims_of(rest[0], until=len(self._marked.text))
        return claims

    def _whole_claims(self, *, ended: bool = False) -> list[Claim]:
        """Of the sentences that another one follows. The first of the text is looked for anew each time: where it ends is certain."""
        claims: list[Claim] = []
        while len(self._marked.text) >= self._look_at:
            found = sentences(self._marked.text)
            if len(found) < 2 or not (ended or _OVER.match(self._marked.text, found[0].end)):
                self._look_at = len(self._marked.text) + 1 + len(self._marked.text) // PATIENCE
                break
            claims += self._claims_of(found[0], until=found[1].start)
            self._look_at = 0
        return claims

    def _claims_of(self, sentence: Span, *, until: int) -> list[Claim]:
        """The claim that the sentence is, or none; the text up to `until` is done with."""
        labels = self._labels_of(sentence, until)
        text = plain_sentence(sentence.of(self._marked.text))
        self._marked.drop(until)
        if text is not None and text.strip(".!") == self._nothing:
            self.says_nothing = True
            return []
        known = tuple(label for label in labels if label in self._labels)
        if text is None or (labels and not known) or not self._is_fit(text):
            self.refused += 1
            return []
        if self._claims >= self._max_claims:
            return []
        self._claims += 1
        return [Claim(text, known)]

    def _labels_of(self, sentence: Span, until: int) -> tuple[str, ...]:
        place = self._marked.origin(sentence)
        beside = [label for piece in self._cited if piece.start < place.end and place.start < piece.end for label in piece.labels]
        return tuple(dict.fromkeys([*self._marked.labels(until), *beside]))

    def _is_fit(self, text: str) -> bool:
        if len(text) > self._max_claim_characters or self._marker[:-1] in text or self._marker[1:] in text:
            return False
        return not _DISGUISED_MARK.search(unicodedata.normalize("NFKC", text))
