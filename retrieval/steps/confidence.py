"""How sure an answer is: signals from what its asker may read alone, and their calibrated probability."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from retrieval.domain.answers import Confidence, Retrieved
from retrieval.domain.evidence import Evidence
from retrieval.ports.models import TokenVectors

Signals = Mapping[str, float]


class ErrorPolicy(Protocol):
    """What an answer policy says of confidence."""

    @property
    def source(self) -> str: ...

    @property
    def risk_tier(self) -> str: ...

    @property
    def accepted_error(self) -> float | None:
        """Greatest share of wrong answers; None: the service's for the tier."""


def signals(
    question: str,
    retrieved: Retrieved,
    evidence: Sequence[Evidence],
    query_tokens: TokenVectors | None,
    tokens: Mapping[str, TokenVectors],
    *,
    conflicts: int = 0,
    claims_support: Sequence[float] = (),
) -> Signals:
    """What confidence is told from, by name; each finite.

    Args:
        question: as it was asked.
        retrieved: hits that passed the gate.
        evidence: best first; what the answer is made of, or could be.
        query_tokens: of the question; None where the model tells of no tokens.
        tokens: by passage id, of hits.
        conflicts: contradictions among the evidence.
        claims_support: 0 to 1, how far each sentence of a worded answer is supported; nothing for quotes.
    """
    raise NotImplementedError


class Judging(Protocol):
    """`Confidences`, as the answering service sees it."""

    def judge(self, signals: Signals, policies: Sequence[ErrorPolicy]) -> Confidence:
        """The probability that the answer is right, and the threshold of the strictest of the policies of the sources it stands on."""
