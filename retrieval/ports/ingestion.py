"""What the pipeline asks of the catalog: the ledger of one source's documents. Every call may be repeated after a crash.

Calls that take a `SourceRun` raise `Fenced` when a newer run works on the source, and then have written nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from retrieval.domain.documents import Gone, ParsedDocument, Rejection, SourceFile
from retrieval.domain.graph import GlossaryTerm
from retrieval.domain.ingestion import (
    EmbeddingWork,
    GraphChanges,
    GraphCounts,
    GraphWork,
    ListingCounts,
    ParsedRecord,
    PublicationCounts,
    QuarantinedDocument,
    RunProgress,
    Seen,
    SourceRun,
    StagedVersion,
    StoredAttachment,
    Taken,
    VersionFacts,
    WorkItem,
)
from retrieval.domain.passages import DraftPassage
from retrieval.ports.models import TokenVectors


class RunLedger(Protocol):
    """Runs and how far they are."""

    def start(self, source: str, run_id: str) -> SourceRun:
        """Begin, or go on with, the run of this id; fences out every older run on the source.

        Raises:
            InvalidInput: there is no such source.
            Conflict: the source is paused or retired.
        """

    def resume(self, source: str, run_id: str) -> SourceRun:
        """The run as `start` gave it, without fencing: for the later stages of the same run."""

    def progress(self, run: SourceRun, phase: str, *, done: int = 0, total: int | None = None) -> None: ...

    def finish(self, run: SourceRun, *, outcome: str, problem: str | None = None, counts: Mapping[str, int] | None = None) -> None: ...

    def runs(self, source: str | None = None, *, limit: int = 20) -> list[RunProgress]: ...


class Listing(Protocol):
    """What a source holds and who may read it. Permissions take effect here, before anything is parsed or embedded."""

    def record(self, run: SourceRun, files: Sequence[SourceFile]) -> ListingCounts: ...

    def complete(self, run: SourceRun) -> ListingCounts:
        """The listing is whole: documents it lacks are missing, and `withdraw_missing` will withdraw them."""


class Staging(Protocol):
    """From source file to staged version."""

    def pending(self, run: SourceRun, *, recipe: str) -> Iterator[WorkItem]:
        """Documents of this run's listing whose content has to be looked at; quarantined ones only when due."""

    def parsed(self, key: str) -> ParsedRecord | None: ...

    def remember_parsed(self, key: str, parsed: ParsedDocument, attachments: Sequence[StoredAttachment]) -> ParsedRecord: ...

    def unchanged(self, run: SourceRun, seen: Sequence[Seen]) -> None:
        """The contents are what they were: remember only how to ask next time."""

    def take(self, run: SourceRun, taken: Taken) -> None:
        """Stage a version of this content, and list its attachments as documents of their own with the same readers."""

    def gone(self, run: SourceRun, item: WorkItem, gone: Gone) -> None:
        """The source says that it is not there any more: it counts as missing."""

    def reject(self, run: SourceRun, item: WorkItem, rejection: Rejection, *, recipe: str, content_hash: str | None) -> None:
        """Quarantine. The version that is current, if any, stays."""

    def quarantined(self, source: str) -> list[QuarantinedDocument]: ...

    def to_chunk(self, run: SourceRun) -> Iterator[StagedVersion]: ...

    def store_passages(self, run: SourceRun, version: StagedVersion, passages: Sequence[DraftPassage]) -> None: ...


class EmbeddingStore(Protocol):
    """Embeddings by (model, text). Not fenced: the same text has the same vector whoever writes it."""

    def missing(self, source: str, model: str, *, with_tokens: bool = False, past: bool = False) -> int:
        """Texts of the source's staged and current passages, or with `past` of all, without an embedding, or without tokens if wanted."""

    def to_embed(self, source: str, model: str, *, with_tokens: bool = False, past: bool = False) -> Iterator[EmbeddingWork]:
        """Those texts, each once."""

    def store(self, model: str, rows: Sequence[tuple[str, bytes]]) -> None:
        """(text hash, float32 little endian) rows; those that are there already stay."""


class TokenStore(Protocol):
    """Tokens by (model, text), beside the embeddings. Nothing waits for them: a passage without any is only ranked with less."""

    def store_tokens(self, model: str, rows: Sequence[tuple[str, TokenVectors]]) -> None:
        """(text hash, tokens) rows; those that are there already stay."""


class Publishing(Protocol):
    """Making versions visible, whole or not at all."""

    def publish(self, run: SourceRun, *, model: str, batch: int) -> Iterator[PublicationCounts]:
        """One transaction, one revision and one count per batch of complete staged versions."""

    def withdraw_missing(self, run: SourceRun, *, batch: int) -> Iterator[PublicationCounts]:
        """Withdraw what the complete listing lacks."""

    def retire(self, source: str, *, by: str) -> PublicationCounts:
        """Withdraw everything of a source and close it."""


class GraphStore(Protocol):
    """The facts of current versions. A batch is one transaction and one revision, so that what follows the graph misses none."""

    def stale(self, run: SourceRun, *, extractor: str) -> Iterator[GraphWork]:
        """Current versions of the run's source whose facts this extractor has not found."""

    def replace(self, run: SourceRun, found: Sequence[VersionFacts], *, extractor: str) -> GraphChanges:
        """Make the graph hold exactly these facts of their documents; a version that is not current any more is left out."""

    def forget_withdrawn(self, run: SourceRun, *, batch: int) -> Iterator[GraphChanges]:
        """Take away the facts of documents that have no current version, and entities that nothing mentions any more."""

    def counts(self, source: str, *, most: int) -> GraphCounts:
        """What the graph holds of a source now, with its `most` mentioned entities."""


class Glossaries(Protocol):
    """The words that sources' owners define. Every one applied is kept."""

    def apply(self, source: str, terms: Sequence[GlossaryTerm], *, by: str) -> int:
        """Put a glossary in force; the same again changes nothing. Returns its version.

        Raises:
            InvalidInput: there is no such source.
            Conflict: the source is retired.
        """

    def terms(self, source: str) -> tuple[GlossaryTerm, ...]:
        """The glossary in force; empty when none was ever applied."""


class Blobs(Protocol):
    """Original bytes under their content hash."""

    def put(self, content: bytes, *, durable: bool = False) -> str:
        """The content's hash. `durable`: it outlasts a loss of power from now on, not only the end of this process."""

    def get(self, content_hash: str) -> bytes:
        """Raises KeyError when they are not there."""

    def remove(self, content_hash: str) -> bool:
        """Delete them. Whether they were there."""
