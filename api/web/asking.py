"""Asking and searching: a box, and what was found, each citation linked to where it stands."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from api.dependencies import Caller, Parts, Wired
from api.errors import request_id_of
from api.queries import query_of
from api.schemas import Text
from api.web.citing import CitedSource, cited_answer
from api.web.console import console_of
from api.web.guarded import once, requires_session
from api.web.highlight import Piece, marked, matched_words
from api.web.pages import HEADERS
from api.web.sessions import PATH
from api.web.signing_in import MEMBERS
from retrieval.domain import queries
from retrieval.domain.answers import Answer, RetrievedPassage
from retrieval.domain.roles import Role

MAX_SEALED_CHARACTERS = 8_000
NOBODY = "Nobody can be asked about this."

router = APIRouter(prefix=PATH, route_class=requires_session(Role.USER), include_in_schema=False)
handing_on_router = APIRouter(prefix=PATH, route_class=once(requires_session(Role.USER)), include_in_schema=False)
home_router = APIRouter(route_class=requires_session(*MEMBERS), include_in_schema=False)

Sealed = Annotated[str, Query(max_length=MAX_SEALED_CHARACTERS)]


class QuestionForm(BaseModel):
    """A question, or words to search for."""

    model_config = ConfigDict(extra="forbid")

    csrf: str = ""
    question: Text = ""


class HandingOnForm(BaseModel):
    """A question that was asked, sealed."""

    model_config = ConfigDict(extra="forbid")

    csrf: str = ""
    once: str = ""
    q: str = Field(max_length=MAX_SEALED_CHARACTERS)


@dataclass(frozen=True)
class FoundPassage:
    """A hit as the page shows it: its text in pieces, the query's words marked."""

    source: CitedSource
    pieces: list[Piece]

    @classmethod
    def of(cls, hit: RetrievedPassage, query: str) -> "FoundPassage":
        text = hit.passage.text if hit.extract is None else hit.extract.text
        return cls(CitedSource(hit.rank, hit.citation, hit.passage.modified_at), marked(text, matched_words(text, query)))


@home_router.get(PATH)
@home_router.get(f"{PATH}/")
def home(request: Request) -> Response:
    """Whoever may ask begins there, who may only review at the queue, and who only owns sources at those."""
    if Role.USER not in request.state.roles:
        first = "reviews" if Role.REVIEWER in request.state.roles else "sources"
        return RedirectResponse(f"{PATH}/{first}", 303, dict(HEADERS))
    return console_of(request).pages.page(request, "ask", question="", is_search=False)


@router.get("/search")
def search_page(request: Request) -> Response:
    return console_of(request).pages.page(request, "ask", question="", is_search=True)


@router.post("/ask")
def ask(sent: Annotated[QuestionForm, Form()], caller: Caller, parts: Wired, request: Request) -> Response:
    return _to("answer", sent, caller, parts, request)


@router.post("/search")
def search(sent: Annotated[QuestionForm, Form()], caller: Caller, parts: Wired, request: Request) -> Response:
    return _to("found", sent, caller, parts, request)


@router.get("/answer")
def answer(q: Sealed, caller: Caller, parts: Wired, request: Request) -> Response:
    question = console_of(request).questions.open(caller, q)
    answered = parts.wiring.answers.answer(caller, _query(parts, question), with_passages=True, request_id=request_id_of(request))
    return _answer_page(request, question, answered, sealed=q)


@handing_on_router.post("/escalate")
def escalate(sent: Annotated[HandingOnForm, Form()], caller: Caller, parts: Wired, request: Request) -> Response:
    """To a person, if it is not answered by now. While the same question waits for one, it is handed on once."""
    question = console_of(request).questions.open(caller, sent.q)
    answered = parts.wiring.answers.answer(
        caller, _query(parts, question), with_passages=True, person_wanted=True, request_id=request_id_of(request)
    )
    if answered.escalation is not None:
        return RedirectResponse(f"{PATH}/questions/{answered.escalation}", 303, dict(HEADERS))
    return _answer_page(request, question, answered, sealed=sent.q, notice="" if answered.sentences else NOBODY)


@router.get("/found")
def found(q: Sealed, caller: Caller, parts: Wired, request: Request) -> Response:
    console = console_of(request)
    question = console.questions.open(caller, q)
    query = query_of(parts, text=question, top_k=None, sources=(), at_least=None)
    retrieved = parts.wiring.knowledge.retrieve(caller, query, request_id=request_id_of(request))
    hits = [FoundPassage.of(hit, question) for hit in retrieved.hits]
    return console.pages.page(request, "found", question=question, hits=hits, degraded=retrieved.degraded)


def _query(parts: Parts, question: str) -> queries.Query:
    top_k = min(parts.settings.answer_passages, parts.settings.query_max_top_k)
    return query_of(parts, text=question, top_k=top_k, sources=(), at_least=None)


def _answer_page(request: Request, question: str, answered: Answer, *, sealed: str, notice: str = "") -> Response:
    pages = console_of(request).pages
    return pages.page(request, "answer", question=question, answer=answered, cited=cited_answer(answered), sealed=sealed, notice=notice)


def _to(page: str, sent: QuestionForm, caller: Caller, parts: Wired, request: Request) -> Response:
    """To the page that answers, so that going back to it sends no form again. Raises InvalidInput naming `query`."""
    query_of(parts, text=sent.question, top_k=None, sources=(), at_least=None)
    sealed = console_of(request).questions.seal(caller, sent.question)
    return RedirectResponse(f"{PATH}/{page}?q={sealed}", 303, dict(HEADERS))
