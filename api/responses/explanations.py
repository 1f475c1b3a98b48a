"""Why the hits of a response stand where they stand, and by which of the caller's own subjects each is readable."""

from typing import Literal

from pydantic import BaseModel, Field

from retrieval.domain.explanations import Explanation, HitExplanation, LegPlace, Reranked

LegName = Literal["lexical", "dense", "feedback", "graph"]
DECIMALS = 4
"""As few as scores are shown with: float noise must not make two equal responses differ."""


class LegPlaceOut(BaseModel):
    """What one leg said of a passage."""

    rank: int = Field(description="1 is best, among what you may read.")
    score: float = Field(description="The leg's own; comparable within this leg and this query.")
    share: float = Field(description="0 to 1: the score as fusion compares it.")
    contribution: float = Field(description="What the leg added to the fused score.")

    @classmethod
    def of(cls, place: LegPlace) -> "LegPlaceOut":
        return cls(
            rank=place.rank,
            score=round(place.score, DECIMALS),
            share=round(place.share, DECIMALS),
            contribution=round(place.contribution, DECIMALS),
        )


class RerankedOut(BaseModel):
    """What the reranker made of a hit."""

    by: str
    score: float
    contributions: dict[str, float] = Field(description="What each feature added to the score; empty for a model without named features.")

    @classmethod
    def of(cls, reranked: Reranked) -> "RerankedOut":
        contributions = {name: round(value, DECIMALS) for name, value in reranked.contributions.items()}
        return cls(by=reranked.by, score=round(reranked.score, DECIMALS), contributions=contributions)


class HitExplanationOut(BaseModel):
    """One hit, explained."""

    passage: str
    legs: dict[LegName, LegPlaceOut] = Field(description="The legs that found it.")
    fused_score: float
    rerank: RerankedOut | None = Field(description="Null where it was not reranked.")
    graph_path: list[str] = Field(description="Names on the way from the query to the passage; empty without one.")
    readable_by: list[str] = Field(description="Your own subjects that its access policy lets read: `everyone`, you, groups you are in.")

    @classmethod
    def of(cls, passage: str, hit: HitExplanation) -> "HitExplanationOut":
        return cls(
            passage=passage,
            legs={leg.value: LegPlaceOut.of(place) for leg, place in hit.legs.items()},
            fused_score=round(hit.fused_score, DECIMALS),
            rerank=None if hit.rerank is None else RerankedOut.of(hit.rerank),
            graph_path=list(hit.graph_path),
            readable_by=list(hit.readable_by),
        )


class ExplanationOut(BaseModel):
    """One retrieval, explained."""

    terms: list[str] = Field(description="What the lexical leg looked for.")
    phrases: list[str] = Field(description="Quoted phrases that every hit holds.")
    weights: dict[LegName, float] = Field(description="Each leg that ran, and its part of the fused score.")
    hits: list[HitExplanationOut] = Field(description="In the order of the hits.")

    @classmethod
    def of(cls, explanation: Explanation) -> "ExplanationOut":
        return cls(
            terms=list(explanation.terms),
            phrases=list(explanation.phrases),
            weights={leg.value: round(explanation.weights[leg], DECIMALS) for leg in explanation.legs},
            hits=[HitExplanationOut.of(passage, hit) for passage, hit in explanation.hits.items()],
        )
