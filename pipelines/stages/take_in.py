"""Fetch and parse what changed. One bad document is quarantined and never fails its source."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

from pipelines.connectors.port import Connector, FileRefused
from pipelines.parsing.sandbox import ParseJob
from retrieval.domain.clock import stamp
from retrieval.domain.documents import Fetched, Gone, NotModified, ParsedDocument, QuarantineCode, Rejection, SourceFile
from retrieval.domain.errors import SourceUnavailable
from retrieval.domain.ids import content_hash
from retrieval.domain.ingestion import ParsedRecord, Seen, SourceRun, StoredAttachment, Taken, WorkItem
from retrieval.ports.ingestion import Blobs, Staging

MAX_NESTING = 3
"""Attachments of attachments are taken in down to this depth."""
MAX_UNAVAILABLE_IN_A_ROW = 5
"""Documents that cannot be fetched one after the other before the source as a whole counts as down."""
UNCHANGED_AT_ONCE = 500
"""Documents found unchanged that are written in one transaction. Lost in a crash, they are only looked at once more."""


class Parser(Protocol):
    """Parsing in isolated processes, several at once, results as they come."""

    def parse_many(self, jobs: Iterable[ParseJob]) -> Iterator[tuple[ParseJob, ParsedDocument | Rejection]]: ...


@dataclass
class TakenIn:
    """What one run found. `parsed` counts parses made, `reused` those remembered from before."""

    unchanged: int = 0
    parsed: int = 0
    reused: int = 0
    gone: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        return self.unchanged + self.parsed + self.reused + self.gone + sum(self.rejected.values())


@dataclass(frozen=True)
class _Content:
    """A fetched content on its way to a version."""

    item: WorkItem
    hash: str
    size_bytes: int
    validator: str | None
    modified_at: str | None
    parse_key: str
    title: str | None


class TakeIn:
    """One run's way from listing to staged versions.

    Args:
        recipe: names the parser and the chunker; under another recipe every document is taken in again.
        parser_version: part of the key under which parses are remembered.
        progress: told (done, total) after each document.
        look: what a parsed document becomes by the source's contract.
    """

    def __init__(
        self,
        *,
        connector: Connector,
        staging: Staging,
        blobs: Blobs,
        parser: Parser,
        run: SourceRun,
        recipe: str,
        parser_version: str,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        look: Callable[[ParsedRecord], ParsedRecord | Rejection] = lambda parsed: parsed,
    ) -> None:
        self._connector = connector
        self._staging = staging
        self._blobs = blobs
        self._parser = parser
        self._run = run
        self._recipe = recipe
        self._parser_version = parser_version
        self._progress = progress
        self._look = look
        self._seen: set[str] = set()
        self._unavailable_in_a_row = 0
        self._unwritten: list[Seen] = []
        self.counts = TakenIn()

    def take_in(self) -> TakenIn:
        """Work through everything that is pending, attachments found on the way included.

        Raises:
            SourceUnavailable: the source as a whole cannot be read; what was taken in stays.
            Fenced: a newer run has started.
        """
        for _ in range(MAX_NESTING + 1):
            pending = [item for item in self._staging.pending(self._run, recipe=self._recipe) if item.document not in self._seen]
            if not pending:
                break
            self._seen.update(item.document for item in pending)
            self._round(pending)
        return self.counts

    def _round(self, pending: Sequence[WorkItem]) -> None:
        contents: dict[str, _Content] = {}
        total = self.counts.done + len(pending)
        for job, found in self._parser.parse_many(self._jobs(pending, contents, total)):
            content = contents.pop(job.key)
            if isinstance(found, Rejection):
                self._reject(content.item, found, content.hash)
            else:
                self.counts.parsed += self._take(content, self._remember(content, found))
            self._progress(self.counts.done, total)
        self._write_unchanged()

    def _jobs(self, pending: Sequence[WorkItem], contents: dict[str, _Content], total: int) -> Iterator[ParseJob]:
        """What needs parsing. Everything else is settled on the way."""
        for item in pending:
            fetched = self._fetch(item)
            if fetched is not None and (content := self._settle(item, fetched)) is not None:
                contents[item.document] = content
                yield ParseJob(key=item.document, name=document_name(item.key), content=fetched.content, media_type=fetched.media_type)
            self._progress(self.counts.done, total)

    def _fetch(self, item: WorkItem) -> Fetched | None:
        """The bytes; None when the document is settled without them."""
        if item.is_attachment:
            return Fetched(self._blobs.get(item.fingerprint or ""))
        file = SourceFile(key=item.key, uri=item.uri, fingerprint=item.fingerprint)
        try:
            answer = self._connector.fetch(file, known=None if item.retry_due else item.validator)
        except FileRefused as refused:
            self._reject(item, refused.rejection, None)
            return None
        except SourceUnavailable as unavailable:
            self._unavailable_in_a_row += 1
            if self._unavailable_in_a_row >= MAX_UNAVAILABLE_IN_A_ROW:
                raise
            self._reject(item, Rejection(QuarantineCode.FETCH_FAILED, str(unavailable), retryable=True), None)
            return None
        self._unavailable_in_a_row = 0
        if isinstance(answer, Gone):
            self._staging.gone(self._run, item, answer)
            self.counts.gone += 1
            return None
        if isinstance(answer, NotModified):
            self._unchanged(item, item.validator)
            return None
        return answer

    def _settle(self, item: WorkItem, fetched: Fetched) -> _Content | None:
        """The content if it has to be parsed; None if it is known."""
        hash_ = content_hash(fetched.content)
        if hash_ == item.content_hash and not item.retry_due and fetched.title is None:
            self._unchanged(item, fetched.validator)
            return None
        self._blobs.put(fetched.content)
        modified_at = stamp(fetched.modified_at) if fetched.modified_at else None
        key = _parse_key(hash_, document_name(item.key), self._parser_version)
        content = _Content(item, hash_, len(fetched.content), fetched.validator, modified_at, key, fetched.title)
        known = self._staging.parsed(key)
        if known is None:
            return content
        self.counts.reused += self._take(content, known)
        return None

    def _unchanged(self, item: WorkItem, validator: str | None) -> None:
        self._unwritten.append(Seen(item.document, item.fingerprint, validator))
        self.counts.unchanged += 1
        if len(self._unwritten) >= UNCHANGED_AT_ONCE:
            self._write_unchanged()

    def _write_unchanged(self) -> None:
        if self._unwritten:
            self._staging.unchanged(self._run, self._unwritten)
            self._unwritten = []

    def _remember(self, content: _Content, found: ParsedDocument) -> ParsedRecord:
        attachments = [StoredAttachment(a.name, self._blobs.put(a.content), len(a.content)) for a in found.attachments]
        return self._staging.remember_parsed(content.parse_key, found, attachments)

    def _take(self, content: _Content, parsed: ParsedRecord) -> bool:
        """Stage it, unless the source's contract has it quarantined. Whether it was staged."""
        item, looked = content.item, self._look(parsed if content.title is None else replace(parsed, title=content.title))
        if isinstance(looked, Rejection):
            self._reject(item, looked, content.hash)
            return False
        taken = Taken(
            document=item.document,
            content_hash=content.hash,
            recipe=self._recipe,
            fingerprint=item.fingerprint,
            validator=content.validator,
            size_bytes=content.size_bytes,
            modified_at=content.modified_at,
            parsed=looked,
            title=None if content.title is None else looked.title,
        )
        self._staging.take(self._run, taken)
        return True

    def _reject(self, item: WorkItem, rejection: Rejection, hash_: str | None) -> None:
        self._staging.reject(self._run, item, rejection, recipe=self._recipe, content_hash=hash_)
        self.counts.rejected[rejection.code.value] += 1


def document_name(key: str) -> str:
    """The file name, for telling the format and for a title when the document has none."""
    path = unquote(urlsplit(key).path) if "://" in key else key
    return PurePosixPath(path).name or urlsplit(key).netloc or "document"


def _parse_key(hash_: str, name: str, parser_version: str) -> str:
    return hashlib.blake2b("\x00".join((hash_, name, parser_version)).encode(), digest_size=32).hexdigest()
