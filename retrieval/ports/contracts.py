"""What the pipeline asks of the catalog to hold sources to their contracts."""

from collections.abc import Sequence
from typing import Protocol

from retrieval.domain.contract_rules import CentroidMeasures, DocumentMeasures, ListingMeasures, Verdict
from retrieval.domain.contracts import ContractTerms
from retrieval.domain.documents import ParsedDocument
from retrieval.domain.ingestion import ParsedRecord, SourceRun
from retrieval.domain.inspected import InspectedText


class Inspections(Protocol):
    """What was found in texts, by their hash: the same text is looked at once."""

    def inspected(self, text_hash: str, inspection: str) -> InspectedText | None: ...

    def remember(self, text_hash: str, inspection: str, found: InspectedText) -> None: ...

    def parsed(self, record: ParsedRecord) -> ParsedDocument:
        """The whole of a parse that the catalog remembers."""

    def restrict(self, run: SourceRun, terms: ContractTerms) -> int:
        """Take documents with personal data from everybody but those whom the terms name, if the terms say so. Returns how many.

        Raises:
            Fenced: a newer run works on the source.
        """


class ContractMeasures(Protocol):
    """Counts that rules are judged by."""

    def listing(self, run: SourceRun) -> ListingMeasures: ...

    def documents(self, run: SourceRun, terms: ContractTerms, inspection: str) -> DocumentMeasures:
        """Of the listed documents as they would be after publication. What no rule of the terms asks for is left at zero."""

    def centroid(self, run: SourceRun, terms: ContractTerms, model: str) -> CentroidMeasures: ...

    def keep(self, run: SourceRun, terms: ContractTerms, model: str) -> None:
        """The run was published: the next one's drift is measured from what is current now."""


class ContractVerdicts(Protocol):
    """What became of each rule, and who is told of a change."""

    def record(self, source: str, terms: ContractTerms, verdicts: Sequence[Verdict], *, run: str | None, owner: str) -> None:
        """Keep the verdicts on rules that are promised. A contract that begins to be broken, or to hold again, is told once.

        It is one transaction with its audit entry and the messages that wait to be sent.
        """

    def kept_back(self, run: SourceRun, terms: ContractTerms) -> tuple[str, ...]:
        """Why the run may not publish: rules that are broken, or that nobody has judged in it; none: it may."""
