"""An answer made of quotes: the sentences of the retrieved passages that bear on the question, verbatim and cited."""

from retrieval.domain.answers import Answer, Retrieved
from retrieval.ports.models import Embedder


def answer_from(
    question: str, retrieved: Retrieved, embedder: Embedder, *, passages: int, max_sentences: int, min_support: float
) -> Answer:
    raise NotImplementedError
