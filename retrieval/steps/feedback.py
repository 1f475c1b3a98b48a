"""Feedback: the dense leg searches once more, from the query and the passages that were found first.

Rocchio, "Relevance Feedback in Information Retrieval" (1971), with the best hits taken for relevant; for embeddings: Li et al., "Pseudo
Relevance Feedback with Deep Language Models and Dense Retrievers" (TOIS 2023).
"""

from collections.abc import Sequence

import numpy as np

from retrieval.ports.models import Vectors


def feedback_vector(query: Vectors, found: Sequence[Vectors], *, weight: float) -> Vectors:
    """The query moved towards what was found: query + weight * mean(found), of unit length, shape (dimensions,).

    Args:
        query: shape (dimensions,), unit length.
        found: vectors of the best hits, of the same shape; none: the query's own vector is returned.
        weight: of their mean beside the query.
    """
    if not found:
        return query
    moved = query + np.float32(weight) * np.mean(np.stack(list(found)), axis=0, dtype=np.float32)
    length = np.linalg.norm(moved)
    moved_to_unit: Vectors = moved / length if length > 0 else query
    return moved_to_unit
