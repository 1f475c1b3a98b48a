"""POST /recalls: taking back what should not have been shown."""

from http import HTTPStatus

from fastapi import APIRouter, Request

from api.declared import requires
from api.dependencies import Caller, Wired
from api.errors import request_id_of
from api.idempotency import idempotent
from api.recall_bodies import RecallRequestIn
from api.responses.lineage import RecallResponse
from retrieval.domain.roles import Role

router = APIRouter(route_class=idempotent(requires(Role.AUDITOR, Role.ADMIN)), tags=["audit"])
"""Whom it reached is for auditors (`lineage.py`); an administrator who takes back learns how many."""


@router.post("/recalls", summary="Recall a document, a version or a source", status_code=HTTPStatus.CREATED)
def make_recall(body: RecallRequestIn, caller: Caller, parts: Wired, request: Request) -> RecallResponse:
    """Take it from every reader at once, and keep runs from publishing the same content again.

    Reviewed answers that rest on it are retired, decided questions that cite it are opened again, and applications whose requests were
    handed it are told by their webhooks. Recalled again without anything new to take back, the recall before is returned.
    """
    request_id = request_id_of(request)
    made = parts.wiring.lineage.recall(caller, body.as_request(), request_id=request_id)
    return RecallResponse.of(made, request_id=request_id)
