"""A pushed document as the application that pushed it sees it: how it stands, never what it holds."""

from typing import Literal

from pydantic import BaseModel, Field

from retrieval.domain.pushing import PushStatus


class PushedResponse(BaseModel):
    """How a pushed document stands."""

    request_id: str
    source: str
    key: str
    state: Literal["accepted", "published", "quarantined", "deleted"] = Field(
        description="`accepted`: kept for good and published by the source's next run, within seconds; `quarantined`: it cannot be parsed."
    )
    sequence: int = Field(description="Of the newest change; a change with a lower one comes too late.")
    changed: bool = Field(description="Whether this request changed anything.")
    reason: str | None = Field(description="Why it is quarantined, or why nobody reads it; null when there is nothing to say.")
    pushed_at: str
    published_at: str | None = Field(description="When readers first saw this content.")

    @classmethod
    def of(cls, source: str, status: PushStatus, *, request_id: str) -> "PushedResponse":
        return cls(
            request_id=request_id,
            source=source,
            key=status.key,
            state=status.state.value,
            sequence=status.sequence,
            changed=status.is_changed,
            reason=status.reason,
            pushed_at=status.pushed_at,
            published_at=status.published_at,
        )
