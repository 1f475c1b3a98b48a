"""Erasing documents, sources and what is said of a person: what is asked for, and the report of what was removed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import check_subject

MAX_WORDS = 20
MIN_WORD_CHARACTERS = 3
MAX_REASON_CHARACTERS = 500
_DOMAIN = b"archivist erasure report 1\0"

KEPT: Mapping[str, str] = {
    "audit log": "names documents by id and holds no text; query texts are encrypted: `archivist audit forget-queries` ends them",
    "idempotency answers": "hold no document's text, are encrypted under a key that is not kept, and end within their time",
    "usage": "counts tokens of applications, and names no document and no person",
    "backups": "are out of reach: destroy those made before this moment, or erase again after restoring one",
    "the source itself": "is not written to: what is erased here is not taken in again, but stays where it came from",
    "files of golden questions": "lie with whoever wrote them; evaluations kept in the catalog have been searched",
}
"""What an erasure leaves, and why."""


class ErasureKind(StrEnum):
    """What is erased."""

    DOCUMENT = "document"
    SOURCE = "source"
    PERSON = "person"


@dataclass(frozen=True, kw_only=True)
class ErasureRequest:
    """What is to be erased for good.

    Attributes:
        source: of the document, or the one to erase whole; for a person: the only one to search, empty for all.
        document: id of the document; its attachments go with it.
        subject: the person whose questions go, e.g. `user:ann`.
        words: whatever names the person, such as an e-mail address; without regard to case, found anywhere in a text.
        reason: for the report, without personal data.
    """

    kind: ErasureKind
    reason: str
    source: str = ""
    document: str = ""
    subject: str = ""
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > MAX_REASON_CHARACTERS:
            raise InvalidInput.of("reason", "say why, without personal data", limit=f"1 to {MAX_REASON_CHARACTERS} characters")
        if self.kind is not ErasureKind.PERSON and not self.source:
            raise InvalidInput.of("source", "is required")
        if self.kind is ErasureKind.DOCUMENT and not self.document:
            raise InvalidInput.of("document", "is required")
        if self.kind is ErasureKind.PERSON and not (self.subject or self.words):
            raise InvalidInput.of("words", "give a subject, or words that name the person")
        if self.subject:
            check_subject(self.subject, field="subject")
        if len(self.words) > MAX_WORDS or any(len(word.strip()) < MIN_WORD_CHARACTERS for word in self.words):
            limit = f"{MAX_WORDS} words of {MIN_WORD_CHARACTERS} characters or more"
            raise InvalidInput.of("words", "too many, or too short to name anybody", limit=limit)


@dataclass(frozen=True)
class ErasurePlan:
    """What an erasure would remove: documents by source, and versions that are not current of documents that stay."""

    documents: Mapping[str, int]
    versions: int
    old_versions: int


@dataclass(frozen=True)
class ErasureReport:
    """What was removed, by kind and count. No word of it, and ids only as hashes.

    Attributes:
        documents: hashes of the erased documents' ids, sorted.
        signature: Ed25519 over the rest, by the audit log's signing key, as 128 hexadecimal digits; empty until it is signed.
    """

    id: str
    at: str
    by: str
    kind: ErasureKind
    reason: str
    removed: Mapping[str, int]
    documents: tuple[str, ...]
    kept: Mapping[str, str] = field(default_factory=lambda: dict(KEPT))
    public_key: str = ""
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        said = {name: value for name, value in self.as_json().items() if name != "signature"}
        return _DOMAIN + json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def as_json(self) -> dict[str, object]:
        return {
            **{name: getattr(self, name) for name in ("id", "at", "by", "reason", "public_key", "signature")},
            "kind": self.kind.value,
            "removed": dict(self.removed),
            "documents": list(self.documents),
            "kept": dict(self.kept),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> "ErasureReport":
        """Raises InvalidInput for what is no report."""
        try:
            given = {**raw, "kind": ErasureKind(str(raw["kind"])), "documents": tuple(raw["documents"])}  # type: ignore[arg-type]
            return cls(**given)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput.of("file", "is not a report of an erasure") from error


def hashed_id(id_: str) -> str:
    """BLAKE2b-256 of an id, for whoever has the id and wants to know whether a report is about it."""
    return hashlib.blake2b(id_.encode(), digest_size=32).hexdigest()
