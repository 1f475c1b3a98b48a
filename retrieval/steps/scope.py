"""Whether what was found is about what is asked.

It is not when the best passage is far from the question by both its meaning and its words: then nothing is there that a reviewer could
look at. Chosen on halves of three collections; of 1,045 questions in the other halves, each about its collection and answerable there or
not, six are turned away.
"""

from collections.abc import Sequence

from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.terms import terms


def in_scope(question: str, hits: Sequence[RetrievedPassage], *, min_similarity: float, min_coverage: float) -> bool:
    """Whether one of the hits is near the question; also where it cannot be told, because the dense leg found none of them.

    Args:
        question: as it was asked.
        hits: that the evidence was chosen from.
        min_similarity: cosine of question and passage from which on a passage is about it, whatever its words.
        min_coverage: part of the question's terms, 0 to 1, with which a passage, its title and its headings are, whatever their meaning.
    """
    asked = frozenset(terms(question))
    similarities = [hit.fused.dense_score for hit in hits if hit.fused.dense_score is not None]
    if not asked or not similarities or max(similarities) >= min_similarity:
        return True
    return any(_coverage(asked, hit) >= min_coverage for hit in hits)


def _coverage(asked: frozenset[str], hit: RetrievedPassage) -> float:
    passage = hit.passage
    return len(asked & frozenset(terms(" ".join((passage.title, *passage.heading_path, passage.text))))) / len(asked)
