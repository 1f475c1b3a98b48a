"""Whether the process lives and can answer, and the API's description: the routes that need no key."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.declared import OpenRoute
from api.dependencies import Wired
from api.reference import page
from api.responses.operation import HealthResponse, ModelOut, PartOut, ReadinessResponse

router = APIRouter(route_class=OpenRoute, tags=["operation"])


@router.get("/healthz", summary="Does the process live?")
async def healthz() -> HealthResponse:
    """Always 200 while the process answers. Restart it when it does not."""
    return HealthResponse(status="ok")


@router.get("/readyz", summary="Can it answer?", responses={503: {"model": ReadinessResponse, "description": "Not ready, and why"}})
def readyz(parts: Wired, response: Response) -> ReadinessResponse:
    """200 when the catalog is readable, the index serves and the model is loaded; 503 with the parts while one is not."""
    found = [PartOut(name=name, ready=ready, detail=detail) for name, ready, detail in parts.wiring.readiness()]
    ready = all(part.ready for part in found)
    if not ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    models = (
        [ModelOut(id=model.id, state=model.state.value, ready=is_ready) for model, is_ready in parts.wiring.embedding_models()]
        if ready
        else []
    )
    return ReadinessResponse(ready=ready, parts=found, models=models)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> dict[str, Any]:
    return request.app.openapi()  # type: ignore[no-any-return]  # Request.app is untyped


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """The same for people."""
    return HTMLResponse(page(request.app.openapi()))
