"""A credential that is refused for want of a role leaves a record: which route it was, never with what."""

from fastapi import Request

from api.dependencies import parts_of
from retrieval.domain.audit import AuditAction, AuditEntry, actors


def record_refusal(request: Request, *, request_id: str) -> None:
    """Nothing is recorded of a caller who was not authenticated: anybody could fill the log. Raises CatalogUnavailable."""
    principal = getattr(request.state, "principal", None)
    if principal is None:
        return
    actor, act_for = actors(principal)
    route = {"method": request.method, "route": getattr(request.scope.get("route"), "path", None)}
    refused = AuditEntry(
        AuditAction.ROLE_REFUSED, actor, act_for, is_allowed=False, outcome="no role", request_id=request_id, details=route
    )
    parts_of(request).wiring.catalog.audit.record(refused)
