"""What is sent to recall something."""

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Text
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.recalls import MAX_REASON_CHARACTERS, RecallKind, RecallRequest


class RecallRequestIn(BaseModel):
    """What to take back, exactly one of the three, and why."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"document": "doc_2c5a0d9e", "reason": "It names a patient."},
                {"source": "handbook", "reason": "Published from the wrong folder."},
            ]
        },
    )

    document: Text | None = Field(
        None, min_length=1, max_length=100, description="Every version of a document, and what is attached to it."
    )
    version: Text | None = Field(None, min_length=1, max_length=100, description="One version.")
    source: Text | None = Field(None, min_length=1, max_length=100, description="Every document of a source, which is paused.")
    reason: Text = Field(min_length=1, max_length=MAX_REASON_CHARACTERS, description="Why, for auditors alone.")

    def as_request(self) -> RecallRequest:
        """Raises InvalidInput unless exactly one thing is named."""
        named = [(kind, about) for kind in RecallKind if (about := getattr(self, kind.value)) is not None]
        if len(named) != 1:
            raise InvalidInput([FieldProblem(kind.value, "name exactly one of document, version and source") for kind in RecallKind])
        kind, about = named[0]
        return RecallRequest(kind, about, self.reason)
