"""Lineage and recalls as auditors see them: ids, times and hashes, never a title or a text."""

from collections.abc import Sequence
from dataclasses import asdict

from pydantic import BaseModel, Field

from retrieval.domain.lineage import Showing, TracedAnswer, TracedDocument, TracedRun, TracedVersion
from retrieval.domain.recalls import Recall


class TracedVersionOut(BaseModel):
    """A version and how it came to be."""

    id: str
    document: str
    source: str
    number: int
    state: str = Field(description="`current`, `superseded`, `withdrawn`, or `erased` for one that is not known any more.")
    content_hash: str = Field(description="BLAKE2b-256 of the original bytes.")
    recipe: str = Field(description="Parser and chunker with their versions and limits.")
    published_run: str | None = Field(description="The run that made it visible first.")
    published_at: str | None
    passages: list[str] = Field(description="Ids of the passages that were handed over, where it is about one answer.")
    quoted: list[str] = Field(description="Those among them that the answer cites.")

    @classmethod
    def of(cls, version: TracedVersion) -> "TracedVersionOut":
        return cls.model_validate(asdict(version))


class ShowingOut(BaseModel):
    """One time that somebody was shown something of a document."""

    seq: int = Field(description="Of its record in the audit log.")
    at: str
    action: str
    outcome: str
    person: str
    application: str | None
    request_id: str | None
    document: str
    version: str | None
    quoted: bool = Field(description="Whether an answer cited the document, not only was handed it.")

    @classmethod
    def of(cls, showing: Showing) -> "ShowingOut":
        return cls.model_validate(asdict(showing))


class AnswerLineageResponse(BaseModel):
    """An answer or a retrieval, and everything that it was made of."""

    request_id: str
    answer: str = Field(description="The request by which it was given.")
    action: str
    at: str
    person: str
    application: str | None
    outcome: str
    catalog_revision: int = Field(description="At which the permissions were checked.")
    index_revision: int | None = Field(description="Up to which the index had followed the catalog.")
    model: str | None = Field(description="By which the query was embedded.")
    generator: str | None = Field(description="What worded the answer.")
    prompt: str | None
    calibration: str | None = Field(description="What told its confidence.")
    curated: str | None
    escalation: str | None
    versions: list[TracedVersionOut]
    seq: int = Field(description="Of its record in the audit log.")

    @classmethod
    def of(cls, traced: TracedAnswer, *, request_id: str) -> "AnswerLineageResponse":
        said = asdict(traced)
        return cls.model_validate({**said, "answer": said["request_id"], "catalog_revision": said["revision"], "request_id": request_id})


class RunLineageResponse(BaseModel):
    """A run of a source, what it published, and who was shown it, newest first."""

    request_id: str
    id: str
    source: str
    spec_version: int = Field(description="Of the source's registration that it worked by.")
    started_at: str
    finished_at: str | None
    outcome: str | None
    versions: list[TracedVersionOut]
    showings: list[ShowingOut]
    has_more_versions: bool
    has_more_showings: bool

    @classmethod
    def of(cls, traced: TracedRun, *, request_id: str) -> "RunLineageResponse":
        return cls.model_validate({**asdict(traced), "request_id": request_id})


class DocumentLineageResponse(BaseModel):
    """A document's versions, newest first, and who was shown any of them."""

    request_id: str
    id: str
    source: str
    versions: list[TracedVersionOut]
    showings: list[ShowingOut]
    has_more_versions: bool
    has_more_showings: bool

    @classmethod
    def of(cls, traced: TracedDocument, *, request_id: str) -> "DocumentLineageResponse":
        return cls.model_validate({**asdict(traced), "request_id": request_id})


class RecallCountsOut(BaseModel):
    """What a recall did."""

    documents: int = Field(description="Documents that were taken from readers.")
    versions: int = Field(description="Versions that it is about, current or not.")
    answers: int = Field(description="Answers that cited one of them.")
    people: int = Field(description="People to whom those answers were given.")
    shown: int = Field(description="Requests that were handed a passage of one of them, cited or not.")
    curated: int = Field(description="Reviewed answers for everybody that were retired.")
    reviews: int = Field(description="Decided questions that were opened again.")
    applications: int = Field(description="Applications that are told by webhook.")


class RecallResponse(BaseModel):
    """A recall that was made, or was made before."""

    request_id: str
    id: str
    kind: str
    about: str
    made_at: str
    made_by: str
    counts: RecallCountsOut

    @classmethod
    def of(cls, recall: Recall, *, request_id: str) -> "RecallResponse":
        return cls.model_validate({**asdict(recall), "request_id": request_id})


class RecallReportResponse(RecallResponse):
    """A recall with its reason, and who was shown what it is about, newest first."""

    reason: str
    showings: list[ShowingOut]
    next_cursor: str | None = Field(description="For the showings before these; null when there are none.")

    @classmethod
    def told(cls, recall: Recall, showings: Sequence[Showing], *, next_cursor: str | None, request_id: str) -> "RecallReportResponse":
        shown = [asdict(showing) for showing in showings]
        return cls.model_validate({**asdict(recall), "showings": shown, "next_cursor": next_cursor, "request_id": request_id})
