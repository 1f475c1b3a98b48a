"""What becomes of a parsed document by its source's contract: taken as it is, with values masked, or not at all."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.inspection.inspect import INSPECTION_VERSION, inspect
from pipelines.inspection.language import language_of
from pipelines.inspection.mask import mask
from retrieval.domain.contracts import ContractTerms, PersonalData, Rule, Suspicion
from retrieval.domain.documents import ParsedDocument, QuarantineCode, Rejection
from retrieval.domain.ingestion import ParsedRecord, StoredAttachment
from retrieval.domain.inspected import UNKNOWN_LANGUAGE, InspectedText
from retrieval.ports.contracts import Inspections

_CONTENT = frozenset({Rule.PERSONAL_DATA, Rule.SECRETS, Rule.INSTRUCTIONS})


def inspection_of(terms: ContractTerms) -> str:
    """Names what is looked for, under which what is found is kept; empty for a contract that looks into no text."""
    content = INSPECTION_VERSION if terms.promised & _CONTENT else ""
    return content + ("l" if Rule.LANGUAGES in terms.promised else "")


def recipe_under(recipe: str, terms: ContractTerms) -> str:
    """The recipe with what the contract makes of texts: when that changes, every document is taken in again."""
    if not terms.looks_inside:
        return recipe
    said = [inspection_of(terms), terms.personal_data, sorted(terms.personal_kinds), terms.secrets, terms.instructions]
    return f"{recipe}, contract {hashlib.blake2b(json.dumps(said).encode(), digest_size=6).hexdigest()}"


@dataclass(frozen=True)
class LookInside:
    """Looks at each text once, however often it is taken in.

    Attributes:
        remember_parsed: keeps a masked document as if it had been parsed so.
    """

    terms: ContractTerms
    inspections: Inspections
    remember_parsed: Callable[[str, ParsedDocument, tuple[StoredAttachment, ...]], ParsedRecord]

    def __call__(self, record: ParsedRecord) -> ParsedRecord | Rejection:
        if not self.terms.looks_inside:
            return record
        document = self.inspections.parsed(record)
        found = self._found(record, document)
        if found.secrets and self.terms.secrets is Suspicion.QUARANTINE:
            return Rejection(QuarantineCode.SECRETS, "holds what looks like a secret: " + ", ".join(sorted(found.secrets)))
        if (found.instructions or found.hidden) and self.terms.instructions is Suspicion.QUARANTINE:
            return Rejection(QuarantineCode.INSTRUCTIONS, "holds sentences that read like orders to a model, or text that nobody sees")
        if self.terms.personal_data is PersonalData.MASK:
            return self._masked(record, document, found)
        return record

    def _found(self, record: ParsedRecord, document: ParsedDocument) -> InspectedText:
        inspection = inspection_of(self.terms)
        known = self.inspections.inspected(record.text_hash, inspection)
        if known is not None:
            return known
        found = self._inspected(document.text, with_content=bool(self.terms.promised & _CONTENT))
        self.inspections.remember(record.text_hash, inspection, found)
        return found

    def _inspected(self, text: str, *, with_content: bool) -> InspectedText:
        language = language_of(text) if Rule.LANGUAGES in self.terms.promised else UNKNOWN_LANGUAGE
        if not with_content:
            return InspectedText(language)
        found = inspect(text, most_characters=len(text))
        return InspectedText(language, dict(found.personal), dict(found.secrets), found.hidden, found.instructions)

    def _masked(self, record: ParsedRecord, document: ParsedDocument, found: InspectedText) -> ParsedRecord:
        """The document under a key of its own. What was found in the text before is kept as found in the masked one."""
        masked = mask(document, self.terms.personal_kinds)
        if not masked.counts:
            return record
        key = hashlib.blake2b(
            "\x00".join((record.key, "masked", INSPECTION_VERSION, *sorted(self.terms.personal_kinds))).encode(), digest_size=32
        ).hexdigest()
        kept = self.remember_parsed(key, masked.document, record.attachments)
        self.inspections.remember(kept.text_hash, inspection_of(self.terms), found)
        return kept
