"""Documents as they are found, parsed and kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from retrieval.domain.permissions import NOBODY, AccessPolicy


@dataclass(frozen=True, order=True)
class Span:
    """Characters `start` up to, not including, `end` of a version's text."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: {self.start} to {self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        return text[self.start : self.end]

    def contains(self, other: "Span") -> bool:
        return self.start <= other.start and other.end <= self.end


class VersionState(StrEnum):
    """Where a document version stands. Only `current` is visible to readers."""

    STAGED = "staged"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class SourceFile:
    """One entry of a source's listing: where it is, what its bytes looked like, who may read it.

    Attributes:
        key: stable within the source, e.g. the path below its root with forward slashes, or the URL.
        uri: where a reader finds the original.
        fingerprint: changes when the bytes may have changed (size and time, an ETag); None when only fetching can tell.
        size_bytes: None when unknown before fetching.
        modified_at: as the source says, UTC; None when it does not say.
        policy: who may read it; `NOBODY` when no permission was found.
        policy_problem: why the policy is `NOBODY`, in words for the data owner; None when a permission was found.
    """

    key: str
    uri: str
    fingerprint: str | None = None
    size_bytes: int | None = None
    modified_at: datetime | None = None
    policy: AccessPolicy = NOBODY
    policy_problem: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A source file's bytes, with the validator to send next time (an ETag or fingerprint). `title`: None: the content's own."""

    content: bytes
    validator: str | None = None
    media_type: str | None = None
    modified_at: datetime | None = None
    title: str | None = None


@dataclass(frozen=True)
class NotModified:
    """The source says that nothing changed since the validator."""


@dataclass(frozen=True)
class Gone:
    """The source says that the document is not there any more."""


class ElementKind(StrEnum):
    """What a stretch of parsed text is."""

    TITLE = "title"
    HEADING = "heading"
    TEXT = "text"
    LIST_ITEM = "list_item"
    TABLE = "table"
    CODE = "code"
    CAPTION = "caption"


@dataclass(frozen=True)
class Element:
    """A stretch of the parsed text with one page and one place under the headings."""

    span: Span
    kind: ElementKind
    page: int | None = None
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attachment:
    """A file found inside another (an e-mail's attachment). It becomes a document of its own."""

    name: str
    content: bytes


@dataclass(frozen=True)
class ParsedDocument:
    """The canonical text of one content, with what is where in it.

    Attributes:
        text: the canonical text; every span of the version refers to it.
        elements: in reading order, not overlapping, each within the text.
        method: how the text was obtained, e.g. `unstructured:docx`, `pdfium`, `tesseract`.
        metadata: author, subject, date and the like; values are short strings.
    """

    title: str
    media_type: str
    text: str
    elements: tuple[Element, ...]
    method: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


class QuarantineCode(StrEnum):
    """Why a document could not be taken in."""

    EMPTY = "empty"
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    EXPANDS_TOO_MUCH = "expands_too_much"
    TOO_MANY_PAGES = "too_many_pages"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    NEEDS_PROGRAM = "needs_program"
    FETCH_FAILED = "fetch_failed"
    SECRETS = "secrets"
    INSTRUCTIONS = "instructions"


@dataclass(frozen=True)
class Rejection:
    """A document that is quarantined: a code for machines and a reason that a data owner understands."""

    code: QuarantineCode
    reason: str
    retryable: bool = False
    """Whether trying the same bytes again could help (a time-out may; an encrypted file will not)."""
