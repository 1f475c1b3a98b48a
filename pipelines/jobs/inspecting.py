"""The dry run of a registration: list the source, read a sample of it, and say what would happen. Nothing is kept."""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest
from pathlib import PurePosixPath

from pipelines.connectors.port import Connector, FileRefused
from pipelines.connectors.registry import connect
from pipelines.inspection.findings import Findings
from pipelines.inspection.hidden import hidden_stretches
from pipelines.inspection.inspect import inspect
from pipelines.jobs.inspecting_report import Estimate, Finding, Reason, SourceReport
from pipelines.parsing.sandbox import ParseJob, ParsePool
from pipelines.stages.chunk import chunk
from pipelines.stages.take_in import MAX_UNAVAILABLE_IN_A_ROW, document_name
from retrieval.bootstrap import Ingestion
from retrieval.domain.documents import Fetched, ParsedDocument, QuarantineCode, Rejection, SourceFile
from retrieval.domain.errors import SourceUnavailable
from retrieval.domain.ids import content_hash
from retrieval.domain.permissions import Principal
from retrieval.domain.sources import SourceSpec

MAX_REASONS = 20
"""Documents named in one table."""
FIRST_SHARE, SAMPLE_SHARE = 0.3, 0.85
"""Parts of the time until which contents are compared, where that is quick, and the sample is parsed; then what is left is compared."""
_NO_READER = "the permission found allows nobody"


def inspect_source(
    spec: SourceSpec, ingestion: Ingestion, *, asked_by: Principal | None, monotonic: Callable[[], float] = time.monotonic
) -> SourceReport:
    """Look at a source as a run would, within the settings' limits for dry runs.

    Args:
        spec: what would be registered.
        ingestion: whose catalog, model and settings a run would have.
        asked_by: whose report it is. What other sources hold is told only of documents that this principal may read; None: of none.
        monotonic: seconds, from which the time is told that is left.

    Raises:
        InvalidInput: the location is wrong.
        SourceUnavailable: the source cannot be listed, or cannot be read any more.
    """
    connector = connect(spec, ingestion.settings)
    try:
        return _DryRun(spec, ingestion, connector, monotonic).report(asked_by)
    finally:
        connector.close()


def sample_of(files: Sequence[SourceFile], most: int) -> list[SourceFile]:
    """Files of every format in turn, so that a rare one is there too; the same files give the same sample."""
    by_format: dict[str, list[SourceFile]] = defaultdict(list)
    for file in sorted(files, key=lambda file: hashlib.blake2b(file.key.encode(), digest_size=8).digest()):
        by_format[format_of(file.key)].append(file)
    turns = zip_longest(*(by_format[name] for name in sorted(by_format)))
    return list(islice((file for turn in turns for file in turn if file is not None), most))


def format_of(key: str) -> str:
    """A document's extension in lower case, without its dot; `none` where it has none."""
    return PurePosixPath(document_name(key)).suffix.lower().removeprefix(".") or "none"


def _as_written(content: bytes) -> str:
    """The text of a document that is nothing but text: parsing takes away what nobody sees, so it is looked for before."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ""


@dataclass
class _Sample:
    """What the parsed documents tell. Per format: documents parsed, and passages they were cut into."""

    parsed: Counter[str] = field(default_factory=Counter)
    passages: Counter[str] = field(default_factory=Counter)
    texts: list[str] = field(default_factory=list)
    times: Counter[tuple[str, str]] = field(default_factory=Counter)
    documents: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    failed: list[Reason] = field(default_factory=list)

    def add_findings(self, found: Findings) -> None:
        counted = {("personal data", kind): times for kind, times in found.personal.items()}
        counted |= {("secret", kind): times for kind, times in found.secrets.items()}
        counted |= {("hidden text", "stretch"): found.hidden, ("orders to a model", "sentence"): found.instructions}
        self.times.update(counted)
        self.documents.update(what for what, times in counted.items() if times)

    def fail(self, document: str, rejection: Rejection) -> None:
        self.failures[rejection.code.value] += 1
        if len(self.failed) < MAX_REASONS:
            self.failed.append(Reason(document, f"{rejection.code.value}: {rejection.reason}"))

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(Finding(*what, times, self.documents[what]) for what, times in sorted(self.times.items()) if times)


class _DryRun:
    """One look at one source."""

    def __init__(self, spec: SourceSpec, ingestion: Ingestion, connector: Connector, monotonic: Callable[[], float]) -> None:
        self._spec = spec
        self._ingestion = ingestion
        self._settings = ingestion.settings
        self._connector = connector
        self._monotonic = monotonic
        self._started = monotonic()
        self._hashes: dict[str, str] = {}
        self._unavailable_in_a_row = 0
        self._sample = _Sample()

    def report(self, asked_by: Principal | None) -> SourceReport:
        files = list(islice(self._connector.list(), self._settings.dry_run_max_listed + 1))
        has_more = len(files) > self._settings.dry_run_max_listed
        files = files[: self._settings.dry_run_max_listed]
        formats = Counter(format_of(file.key) for file in files)
        unreadable = [Reason(file.key, file.policy_problem or _NO_READER) for file in files if not file.policy.names_a_reader]
        chosen = sample_of(files, self._settings.dry_run_read_documents)
        later = {file.key for file in chosen}
        self._compare([file for file in files if file.key not in later], until=FIRST_SHARE)
        self._read(chosen)
        self._compare(files, until=1.0)
        sample = self._sample
        return SourceReport(
            source=self._spec.id,
            listed=len(files),
            has_more=has_more,
            fetched=len(self._hashes),
            sampled=sample.parsed.total(),
            formats=dict(formats),
            without_reader=len(unreadable),
            why_unreadable=dict(Counter(each.reason for each in unreadable)),
            unreadable=tuple(unreadable[:MAX_REASONS]),
            failures=dict(sample.failures),
            failed=tuple(sample.failed),
            findings=sample.findings,
            estimate=self._estimate(formats),
            same_inside=len(self._hashes) - len(set(self._hashes.values())),
            same_elsewhere=self._same_elsewhere(asked_by),
            seconds=self._seconds,
        )

    @property
    def _seconds(self) -> float:
        return self._monotonic() - self._started

    def _is_past(self, share: float) -> bool:
        return self._seconds > self._settings.dry_run_seconds * share

    def _read(self, files: Sequence[SourceFile]) -> None:
        """Parse these, cut them and look into them, as long as there is time."""
        with ParsePool(self._settings) as parser:
            for job, found in parser.parse_many(self._jobs(files)):
                self._sample.parsed[format_of(job.key)] += 1
                if isinstance(found, Rejection):
                    self._sample.fail(job.key, found)
                else:
                    self._take(job, found)

    def _jobs(self, files: Sequence[SourceFile]) -> Iterator[ParseJob]:
        for file in files:
            if self._is_past(SAMPLE_SHARE):
                return
            fetched = self._fetch(file)
            if fetched is not None:
                yield ParseJob(file.key, document_name(file.key), fetched.content, fetched.media_type)

    def _take(self, job: ParseJob, parsed: ParsedDocument) -> None:
        drafts = chunk(
            parsed,
            count_tokens=self._ingestion.embedder.count_tokens,
            max_tokens=self._settings.chunk_max_tokens,
            overlap_tokens=self._settings.chunk_overlap_tokens,
        )
        self._sample.passages[format_of(job.key)] += len(drafts)
        self._sample.texts += [draft.embedded_text for draft in drafts[: self._settings.dry_run_embedded_passages]]
        most = self._settings.dry_run_inspected_characters
        found = inspect(parsed.text, most_characters=most)
        self._sample.add_findings(replace(found, hidden=found.hidden + hidden_stretches(_as_written(job.content)[:most])))

    def _compare(self, files: Sequence[SourceFile], *, until: float) -> None:
        """Learn the contents of those that were not read yet, as long as there is time."""
        for file in files:
            if self._is_past(until):
                return
            if file.key not in self._hashes:
                self._fetch(file)

    def _fetch(self, file: SourceFile) -> Fetched | None:
        """The bytes, whose hash is remembered; None, and counted as a failure, when they cannot be had."""
        try:
            found = self._connector.fetch(file, known=None)
        except FileRefused as refused:
            self._sample.fail(file.key, refused.rejection)
            return None
        except SourceUnavailable as unavailable:
            self._unavailable_in_a_row += 1
            if self._unavailable_in_a_row >= MAX_UNAVAILABLE_IN_A_ROW:
                raise
            self._sample.fail(file.key, Rejection(QuarantineCode.FETCH_FAILED, str(unavailable)))
            return None
        self._unavailable_in_a_row = 0
        if not isinstance(found, Fetched):
            return None
        self._hashes[file.key] = content_hash(found.content)
        return found

    def _estimate(self, formats: Counter[str]) -> Estimate:
        """A format's passages: those of its documents in the sample, as many times as there are more of them. Then one is timed."""
        sample = self._sample
        mean = sample.passages.total() / max(1, sample.parsed.total())  # for a format of which none was parsed
        each = {name: sample.passages[name] / parsed for name, parsed in sample.parsed.items()}
        expected = sum(count * each.get(name, mean) for name, count in formats.items())
        texts = sample.texts[:: max(1, len(sample.texts) // self._settings.dry_run_embedded_passages)]
        measured = texts[: self._settings.dry_run_embedded_passages]
        if not measured:
            return Estimate(round(expected))
        embedder = self._ingestion.embedder
        embedder.embed(measured[:1])  # a model that is loaded at first use is loaded now
        started = time.monotonic()
        embedder.embed(measured)
        return Estimate(round(expected), (time.monotonic() - started) / len(measured), len(measured))

    def _same_elsewhere(self, asked_by: Principal | None) -> dict[str, int]:
        if asked_by is None:
            return {}
        held = self._ingestion.catalog.documents.holding(asked_by, sorted(set(self._hashes.values())), besides=self._spec.id)
        return dict(Counter(source for hash_ in self._hashes.values() for source in held.get(hash_, ())))
