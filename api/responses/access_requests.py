"""Who would need to read what, as the owners of sources see it."""

from pydantic import BaseModel, Field

from retrieval.ports.access_requests import AccessRequest, AccessRequestPage


class AccessRequestOut(BaseModel):
    """Somebody asked what this document answers, and may not read it. They do not know of it."""

    id: str
    source: str
    asker: str
    document: str
    query: str
    created_at: str

    @classmethod
    def of(cls, request: AccessRequest) -> "AccessRequestOut":
        return cls(
            id=request.id,
            source=request.source,
            asker=request.asker,
            document=request.document,
            query=request.question,
            created_at=request.created_at,
        )


class AccessRequestListResponse(BaseModel):
    """A page of the requests for your sources."""

    request_id: str
    access_requests: list[AccessRequestOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")

    @classmethod
    def of(cls, page: AccessRequestPage, *, request_id: str, next_cursor: str | None) -> "AccessRequestListResponse":
        requests = [AccessRequestOut.of(request) for request in page.requests]
        return cls(request_id=request_id, access_requests=requests, next_cursor=next_cursor)
