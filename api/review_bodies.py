"""The bodies and parameters of reviewers' requests. Limits that are settings are checked by the service."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.schemas import PageParameters, SourceId, Text
from retrieval.domain.answers import Reason
from retrieval.domain.documents import Span
from retrieval.domain.errors import InvalidInput
from retrieval.domain.escalations import EscalationState
from retrieval.domain.permissions import MAX_SUBJECT_LENGTH
from retrieval.domain.reviews import (
    Amendment,
    Approval,
    Decision,
    QueueFilter,
    Rejection,
    SubmittedCitation,
    SubmittedSentence,
)

Choice = TypeVar("Choice", EscalationState, Reason)

_STRICT = ConfigDict(extra="forbid", strict=True)
Passage = Annotated[str, Field(max_length=100)]


def _with_examples(*examples: dict[str, JsonValue]) -> ConfigDict:
    return ConfigDict(**_STRICT, json_schema_extra={"examples": list(examples)})


class QueueParameters(PageParameters):
    """Which escalations to show. What is not given does not limit."""

    state: str | None = Field(None, max_length=20, json_schema_extra={"enum": [state.value for state in EscalationState]})
    reason: str | None = Field(None, max_length=40, json_schema_extra={"enum": [reason.value for reason in Reason]})
    source: SourceId | None = Field(None, description="Those that were routed to this source's reviewers.")
    overdue: bool = Field(default=False, description="Only pending ones that should have been decided by now.")
    mine: bool = Field(default=False, description="Only those that you claimed or decided.")

    @property
    def filter(self) -> QueueFilter:
        """Raises InvalidInput naming `state` or `reason`."""
        return QueueFilter(
            state=None if self.state is None else _one_of(EscalationState, "state", self.state),
            source=self.source,
            reason=None if self.reason is None else _one_of(Reason, "reason", self.reason),
            overdue=self.overdue,
            mine=self.mine,
        )


class StatisticsParameters(BaseModel):
    """How far to look back."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(30, ge=1, description="Days; the service has an upper limit.")


class ExpectedRequest(BaseModel):
    """What you have seen."""

    model_config = _with_examples({"expected": 3})

    expected: int = Field(ge=1, description="The `version` that you have seen; 409 when it is another one now.")


class ReassignRequest(ExpectedRequest):
    """To whom an escalation is given."""

    model_config = _with_examples({"expected": 3, "to": ["group:hr"], "note": "Which of the two rules holds for apprentices?"})

    to: list[Annotated[Text, Field(max_length=MAX_SUBJECT_LENGTH)]] = Field(
        default=[], max_length=1_000, description="`user:<id>` or `group:<id>`; empty: the owner of the source that it was routed to."
    )
    note: Text = Field(default="", description="What you ask them.")


class CitationIn(BaseModel):
    """A quote under a sentence."""

    model_config = _STRICT

    passage: Passage = Field(description="Id of the passage that holds it.")
    start: int = Field(ge=0, description="Its first character, as offset into the text of the document's version.")
    end: int = Field(ge=0, description="The character after its last.")
    quote: Text = Field(description="Exactly what stands there.")

    @property
    def submitted(self) -> SubmittedCitation:
        if self.end < self.start:
            raise InvalidInput.of("end", "must not be before `start`")
        return SubmittedCitation(self.passage, Span(self.start, self.end), self.quote)


class SentenceIn(BaseModel):
    """A sentence of your answer."""

    model_config = _STRICT

    text: Text
    citations: list[CitationIn] = Field(default=[], max_length=1_000)


class DecisionRequest(ExpectedRequest):
    """Your decision."""

    model_config = _with_examples(
        {"expected": 3, "judgement": "approve", "is_curated": True},
        {"expected": 3, "judgement": "reject", "reason": "no rule on this", "knowledge_gap": "working from ships"},
    )

    judgement: Literal["approve", "answer", "reject"] = Field(
        description="`approve`: the draft is the answer. `answer`: `sentences` are. `reject`: there is none, for the `reason` you give."
    )
    sentences: list[SentenceIn] = Field(default=[], max_length=1_000, description="With `answer`, and with nothing else.")
    own_knowledge: bool = Field(default=False, description="You confirm that sentences without a citation are what you know yourself.")
    reason: Text = Field(default="", description="For other reviewers and the source's owner, never for the asker.")
    knowledge_gap: Text = Field(default="", description="What the documents should say and do not; empty: nothing is marked.")
    is_curated: bool = Field(default=False, description="Give the same answer to the next who asks and may read all that it cites.")

    @property
    def decision(self) -> Decision:
        """Raises InvalidInput naming what does not fit the judgement."""
        if self.sentences and self.judgement != "answer":
            raise InvalidInput.of("sentences", "belong to the judgement `answer`")
        return Decision(self._judged(), self.reason, self.knowledge_gap, is_curated=self.is_curated)

    def _judged(self) -> Approval | Amendment | Rejection:
        match self.judgement:
            case "approve":
                return Approval()
            case "reject":
                return Rejection(self.reason)
        sentences = tuple(SubmittedSentence(each.text, tuple(cited.submitted for cited in each.citations)) for each in self.sentences)
        return Amendment(sentences, own_knowledge=self.own_knowledge)


def _one_of(kind: type[Choice], field: str, written: str) -> Choice:
    try:
        return kind(written)
    except ValueError as error:
        raise InvalidInput.of(field, f"is not a {field}", limit="one of " + ", ".join(kind)) from error
