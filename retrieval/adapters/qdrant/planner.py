"""How the dense leg searches, decided by how much the scope may read, which is known before the search.

Few readable passages are all compared; among many, the graph is searched (HNSW, Malkov and Yashunin, TPAMI 2020). Where few begins and how
hard the graph must be searched depends on the machine and on the passages, so both are measured when an index is built (`measuring.py`).
"""

from dataclasses import dataclass, field, replace

from retrieval.domain.permissions import AccessScope

EXACT_PASSAGES = 20_000
"""Where nothing was measured: 3 ms on two cores at 384 dimensions."""
EF = 512
"""Where nothing was measured: recall@10 was at least .995 on 50,000 and 200,000 passages wherever exact search would take longer."""
ACORN_BELOW = 0.25
"""Where nothing was measured, ACORN below this readable share: what is readable may form no connected graph of its own."""


@dataclass(frozen=True)
class DensePlan:
    """`exact` compares every readable passage; otherwise a graph search keeps `ef` candidates.

    Attributes:
        acorn_below: look past unreadable neighbours to theirs (ACORN, Patel et al., SIGMOD 2024) where the readable share is below this;
            0: never, 1: always.
    """

    exact: bool
    ef: int = 0
    acorn_below: float = 0.0


@dataclass(frozen=True)
class GraphStep:
    """What a graph search needs while at most `passages` are readable."""

    passages: int
    ef: int
    acorn: bool


@dataclass(frozen=True)
class Measured:
    """What was found on the machine that built an index.

    Attributes:
        exact_passages: so many are compared within the time allowed for it.
        graph: ascending in passages. Beyond the last, the last holds.
    """

    exact_passages: int = EXACT_PASSAGES
    graph: tuple[GraphStep, ...] = ()


@dataclass(frozen=True)
class DenseLimits:
    """What plans are made from.

    Attributes:
        exact_passages: up to this many readable passages every one is compared; 0: as many as was measured.
        measured: of the index that is searched.
    """

    exact_passages: int = 0
    measured: Measured = field(default_factory=Measured)


def plan_dense(scope: AccessScope, *, limit: int, limits: DenseLimits) -> DensePlan:
    """Few readable passages: exact. Many: the graph, with a candidate list at least twice the `limit` of hits asked for.

    What was current at some moment lies scattered among all that ever was: there the graph is always looked through with ACORN, and twice
    as hard as was found to be enough for what is current.
    """
    readable, measured = scope.readable_passages, limits.measured
    if readable <= (limits.exact_passages or measured.exact_passages):
        return DensePlan(exact=True)
    if not measured.graph:
        return _for_moment(scope, DensePlan(exact=False, ef=max(EF, 2 * limit), acorn_below=ACORN_BELOW))
    step = next((step for step in measured.graph if readable <= step.passages), measured.graph[-1])
    return _for_moment(scope, DensePlan(exact=False, ef=max(step.ef, 2 * limit), acorn_below=1.0 if step.acorn else 0.0))


def _for_moment(scope: AccessScope, plan: DensePlan) -> DensePlan:
    return plan if scope.as_of is None else replace(plan, ef=2 * plan.ef, acorn_below=1.0)
