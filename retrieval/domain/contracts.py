"""What a source's owner promises of its documents, and what happens to those that break the promise."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.json_fields import number, numbers, one_of, subjects, texts, unknown_fields, whole_number
from retrieval.domain.permissions import check_subject

_LANGUAGE = re.compile(r"[a-z]{2}")
_FORMAT = re.compile(r"\.[a-z0-9]{1,20}|[a-z0-9.+-]+/[a-z0-9.+-]+")
MAX_FRESHNESS_HOURS = 24 * 366
MAX_DOCUMENTS = 100_000_000
MAX_CENTROID_DRIFT = 2.0
"""Cosine distance of opposite directions."""
PERSONAL_KINDS = (
    "CREDIT_CARD",
    "DE_TAX_ID",
    "EMAIL_ADDRESS",
    "ES_NIF",
    "IBAN_CODE",
    "IN_AADHAAR",
    "IT_FISCAL_CODE",
    "PHONE_NUMBER",
    "PL_PESEL",
    "UK_NHS",
    "UK_NINO",
    "US_ITIN",
    "US_PASSPORT",
    "US_SSN",
)
"""Kinds of personal data that inspections look for, as Presidio names them."""


class PersonalData(StrEnum):
    """What becomes of documents that hold personal data.

    Attributes:
        ALLOW: nobody looks for it.
        REPORT: it is counted, by kind.
        BLOCK: no new content of the source is published.
        MASK: the values are replaced by the names of their kinds before anything is cut, embedded or shown.
        RESTRICT: of the subjects that a document's permissions allow, only those of `restricted_to` still read it.
    """

    ALLOW = "allow"
    REPORT = "report"
    BLOCK = "block"
    MASK = "mask"
    RESTRICT = "restrict"


class Suspicion(StrEnum):
    """What becomes of documents that hold secrets, or orders to a model.

    Attributes:
        ALLOW: nobody looks for them.
        REPORT: they are counted.
        QUARANTINE: the document's new content is not taken in; what is current stays.
        BLOCK: no new content of the source is published.
    """

    ALLOW = "allow"
    REPORT = "report"
    QUARANTINE = "quarantine"
    BLOCK = "block"


class Rule(StrEnum):
    """One promise of a contract; the name of its check."""

    FRESHNESS = "freshness"
    DOCUMENT_COUNT = "document_count"
    LOST_DOCUMENTS = "lost_documents"
    UNREADABLE_SHARE = "unreadable_share"
    QUARANTINED_SHARE = "quarantined_share"
    REQUIRED_METADATA = "required_metadata"
    FORMATS = "formats"
    LANGUAGES = "languages"
    SIZE_DRIFT = "size_drift"
    CENTROID_DRIFT = "centroid_drift"
    PERSONAL_DATA = "personal_data"
    SECRETS = "secrets"
    INSTRUCTIONS = "instructions"


@dataclass(frozen=True, kw_only=True)
class ContractTerms:
    """A contract. Shares are of the source's listed documents, 0 to 1; None and 0 mean that nothing is promised.

    Attributes:
        freshness_hours: within which the source must have been read successfully.
        max_lost_share: of the documents that were readable, how many one listing may lack; None: the service's setting.
        max_unreadable_share: of documents whose permissions name no reader.
        required_metadata: name, e.g. `author`, to the share of documents that may be without it.
        formats: media types (`text/plain`) or extensions (`.md`); none: every format.
        languages: ISO 639-1 codes; none: every language.
        max_size_drift: by what share the mean length of a document may differ from the run before.
        max_centroid_drift: cosine distance, 0 to 2, by which the mean embedding may differ from the run before.
        personal_kinds: which kinds of personal data count; none: all that are looked for.
        restricted_to: who still reads documents with personal data where the policy is `restrict`, as the permissions name them;
            none: the owner. It never gives a right that the permissions do not.
        warn_only: rules that are shown when they are broken, and keep nothing from being published.
        notify: subjects who are told when the contract is broken and when it holds again; none: the owner.
    """

    freshness_hours: int = 0
    min_documents: int = 0
    max_documents: int = 0
    max_lost_share: float | None = None
    max_unreadable_share: float | None = None
    max_quarantined_share: float | None = None
    required_metadata: Mapping[str, float] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    max_size_drift: float | None = None
    max_centroid_drift: float | None = None
    personal_data: PersonalData = PersonalData.ALLOW
    personal_kinds: tuple[str, ...] = ()
    restricted_to: tuple[str, ...] = ()
    secrets: Suspicion = Suspicion.ALLOW
    instructions: Suspicion = Suspicion.ALLOW
    warn_only: tuple[Rule, ...] = ()
    notify: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InvalidInput(problems)
        object.__setattr__(self, "required_metadata", MappingProxyType(dict(self.required_metadata)))

    @property
    def looks_inside(self) -> bool:
        """Whether texts have to be inspected for this contract."""
        return bool(self.promised & {Rule.PERSONAL_DATA, Rule.SECRETS, Rule.INSTRUCTIONS, Rule.LANGUAGES})

    @property
    def promised(self) -> frozenset[Rule]:
        """Rules that have something to judge. Losing documents is always judged: where the contract says nothing, by the settings."""
        said = {
            Rule.FRESHNESS: self.freshness_hours,
            Rule.DOCUMENT_COUNT: self.min_documents or self.max_documents,
            Rule.LOST_DOCUMENTS: True,
            Rule.UNREADABLE_SHARE: self.max_unreadable_share is not None,
            Rule.QUARANTINED_SHARE: self.max_quarantined_share is not None,
            Rule.REQUIRED_METADATA: self.required_metadata,
            Rule.FORMATS: self.formats,
            Rule.LANGUAGES: self.languages,
            Rule.SIZE_DRIFT: self.max_size_drift is not None,
            Rule.CENTROID_DRIFT: self.max_centroid_drift is not None,
            Rule.PERSONAL_DATA: self.personal_data is not PersonalData.ALLOW,
            Rule.SECRETS: self.secrets is not Suspicion.ALLOW,
            Rule.INSTRUCTIONS: self.instructions is not Suspicion.ALLOW,
        }
        return frozenset(rule for rule, is_said in said.items() if is_said)

    def _problems(self) -> Iterator[FieldProblem]:
        for name, most, unit in (
            ("freshness_hours", MAX_FRESHNESS_HOURS, "hours"),
            ("min_documents", MAX_DOCUMENTS, "documents"),
            ("max_documents", MAX_DOCUMENTS, "documents"),
        ):
            if not 0 <= getattr(self, name) <= most:
                yield FieldProblem(f"contract.{name}", "is out of range", f"0 to {most} {unit}; 0: nothing is promised")
        if 0 < self.max_documents < self.min_documents:
            yield FieldProblem("contract.max_documents", "is less than min_documents")
        for name in ("max_lost_share", "max_unreadable_share", "max_quarantined_share"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                yield FieldProblem(f"contract.{name}", "is out of range", "a share, 0 to 1")
        yield from self._drift_problems()
        for name, share in self.required_metadata.items():
            if not 0 <= share <= 1:
                yield FieldProblem(f"contract.required_metadata.{name}", "is out of range", "the share that may be without it, 0 to 1")
        if set(self.personal_kinds) - set(PERSONAL_KINDS):
            yield FieldProblem("contract.personal_kinds", "unknown kind", "one of " + ", ".join(PERSONAL_KINDS))
        if not all(map(_LANGUAGE.fullmatch, self.languages)):
            yield FieldProblem("contract.languages", "a code of two letters such as 'en'", "ISO 639-1")
        if not all(map(_FORMAT.fullmatch, self.formats)):
            yield FieldProblem("contract.formats", "a media type such as 'text/plain' or an extension such as '.md'")
        for name in ("restricted_to", "notify"):
            for subject in getattr(self, name):
                check_subject(subject, field=f"contract.{name}")

    def _drift_problems(self) -> Iterator[FieldProblem]:
        if self.max_size_drift is not None and self.max_size_drift < 0:
            yield FieldProblem("contract.max_size_drift", "is out of range", "a share of the mean length, 0 or more")
        if self.max_centroid_drift is not None and not 0 <= self.max_centroid_drift <= MAX_CENTROID_DRIFT:
            yield FieldProblem("contract.max_centroid_drift", "is out of range", "a cosine distance, 0 to 2")


NO_CONTRACT = ContractTerms()
"""What holds for a source whose owner promises nothing."""
CONTRACT = frozenset(each.name for each in fields(ContractTerms))


def contract_as_json(terms: ContractTerms) -> dict[str, object]:
    """The terms as JSON values; what is not promised is left out. `contract_from_json` is the inverse."""
    said = {name: getattr(terms, name) for name in sorted(CONTRACT) if getattr(terms, name) != getattr(NO_CONTRACT, name)}
    return {name: _plain(value) for name, value in said.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else value


def contract_from_json(raw: object, problems: list[FieldProblem]) -> ContractTerms:
    """The terms that `raw` says; None says none. What is wrong with them goes to `problems`, under names such as `contract.formats`."""
    if raw is None:
        return NO_CONTRACT
    if not isinstance(raw, Mapping):
        problems.append(FieldProblem("contract", "a mapping", "one of " + ", ".join(sorted(CONTRACT))))
        return NO_CONTRACT
    unknown_fields(raw, CONTRACT, problems, within="contract.")
    return _terms(raw, problems)


def _terms(raw: Mapping[str, object], wrong: list[FieldProblem]) -> ContractTerms:
    def whole(name: str, unit: str) -> int:
        return whole_number(f"contract.{name}", raw.get(name) or 0, unit, wrong)

    def share(name: str, unit: str = "share of documents, 0 to 1") -> float | None:
        return number(f"contract.{name}", raw.get(name), unit, wrong)

    def suspicion(name: str) -> Suspicion:
        return one_of(Suspicion, f"contract.{name}", raw.get(name) or Suspicion.ALLOW, Suspicion.ALLOW, wrong)

    try:
        return ContractTerms(
            freshness_hours=whole("freshness_hours", "hours"),
            min_documents=whole("min_documents", "documents"),
            max_documents=whole("max_documents", "documents"),
            max_lost_share=share("max_lost_share"),
            max_unreadable_share=share("max_unreadable_share"),
            max_quarantined_share=share("max_quarantined_share"),
            required_metadata=numbers("contract.required_metadata", raw.get("required_metadata"), "share without it, 0 to 1", wrong),
            formats=texts("contract.formats", raw.get("formats"), wrong),
            languages=texts("contract.languages", raw.get("languages"), wrong),
            max_size_drift=share("max_size_drift", "share of the mean length"),
            max_centroid_drift=share("max_centroid_drift", "cosine distance, 0 to 2"),
            personal_data=one_of(
                PersonalData, "contract.personal_data", raw.get("personal_data") or PersonalData.ALLOW, PersonalData.ALLOW, wrong
            ),
            personal_kinds=texts("contract.personal_kinds", raw.get("personal_kinds"), wrong),
            restricted_to=tuple(subjects("contract.restricted_to", raw.get("restricted_to"), wrong)),
            secrets=suspicion("secrets"),
            instructions=suspicion("instructions"),
            warn_only=tuple(
                one_of(Rule, "contract.warn_only", name, Rule.FORMATS, wrong)
                for name in texts("contract.warn_only", raw.get("warn_only"), wrong)
            ),
            notify=tuple(subjects("contract.notify", raw.get("notify"), wrong)),
        )
    except InvalidInput as error:
        wrong += error.problems
        return NO_CONTRACT
