"""What `/retrieve` answers: hits, and if they were asked for why they stand there and what a reviewer has said."""

from pydantic import BaseModel, Field

from api.responses.answers import SentenceOut
from api.responses.explanations import ExplanationOut
from api.responses.freshness import FreshnessOut, freshness_out
from api.responses.hits import CitationOut, HitOut
from api.responses.moments import AsOfOut
from retrieval.domain.answers import Answer, Retrieved


class SaidOut(BaseModel):
    """A curated answer to the same question, all of whose documents you may read."""

    id: str
    sentences: list[SentenceOut]
    citations: list[CitationOut]

    @classmethod
    def of(cls, answer: Answer) -> "SaidOut":
        return cls(
            id=str(answer.curated),
            sentences=[SentenceOut.of(sentence) for sentence in answer.sentences],
            citations=[CitationOut.of(citation) for citation in answer.citations],
        )


class RetrieveResponse(BaseModel):
    """The best passages that you may read, best first."""

    request_id: str
    hits: list[HitOut]
    as_of: AsOfOut | None = Field(description="Of when it is; null: of now.")
    consistency_token: str
    model: str = Field(description="By which the query was embedded, and whose vectors were searched: name and hash.")
    degraded: list[str] = Field(
        description="Parts left out because they are down, or know nothing of that moment. Quality may suffer, permissions never do."
    )
    freshness: list[FreshnessOut] = Field(description="Of the sources of the hits; empty for a moment in the past.")
    curated: SaidOut | None = Field(
        None,
        exclude_if=lambda said: said is None,
        description="What a reviewer has said to the same question; not there unless it was asked for.",
    )
    explanation: ExplanationOut | None = Field(
        None, exclude_if=lambda explanation: explanation is None, description="Not there unless it was asked for."
    )

    @classmethod
    def of(
        cls,
        retrieved: Retrieved,
        *,
        request_id: str,
        consistency_token: str,
        curated: Answer | None = None,
        as_of: AsOfOut | None = None,
    ) -> "RetrieveResponse":
        return cls(
            request_id=request_id,
            hits=[HitOut.of(hit) for hit in retrieved.hits],
            as_of=as_of,
            consistency_token=consistency_token,
            model=retrieved.model,
            degraded=list(retrieved.degraded),
            freshness=freshness_out(retrieved.freshness, (hit.passage.source for hit in retrieved.hits)),
            curated=None if curated is None else SaidOut.of(curated),
            explanation=None if retrieved.explanation is None else ExplanationOut.of(retrieved.explanation),
        )
