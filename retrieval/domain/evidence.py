"""Evidence: sentences and table rows of retrieved passages that bear on a question."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from retrieval.domain.answers import Citation
from retrieval.domain.documents import Span
from retrieval.domain.passages import ReadablePassage


@dataclass(frozen=True)
class Evidence:
    """One sentence or table row that may be quoted.

    Attributes:
        within: where it stands in its passage's text.
        support: 0 to 1, how far it bears on the question. Not a probability.
        parts: what the support is made of, by name.
    """

    passage: ReadablePassage
    within: Span
    support: float
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.within.of(self.passage.text)

    @property
    def citation(self) -> Citation:
        return Citation.of(self.passage, within=self.within)
