"""How the dense leg searches, decided by how much the scope may read, which is known before the search."""

from dataclasses import dataclass

from retrieval.domain.permissions import AccessScope

ACORN_MAX_SELECTIVITY = 1.0
"""ACORN (Patel et al., SIGMOD 2024) at every selectivity: the permitted passages form no connected graph of their own."""


@dataclass(frozen=True)
class DenseLimits:
    """Settings of the plan.

    Attributes:
        exact_passages: up to this many readable passages every one is compared.
        min_ef: least length of the candidate list of a graph search (`ef`).
    """

    exact_passages: int = 20_000
    min_ef: int = 256


@dataclass(frozen=True)
class DensePlan:
    """`exact` compares every readable passage; otherwise a graph search keeps `ef` candidates."""

    exact: bool
    ef: int


def plan_dense(scope: AccessScope, *, limit: int, limits: DenseLimits) -> DensePlan:
    """Few readable passages: exact. Many: HNSW with ACORN and a candidate list at least twice the hits asked for."""
    return DensePlan(exact=scope.readable_passages <= limits.exact_passages, ef=max(limits.min_ef, 2 * limit))
