"""What somebody says of an answer that they were given, from its page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.dependencies import Caller, Wired
from api.schemas import Text
from api.web.console import console_of
from api.web.guarded import once, requires_session
from api.web.sessions import PATH
from retrieval.domain.feedback import FeedbackKind
from retrieval.domain.roles import Role

MAX_ID_CHARACTERS = 100

router = APIRouter(prefix=PATH, route_class=once(requires_session(Role.USER)), include_in_schema=False)


class FeedbackForm(BaseModel):
    """One button, and a note. `about`: the citation it is on; empty: the answer as a whole."""

    model_config = ConfigDict(extra="forbid")

    csrf: str = ""
    once: str = ""
    answer: Text = Field(max_length=MAX_ID_CHARACTERS)
    kind: FeedbackKind
    about: Text = Field("", max_length=MAX_ID_CHARACTERS)
    note: Text = ""


@router.post("/feedback")
def give(sent: Annotated[FeedbackForm, Form()], caller: Caller, parts: Wired, request: Request) -> Response:
    """Only on one's own answers: another's is absent."""
    parts.wiring.learning.feedback.give(caller, sent.answer, sent.kind, citation=sent.about or None, note=sent.note)
    return console_of(request).pages.page(request, "thanks", kind=sent.kind)
