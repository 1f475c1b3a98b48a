"""What a reviewer has written into the form of an item, and the decision that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from starlette.datastructures import FormData

from api.web.review_shown import all_quotes, cited_keys
from retrieval.domain.answers import AnswerSentence
from retrieval.domain.errors import InvalidInput
from retrieval.domain.reviews import Amendment, Approval, Decision, Rejection, ReviewItem, SubmittedSentence

MAX_ROWS = 50
_SPARE_ROWS = 1


@dataclass(frozen=True)
class Row:
    """One sentence of the answer, and the keys of the quotes it stands on."""

    text: str = ""
    cites: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ReviewForm:
    """The form as it was sent, or as it is first shown: with the draft's sentences."""

    rows: tuple[Row, ...]
    own_knowledge: bool = False
    reason: str = ""
    knowledge_gap: str = ""
    is_curated: bool = False

    @classmethod
    def drafted(cls, item: ReviewItem) -> Self:
        return cls((*(_row(item, sentence) for sentence in item.draft), *[Row()] * _SPARE_ROWS))

    @classmethod
    def sent(cls, form: FormData) -> Self:
        """Raises InvalidInput: more sentences than the form has room for."""
        texts = _texts(form, "text")
        if len(texts) > MAX_ROWS:
            raise InvalidInput.of("text", "has too many entries", limit=f"{MAX_ROWS} sentences")
        rows = tuple(Row(text.strip(), frozenset(_texts(form, f"cites-{number}"))) for number, text in enumerate(texts))
        return cls(
            rows,
            own_knowledge=bool(_texts(form, "own_knowledge")),
            reason=_text(form, "reason"),
            knowledge_gap=_text(form, "knowledge_gap"),
            is_curated=bool(_texts(form, "is_curated")),
        )

    def longer(self) -> Self:
        return replace(self, rows=(*self.rows, Row()))

    def approval(self) -> Decision:
        return self._decision(Approval())

    def rejection(self) -> Decision:
        return self._decision(Rejection(self.reason))

    def amendment(self, item: ReviewItem) -> Decision:
        """Raises InvalidInput: a sentence cites what is not, or not any more, among the evidence that is shown."""
        quotes = all_quotes(item.evidence)
        kept = [row for row in self.rows if row.text]
        if any(row.cites - quotes.keys() for row in kept):
            raise InvalidInput.of("sources", "names evidence that is not shown any more; choose again")
        sentences = tuple(
            SubmittedSentence(row.text, tuple(quote.citation for key, quote in quotes.items() if key in row.cites)) for row in kept
        )
        return self._decision(Amendment(sentences, own_knowledge=self.own_knowledge))

    def _decision(self, judgement: Approval | Amendment | Rejection) -> Decision:
        return Decision(judgement, self.reason, self.knowledge_gap, self.is_curated)


def _row(item: ReviewItem, sentence: AnswerSentence) -> Row:
    return Row(sentence.text, cited_keys(item, sentence))


def _texts(form: FormData, name: str) -> Sequence[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]


def _text(form: FormData, name: str) -> str:
    """Line ends as one writes them here; browsers send them as the network does."""
    return next(iter(_texts(form, name)), "").replace("\r\n", "\n").strip()
