"""What a dry run found, as numbers, names and reasons: never a document's text."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Finding:
    """Something that a document's owner may not want there: how often it was found, and in how many documents."""

    what: str
    kind: str
    times: int
    documents: int


@dataclass(frozen=True)
class Reason:
    """A document, by its key, and why something is wrong with it."""

    document: str
    reason: str


@dataclass(frozen=True)
class Estimate:
    """What a first run will make, as far as a sample tells.

    Attributes:
        passages: expected of all documents listed, each format by its own sample.
        seconds_per_passage: of embedding, measured on passages of the sample, on this machine; 0 when there was none.
    """

    passages: int = 0
    seconds_per_passage: float = 0.0
    measured_on: int = 0

    @property
    def embedding_seconds(self) -> float:
        return self.passages * self.seconds_per_passage


@dataclass(frozen=True, kw_only=True)
class SourceReport:
    """What a dry run found of a source.

    Attributes:
        listed: documents; `has_more`: the listing was left off at the limit.
        fetched: documents whose bytes were read, and compared with what is there already.
        sampled: of those, documents that were parsed and looked into.
        formats: extension, or `none`, to documents.
        without_reader: documents that nobody could read; `why_unreadable`: reason to how many.
        unreadable: some of them.
        failures: code to documents that could not be fetched or parsed; `failed`: some of them.
        findings: in the documents sampled.
        same_inside: documents with the same bytes as another one of the source.
        same_elsewhere: source to documents with the same bytes as one there that whoever asks may read.
    """

    source: str
    listed: int
    has_more: bool
    fetched: int
    sampled: int
    formats: Mapping[str, int]
    without_reader: int
    why_unreadable: Mapping[str, int]
    unreadable: tuple[Reason, ...]
    failures: Mapping[str, int]
    failed: tuple[Reason, ...]
    findings: tuple[Finding, ...]
    estimate: Estimate = field(default_factory=Estimate)
    same_inside: int = 0
    same_elsewhere: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def summary(self) -> dict[str, str]:
        """The report in a few words, in order."""
        listed = f"at least {self.listed}" if self.has_more else str(self.listed)
        estimate = self.estimate
        measured = (
            f"{estimate.seconds_per_passage:.4f} s for each of {estimate.measured_on} passages embedded here"
            if estimate.measured_on
            else "nothing could be measured"
        )
        elsewhere = sum(self.same_elsewhere.values())
        return {
            "documents": listed,
            "nobody could read": f"{self.without_reader} of {self.listed} have no readable group or person",
            "read for this report": f"{self.fetched} compared by content, {self.sampled} of them parsed and looked into",
            "passages expected": f"about {estimate.passages}, from the {self.sampled} documents parsed, format by format",
            "embedding expected": f"about {estimate.embedding_seconds:.0f} s: {measured}",
            "could not be taken in": f"{sum(self.failures.values())} documents",
            "the same as others": f"{self.same_inside} inside the source, {elsewhere} in other sources that you may read",
            "this report took": f"{self.seconds:.1f} s",
        }

    def details(self) -> Iterator[tuple[str, str]]:
        """The report line by line, as a terminal shows it."""
        yield from self.summary().items()
        yield "formats", ", ".join(f"{name} {count}" for name, count in sorted(self.formats.items(), key=lambda each: (-each[1], each[0])))
        for reason in self.unreadable:
            yield "nobody reads", f"{reason.document}: {reason.reason}"
        for found in self.findings:
            yield "found inside", f"{found.what}, {found.kind}: {found.times} times in {found.documents} documents"
        for reason in self.failed:
            yield "not taken in", f"{reason.document}: {reason.reason}"
        for source, count in self.same_elsewhere.items():
            yield "the same in another source", f"{source}: {count}"

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "embedding_seconds": round(self.estimate.embedding_seconds, 1)}
