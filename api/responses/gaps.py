"""Knowledge gaps as owners of sources see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from retrieval.domain.gaps import GapGroup


class GapOut(BaseModel):
    """Occasions that are the same."""

    source: str = Field(description="Empty for questions that named no source and found none.")
    month: str
    kind: Literal["unanswered", "rejected", "marked", "outdated", "citation_wrong", "stale"]
    occasions: int
    question: str | None = Field(description="As it was asked most often; null where too few people asked it to be shown.")
    topics: list[str] = Field(description="Words that several people used, where the question is not shown.")
    document: str | None = Field(description="The document that is said to be outdated or wrongly cited.")
    notes: list[str]
    last_at: datetime | None

    @classmethod
    def of(cls, group: GapGroup) -> "GapOut":
        return cls(
            source=group.source,
            month=group.month,
            kind=group.kind.value,
            occasions=group.occasions,
            question=group.question,
            topics=list(group.topics),
            document=group.document,
            notes=list(group.notes),
            last_at=group.last_at,
        )


class GapListResponse(BaseModel):
    """A page of one month's gaps of the sources that you own."""

    request_id: str
    gaps: list[GapOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")

    @classmethod
    def of(cls, groups: Sequence[GapGroup], *, request_id: str, next_cursor: str | None) -> "GapListResponse":
        return cls(request_id=request_id, gaps=[GapOut.of(group) for group in groups], next_cursor=next_cursor)


COLUMNS = ("source", "month", "kind", "occasions", "question", "topics", "document", "notes", "last_at")


def gap_rows(groups: Sequence[GapGroup]) -> list[list[str]]:
    """One for each group, under `COLUMNS`, for tables and CSV."""
    return [
        [
            *(group.source, group.month, group.kind.value, str(group.occasions), group.question or "", " ".join(group.topics)),
            *(group.document or "", " | ".join(group.notes), "" if group.last_at is None else group.last_at.isoformat()),
        ]
        for group in groups
    ]
