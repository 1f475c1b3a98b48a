"""Where evaluations are kept, so that two can be compared. For whoever works on the machine itself: questions are content."""

from collections.abc import Sequence
from typing import Protocol

from retrieval.domain.evaluations import EvaluatedQuery, Evaluation


class EvaluationStore(Protocol):
    """Evaluations by id. None of it is given out over HTTP."""

    def add(self, evaluation: Evaluation, queries: Sequence[EvaluatedQuery]) -> None:
        """Raises Conflict when the id is taken."""

    def latest(self, *, count: int) -> Sequence[Evaluation]:
        """At most `count`, newest first."""

    def get(self, evaluation: str) -> Evaluation:
        """Raises InvalidInput naming `evaluation` when there is none of this id."""

    def queries(self, evaluation: str) -> Sequence[EvaluatedQuery]:
        """In the order of their ids. Raises InvalidInput like `get`."""

    def forget(self, evaluation: str) -> None:
        """Delete it with its questions. Raises InvalidInput like `get`."""

    def current_documents(self, documents: Sequence[str]) -> frozenset[str]:
        """Those of them that have a current version, whoever may read it."""
