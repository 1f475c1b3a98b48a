"""Evidence: the sentences and table rows of retrieved passages that bear on a question, each with its support."""

from collections.abc import Mapping, Sequence

from retrieval.domain.answers import RetrievedPassage
from retrieval.domain.evidence import Evidence
from retrieval.ports.models import TokenVectors
from retrieval.steps.evidence_by_embedding import ByEmbedding, by_embedding
from retrieval.steps.evidence_model import by_tokens
from retrieval.steps.quotable import asked_terms, lexical_shares, quotable, sentences_of
from retrieval.steps.sentence_tokens import nearness


def evidence(
    question: str,
    hits: Sequence[RetrievedPassage],
    query: TokenVectors | None,
    tokens: Mapping[str, TokenVectors],
    *,
    otherwise: ByEmbedding,
) -> tuple[Evidence, ...]:
    """Best first, ties by passage id and position.

    Args:
        question: as it was asked.
        hits: those that may be quoted; each has passed the gate.
        query: the question's tokens; None where the model tells of none.
        tokens: by passage id.
        otherwise: how sentences are compared where the tokens of any hit are missing: half of them could not be ranked with the others.
    """
    asked = asked_terms(question)
    sentences = sentences_of(hits)
    candidates = quotable(asked, hits, sentences)
    if not candidates:
        return ()
    shares = lexical_shares(asked, candidates)
    if query is not None and len(query.ids) and all(hit.passage.id in tokens for hit in hits):
        supported = by_tokens(question, hits, candidates, shares, nearness(query, hits, sentences, tokens))
    else:
        supported = by_embedding(candidates, shares, otherwise)
    ordered = sorted(supported, key=lambda one: (-one.support, one.sentence.place))
    return tuple(Evidence(one.sentence.passage, one.sentence.within, one.support, one.parts) for one in ordered)
