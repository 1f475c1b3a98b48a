"""How fresh the sources are that a response shows something of, and only those."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field

from retrieval.domain.freshness import SourceFreshness

FRESHNESS_EXAMPLE: dict[str, Any] = {
    "source": "handbook",
    "last_success_at": "2026-03-02T03:00:41.120000Z",
    "objective_hours": 24,
    "state": "fresh",
}


class FreshnessOut(BaseModel):
    """How one source stands by what its owner promises."""

    source: str
    last_success_at: str | None = Field(description="When it was last read to its end; ISO 8601, UTC. Null: never.")
    objective_hours: int | None = Field(description="Within which its owner promises that; null: nothing is promised.")
    state: Literal["fresh", "late", "failing"] = Field(
        description="`late`: not within that time; `failing`: new content breaks its contract and is kept back."
    )

    @classmethod
    def of(cls, freshness: SourceFreshness) -> "FreshnessOut":
        return cls(
            source=freshness.source,
            last_success_at=freshness.last_success_at,
            objective_hours=freshness.objective_hours or None,
            state=freshness.state.value,
        )


def freshness_out(known: Iterable[SourceFreshness], shown: Iterable[str]) -> list[FreshnessOut]:
    """Of the sources that are shown, by their ids."""
    sources = set(shown)
    return [FreshnessOut.of(each) for each in sorted(known, key=lambda each: each.source) if each.source in sources]
