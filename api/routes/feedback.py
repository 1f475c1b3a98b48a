"""POST /feedback: what whoever asked says of the answer. DELETE takes it back."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.declared import CONTENT
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.idempotency import idempotent
from api.responses.feedback import FeedbackResponse, Kind
from api.schemas import Text
from retrieval.domain.feedback import FeedbackKind

router = APIRouter(route_class=idempotent(CONTENT), tags=["knowledge"])

_MAX_ID = 100
_WHAT = (
    "`helpful`, `wrong`, `outdated` (true once: the document has to be brought up to date) or `citation_wrong` (the quote does not say what"
    " it is cited for). The last two are told to the owner of the document."
)


class FeedbackRequest(BaseModel):
    """What you say of an answer that you were given."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"answer": "5f1d7c0a9b3e4826", "kind": "outdated", "note": "It is 25 days since January."}]},
    )

    answer: Text = Field(max_length=_MAX_ID, description="`request_id` of the answer.")
    kind: Kind = Field(description=_WHAT)
    citation: Text | None = Field(None, max_length=_MAX_ID, description="Id of the citation that it is about; null: the answer as a whole.")
    note: Text = Field("", description="In your own words. Kept encrypted; told to the document's owner where a citation is named.")


class WithdrawalParameters(BaseModel):
    """What to take back."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Field(description=_WHAT)


@router.post("/feedback", summary="Say what an answer was worth")
def give(body: FeedbackRequest, caller: Caller, parts: Wired, request: Request) -> FeedbackResponse:
    """Say it again to change it. Only of your own answers: another's is a 404 like one that never was."""
    said = parts.wiring.learning.feedback.give(caller, body.answer, FeedbackKind(body.kind), citation=body.citation, note=body.note)
    return FeedbackResponse.of(said, answer=body.answer, request_id=request_id_of(request))


@router.delete("/feedback/{id}", summary="Take back what you said of an answer")
def withdraw(id: str, wanted: Annotated[WithdrawalParameters, Query()], caller: Caller, parts: Wired, request: Request) -> FeedbackResponse:
    """As if it had not been said; taking it back twice changes nothing. `id` is the `request_id` of the answer."""
    said = parts.wiring.learning.feedback.withdraw(caller, id, FeedbackKind(wanted.kind))
    return FeedbackResponse.of(said, answer=id, request_id=request_id_of(request))
