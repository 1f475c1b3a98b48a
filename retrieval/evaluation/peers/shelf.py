"""What every peer is given: the same texts and the same vectors as the product, so that nothing but the ranking differs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from retrieval.ports.models import Vectors


@dataclass(frozen=True)
class Shelf:
    """A collection as a peer takes it in.

    Attributes:
        ids: the collection's own document ids.
        texts: what the product embeds and indexes of each document, title first.
        vectors: shape (documents, dimensions), of the product's embedder.
        depth: hits that each of the peer's legs returns, and the peer itself.
    """

    ids: Sequence[str]
    texts: Sequence[str] = field(repr=False)
    vectors: Vectors = field(repr=False)
    depth: int

    def best(self, scores: npt.NDArray[np.floating]) -> list[str]:
        """The documents with the highest scores above 0, ties in the order of the collection. `scores` has one number for each."""
        order = np.argsort(-scores, kind="stable")[: self.depth]
        return [self.ids[at] for at in order if scores[at] > 0]


Ask = Callable[[str, Vectors], Sequence[str]]
"""A query's text and its vector, shape (dimensions,), to document ids, best first."""
Peer = Callable[[Shelf], Ask]
"""Takes a collection in and answers queries over it."""
