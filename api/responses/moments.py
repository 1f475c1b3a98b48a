"""Of when a response is."""

from pydantic import BaseModel, Field

from api.consistency import ConsistencyTokens
from retrieval.domain.clock import stamp
from retrieval.domain.queries import Moment


class AsOfOut(BaseModel):
    """The moment that was asked of: what was current then answered, of what you may read now."""

    time: str | None = Field(description="The time that was asked for, in UTC; null where a consistency token was given.")
    consistency_token: str = Field(description="Stands for the state of that moment: as `as_of` of another request it asks of the same.")

    @classmethod
    def of(cls, moment: Moment | None, tokens: ConsistencyTokens) -> "AsOfOut | None":
        if moment is None:
            return None
        return cls(time=stamp(moment.at) if moment.is_dated else None, consistency_token=tokens.seal(moment.revision))
