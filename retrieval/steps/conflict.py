"""Contradictions in evidence: two readable sentences that differ in one value of the same statement, or in its polarity."""

from collections.abc import Sequence

from retrieval.domain.answers import Conflict
from retrieval.domain.evidence import Evidence


def conflicts(question: str, evidence: Sequence[Evidence], *, most: int) -> tuple[Conflict, ...]:
    """At most `most` contradictions among evidence from different passages, those of the best evidence first."""
    del question, evidence, most
    return ()
