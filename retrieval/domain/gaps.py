"""Knowledge gaps: what people asked and a source did not tell, or tells wrongly. For the source's owner, by month."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from retrieval.domain.answers import Reason
from retrieval.domain.errors import InvalidInput

_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
NO_SOURCE = ""
"""Of a question that found nothing and named no source: it is no owner's, and the operator's alone to see."""


class GapKind(StrEnum):
    """Why it is a gap.

    Attributes:
        UNANSWERED: nothing was found, or nothing that bears on it.
        REJECTED: a reviewer found no answer.
        MARKED: a reviewer says that a document is missing.
        OUTDATED, CITATION_WRONG: whoever asked says so of a document that was cited.
        STALE: a curated answer's quote is not in its document any more.
    """

    UNANSWERED = "unanswered"
    REJECTED = "rejected"
    MARKED = "marked"
    OUTDATED = "outdated"
    CITATION_WRONG = "citation_wrong"
    STALE = "stale"


GAPS = frozenset({Reason.NOTHING_FOUND, Reason.OUT_OF_SCOPE, Reason.STALE})
"""Reasons for abstaining that a document could mend."""


@dataclass(frozen=True)
class Gap:
    """One occasion.

    Attributes:
        source: whose owner is told; `NO_SOURCE` for nobody's.
        about: request id, or id of the escalation or the curated answer. With source and kind it is the gap's key.
        asker: subject; None where nobody asked. Counted, and never shown.
        question: None where nothing was asked, or the words have been forgotten.
        topics_only: the application's users are promised that no owner reads their words.
        note: of a reviewer or of whoever asked.
    """

    source: str
    kind: GapKind
    about: str
    at: datetime
    asker: str | None = None
    question: str | None = field(default=None, repr=False)
    topics_only: bool = False
    note: str = field(default="", repr=False)
    document: str | None = None

    @property
    def month(self) -> str:
        return self.at.strftime("%Y-%m")


@dataclass(frozen=True)
class GapGroup:
    """Occasions that are the same: one question in its spellings, or one document.

    Attributes:
        question: as it was asked most often; None where too few people asked it, or their words are not shown.
        topics: terms that enough different people used, where the question itself is not shown.
        notes: by reviewers, and by askers on one citation.
    """

    source: str
    month: str
    kind: GapKind
    occasions: int
    question: str | None = None
    topics: tuple[str, ...] = ()
    document: str | None = None
    notes: tuple[str, ...] = ()
    last_at: datetime | None = None


def check_month(month: str) -> str:
    """Raises InvalidInput naming `month` for anything but `2026-03`."""
    if not _MONTH.fullmatch(month):
        raise InvalidInput.of("month", "is written as year and month", limit="such as 2026-03")
    return month


def least_askers(kind: GapKind, *, automatic: int, marked: int) -> int:
    """How many different people must have asked before their words are shown."""
    return marked if kind is GapKind.MARKED else automatic


def in_order(groups: Sequence[GapGroup]) -> tuple[GapGroup, ...]:
    """By source, newest month first, then by how often."""
    return tuple(
        sorted(
            sorted(groups, key=lambda group: group.month, reverse=True),
            key=lambda group: (group.source, -int(group.month.replace("-", "")), -group.occasions, group.kind, group.question or ""),
        )
    )
