"""What a reviewer does with an escalation. Each form names the version that its page showed, so that nothing is decided unseen."""

from collections.abc import Callable
from typing import TypedDict

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.dependencies import Caller, parts_of
from api.errors import request_id_of
from api.web.guarded import once, requires_session
from api.web.pages import HEADERS
from api.web.review_forms import ReviewForm
from api.web.review_item import NOTICES, item_page
from api.web.sessions import PATH
from retrieval.domain.errors import Conflict, InvalidInput
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import Decision
from retrieval.domain.roles import Role
from retrieval.ports.reviewing import Reviewing

QUEUE = f"{PATH}/reviews"

router = APIRouter(prefix=PATH, route_class=once(requires_session(Role.REVIEWER)), include_in_schema=False)


@router.post("/reviews/{id}/claim")
def claim(id: str, caller: Caller, request: Request) -> Response:
    return _changed(request, id, lambda: _reviews(request).claim(caller, id, **_named(request)), then=_item(id, "claimed"))


@router.post("/reviews/{id}/release")
def release(id: str, caller: Caller, request: Request) -> Response:
    return _changed(request, id, lambda: _reviews(request).release(caller, id, **_named(request)), then=QUEUE)


@router.post("/reviews/{id}/reassign")
def reassign(id: str, caller: Caller, request: Request) -> Response:
    """To whom the form names; to nobody: to the owner of the source."""
    to, note = _field(request, "to").replace(",", " ").split(), _field(request, "note")
    return _changed(request, id, lambda: _reviews(request).reassign(caller, id, to=to, note=note, **_named(request)), then=QUEUE)


@router.post("/reviews/{id}/renew")
def renew(id: str, caller: Caller, request: Request) -> Response:
    """The lease runs anew, and what the reviewer has written so far stays in the form."""
    form = ReviewForm.sent(request.state.form)
    try:
        _reviews(request).renew(caller, id, **_named(request))
    except Conflict:
        return item_page(request, caller, id, form=form, notice=NOTICES["changed"])
    return item_page(request, caller, id, form=form, notice=NOTICES["renewed"])


@router.post("/reviews/{id}/rows")
def add_row(id: str, caller: Caller, request: Request) -> Response:
    """The same form with room for one sentence more. Nothing is kept."""
    return item_page(request, caller, id, form=ReviewForm.sent(request.state.form).longer())


@router.post("/reviews/{id}/approve")
def approve(id: str, caller: Caller, request: Request) -> Response:
    return _decided(request, caller, id, lambda form: form.approval())


@router.post("/reviews/{id}/reject")
def reject(id: str, caller: Caller, request: Request) -> Response:
    return _decided(request, caller, id, lambda form: form.rejection())


@router.post("/reviews/{id}/answer")
def answer(id: str, caller: Caller, request: Request) -> Response:
    """The evidence is read again for it: what may not be cited any more by then is not."""
    item = _reviews(request).item(caller, id, request_id=request_id_of(request))
    return _decided(request, caller, id, lambda form: form.amendment(item))


def _decided(request: Request, caller: Principal, id_: str, decision: Callable[[ReviewForm], Decision]) -> Response:
    """A decision that breaks a rule shows the form again, as it was written, and says which."""
    form = ReviewForm.sent(request.state.form)
    return _changed(
        request,
        id_,
        lambda: _reviews(request).decide(caller, id_, decision(form), **_named(request)),
        then=_item(id_, "decided"),
        form=form,
    )


def _changed(request: Request, id_: str, change: Callable[[], object], *, then: str, form: ReviewForm | None = None) -> Response:
    try:
        change()
    except Conflict:
        return RedirectResponse(_item(id_, "changed"), 303, dict(HEADERS))
    except InvalidInput as error:
        return item_page(request, request.state.principal, id_, form=form, problems=error.problems)
    return RedirectResponse(then, 303, dict(HEADERS))


class _Named(TypedDict):
    expected: int
    request_id: str


def _named(request: Request) -> _Named:
    """The version that the reviewer has seen, and the request."""
    expected = _field(request, "expected")
    if not expected.isascii() or not expected.isdigit() or len(expected) > 18:
        raise InvalidInput.of("expected", "must be a whole number")
    return {"expected": int(expected), "request_id": request_id_of(request)}


def _field(request: Request, name: str) -> str:
    form: FormData = request.state.form
    return str(form.get(name, "")).strip()


def _reviews(request: Request) -> Reviewing:
    return parts_of(request).wiring.reviews


def _item(id_: str, said: str) -> str:
    return f"{QUEUE}/{id_}?said={said}"
