"""What the owners of sources say of answers that stand on them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from retrieval.domain.answer_policy import AnswerPolicy


class AnswerPolicies(Protocol):
    """Policies by source, as they are now."""

    def of(self, sources: Sequence[str]) -> Mapping[str, AnswerPolicy]:
        """One for each different source; what an owner leaves unsaid, or a source that is not there, has the defaults.

        Raises:
            CatalogUnavailable: it cannot be read.
        """


class UsualPolicies:
    """`AnswerPolicies` where no owner says anything."""

    def of(self, sources: Sequence[str]) -> Mapping[str, AnswerPolicy]:
        return {source: AnswerPolicy(source=source) for source in sources}
