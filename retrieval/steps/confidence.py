"""Signals of how sure an answer is, from the question and what its asker may read alone.

Only the head of the hits is looked at, however many were asked for, and how rare a word is is counted among them: no passage outside of
them shows. Which signals count and how much is `confidence_model`'s to say. Each but `length`
and `conflicts` grows with certainty.
"""

from collections.abc import Mapping, Sequence
from math import log

import numpy as np

from retrieval.domain.answers import Retrieved, RetrievedPassage
from retrieval.domain.evidence import Evidence
from retrieval.domain.terms import STOP_WORDS, stem, terms, words
from retrieval.ports.models import TokenVectors
from retrieval.steps.question_kind import holds, kind_of
from retrieval.steps.token_text import Floats, TokenText, directions, rarity

Signals = Mapping[str, float]

HEAD = 8
"""Hits that are looked at."""
SIGNAL_DECIMALS = 5
"""Signals are rounded, so that float noise decides nothing and a record of them is short."""
_LOWEST = 3
_LEAST_SPREAD = 0.02
_LEAST_SHARE = 0.01

LEG_SIGNALS = (
    "dense",
    "dense_margin",
    "lexical_margin",
    "agreement",
    "rerank_margin",
    "coverage",
    "evidence_coverage",
    "support",
    "support_odds",
    "support_margin",
    "support_elsewhere",
    "evidence_rank",
    "answer_type",
    "length",
)
TOKEN_SIGNALS = ("tokens", "tokens_window", "tokens_lowest", "tokens_beyond_title", "tokens_margin")
BESIDE = ("conflicts", "claims")
"""What the model has not learned from: contradictions among the evidence, and the mean support of a worded answer's sentences."""


def signals(
    question: str,
    retrieved: Retrieved,
    evidence: Sequence[Evidence],
    query_tokens: TokenVectors | None,
    tokens: Mapping[str, TokenVectors],
    *,
    conflicts: int = 0,
    claims_support: Sequence[float] = (),
) -> Signals:
    """What confidence is told from, by name, each finite: `LEG_SIGNALS`, `TOKEN_SIGNALS` where tokens are known, and those `BESIDE`.

    None at all without hits or evidence: there is no answer to be sure of.

    Args:
        question: as it was asked.
        retrieved: hits that passed the gate.
        evidence: best first; what the answer is made of, or could be.
        query_tokens: of the question; None where the model tells of no tokens.
        tokens: by passage id, of hits.
        conflicts: contradictions among the evidence.
        claims_support: 0 to 1, how far each sentence of a worded answer is supported; nothing for quotes.
    """
    head = retrieved.hits[:HEAD]
    if not head or not evidence:
        return {}
    told = _of_legs(head) | _of_words(question, head, evidence[0]) | _of_support(head, evidence)
    told |= _of_tokens(head, query_tokens, tokens) if query_tokens is not None else {}
    told |= {"conflicts": float(conflicts)} | ({"claims": _mean(claims_support)} if claims_support else {})
    return {name: round(float(value), SIGNAL_DECIMALS) for name, value in told.items()}


def _of_legs(head: Sequence[RetrievedPassage]) -> dict[str, float]:
    first, others = head[0], head[1:]
    dense = [hit.fused.dense_score or 0.0 for hit in head]
    lexical = [hit.fused.lexical_score or 0.0 for hit in head]
    scores = [hit.score for hit in others]
    return {
        "dense": dense[0],
        "dense_margin": dense[0] - _mean(dense[1:]),
        "lexical_margin": (lexical[0] - _mean(lexical[1:])) / (max(lexical) or 1.0),
        "agreement": sum(_is_in_both(hit) for hit in head) / HEAD,
        "rerank_margin": (first.score - _mean(scores)) / max(float(np.std(scores)), _LEAST_SPREAD) if scores else 0.0,
    }


def _of_words(question: str, head: Sequence[RetrievedPassage], best: Evidence) -> dict[str, float]:
    asked = list(dict.fromkeys(terms(question)))
    held = [_distinct(hit.passage.text) for hit in head]
    occurs = np.array([[term in words for words in held] for term in asked], dtype=np.float32).reshape(len(asked), len(head))
    weights = _shares(rarity(occurs, len(head)))
    quoted = _distinct(best.text)
    return {
        "coverage": float(weights @ occurs[:, 0]),
        "evidence_coverage": float(weights @ np.array([term in quoted for term in asked], dtype=np.float32)),
        "answer_type": float(holds(kind_of(question), best.text, question) is not False),
        "length": float(np.log1p(len(asked))),
    }


def _of_support(head: Sequence[RetrievedPassage], evidence: Sequence[Evidence]) -> dict[str, float]:
    best, others = evidence[0], evidence[1:]
    share = min(max(best.support, _LEAST_SHARE), 1 - _LEAST_SHARE)
    ranks = {hit.passage.id: hit.rank for hit in head}
    return {
        "support": best.support,
        "support_odds": log(share / (1 - share)),
        "support_margin": best.support - max((one.support for one in others), default=0.0),
        "support_elsewhere": best.support - max((one.support for one in others if one.passage.id != best.passage.id), default=0.0),
        "evidence_rank": 1 / ranks.get(best.passage.id, HEAD + 1),
    }


def _of_tokens(head: Sequence[RetrievedPassage], query: TokenVectors, tokens: Mapping[str, TokenVectors]) -> dict[str, float]:
    known = [tokens.get(hit.passage.id) for hit in head]
    found = [one for one in known if one is not None and len(one.ids)]
    if known[0] is None or not len(known[0].ids) or not len(query.ids):
        return {}
    text = TokenText.of(found)
    likeness = directions(query.vectors) @ text.vectors.T
    weights = _shares(rarity(text.of_passages(query.ids[:, None] == text.ids[None, :]), len(found)))
    nearest = text.of_sentences(likeness)
    first = nearest[:, (text.sentence_passage == 0) & (text.sentence_number > 0)]
    if not first.shape[1]:  # a passage whose tokens all are its title's
        first = nearest[:, text.sentence_passage == 0]
    body = first.max(axis=1)
    windows = np.maximum(first[:, :-1], first[:, 1:]) if first.shape[1] > 1 else first
    title = nearest[:, (text.sentence_passage == 0) & (text.sentence_number == 0)]
    beyond = _shares(weights * (1 - np.clip(title[:, 0], 0, 1))) if title.shape[1] else weights
    others = text.of_passages(likeness)[:, 1:].mean(axis=0)
    return {
        "tokens": float(body.mean()),
        "tokens_window": float((weights @ windows).max()),
        "tokens_lowest": float(np.sort(body)[:_LOWEST].mean()),
        "tokens_beyond_title": float((beyond @ first).max()),
        "tokens_margin": float(body.mean() - others.max(initial=0.0)),
    }


def _is_in_both(hit: RetrievedPassage) -> bool:
    return all(rank is not None and rank <= HEAD for rank in (hit.fused.lexical_rank, hit.fused.dense_rank))


def _distinct(text: str) -> set[str]:
    """The terms of a text, each once: most words of a passage stand in it more than once."""
    return set(map(stem, set(words(text)) - STOP_WORDS))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _shares(weights: Floats) -> Floats:
    return weights / max(float(weights.sum()), 1e-9)
