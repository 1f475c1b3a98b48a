"""API keys as administrators see them. The key itself is in one response only: that of its making."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from retrieval.domain.keys import StoredApiKey


class KeyOut(BaseModel):
    """What is known of a key. Times are in UTC."""

    id: str
    principal: str = Field(description="For whom it speaks: `user:<id>` or `app:<id>`.")
    roles: list[str] = Field(description="What it is good for.")
    sources: list[str] | None = Field(description="The only sources it is good for; null: every one that its principal may read.")
    label: str
    created_at: datetime
    expires_at: datetime | None
    state: Literal["live", "expired", "revoked"]

    @classmethod
    def of(cls, key: StoredApiKey, now: datetime) -> "KeyOut":
        sources = key.principal.sources
        return cls(
            id=key.id,
            principal=key.principal.subject,
            roles=sorted(role.value for role in key.roles),
            sources=None if sources is None else sorted(sources),
            label=key.label,
            created_at=key.created_at,
            expires_at=key.expires_at,
            state=key.state(now).value,
        )


class KeyListResponse(BaseModel):
    """A page of the keys, newest first."""

    request_id: str
    keys: list[KeyOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")


class CreatedKeyResponse(BaseModel):
    """A new key."""

    request_id: str
    key: str = Field(description="What its holder sends. It is not shown again.")
    created: KeyOut
