"""Recalls: taking back from everybody what should not have been shown, and finding out who was."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from retrieval.domain.errors import InvalidInput

MAX_REASON_CHARACTERS = 2_000


class RecallKind(StrEnum):
    """What is recalled.

    Attributes:
        DOCUMENT: all versions of a document, and the documents attached to it.
        VERSION: one version. If it is current the document has none until its source changes.
        SOURCE: every document of a source, which is paused.
    """

    DOCUMENT = "document"
    VERSION = "version"
    SOURCE = "source"


@dataclass(frozen=True)
class RecallRequest:
    """What somebody wants taken back, and why. The reason is for auditors alone."""

    kind: RecallKind
    about: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > MAX_REASON_CHARACTERS:
            raise InvalidInput.of("reason", "says why, for auditors", limit=f"1 to {MAX_REASON_CHARACTERS} characters")


@dataclass(frozen=True)
class RecallCounts:
    """What a recall does, or did.

    Attributes:
        documents: that are withdrawn from readers.
        versions: that it is about, current or not.
        answers: that cited one of them, with `people` to whom they were given.
        shown: requests that were handed a passage of one of them, cited or not.
        curated: answers for everybody that are retired.
        reviews: decided questions that are opened again.
        applications: that are told by webhook.
    """

    documents: int = 0
    versions: int = 0
    answers: int = 0
    people: int = 0
    shown: int = 0
    curated: int = 0
    reviews: int = 0
    applications: int = 0


@dataclass(frozen=True)
class Recall:
    """A recall that was made."""

    id: str
    kind: RecallKind
    about: str
    reason: str
    made_at: str
    made_by: str
    counts: RecallCounts


def recall_id(kind: RecallKind, about: str, at: str) -> str:
    """Equal for the same thing recalled at the same moment."""
    return "rcl_" + hashlib.blake2b(f"{kind.value}\0{about}\0{at}".encode(), digest_size=12).hexdigest()
