"""Asking and searching: a box, and what was found, each citation linked to where it stands."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import RedirectResponse, Response

from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.queries import query_of
from api.schemas import Text
from api.web.citing import CitedSource, cited_answer
from api.web.console import console_of
from api.web.guarded import requires_session
from api.web.highlight import Piece, marked, matched_words
from api.web.pages import HEADERS
from api.web.sessions import PATH
from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.roles import Role

MAX_SEALED_CHARACTERS = 8_000

router = APIRouter(prefix=PATH, route_class=requires_session(Role.USER), include_in_schema=False)
home_router = APIRouter(route_class=requires_session(Role.USER, Role.REVIEWER), include_in_schema=False)

Sealed = Annotated[str, Query(max_length=MAX_SEALED_CHARACTERS)]


class QuestionForm(BaseModel):
    """A question, or words to search for."""

    model_config = ConfigDict(extra="forbid")

    csrf: str = ""
    question: Text = ""


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
    """Whoever may ask begins there, and who may only review begins at the queue."""
    if Role.USER not in request.state.roles:
        return RedirectResponse(f"{PATH}/reviews", 303, dict(HEADERS))
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
    console, request_id = console_of(request), request_id_of(request)
    question = console.questions.open(caller, q)
    top_k = min(parts.settings.answer_passages, parts.settings.query_max_top_k)
    query = query_of(parts, text=question, top_k=top_k, sources=(), at_least=None)
    answered = parts.wiring.answers.answer(caller, query, with_passages=True, request_id=request_id)
    return console.pages.page(request, "answer", question=question, answer=answered, cited=cited_answer(answered))


@router.get("/found")
def found(q: Sealed, caller: Caller, parts: Wired, request: Request) -> Response:
    console = console_of(request)
    question = console.questions.open(caller, q)
    query = query_of(parts, text=question, top_k=None, sources=(), at_least=None)
    retrieved = parts.wiring.knowledge.retrieve(caller, query, request_id=request_id_of(request))
    hits = [FoundPassage.of(hit, question) for hit in retrieved.hits]
    return console.pages.page(request, "found", question=question, hits=hits, degraded=retrieved.degraded)


def _to(page: str, sent: QuestionForm, caller: Caller, parts: Wired, request: Request) -> Response:
    """To the page that answers, so that going back to it sends no form again. Raises InvalidInput naming `query`."""
    query_of(parts, text=sent.question, top_k=None, sources=(), at_least=None)
    sealed = console_of(request).questions.seal(caller, sent.question)
    return RedirectResponse(f"{PATH}/{page}?q={sealed}", 303, dict(HEADERS))
