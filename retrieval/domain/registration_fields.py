"""The fields that every source's form has. What a kind of source adds to them is in `source_kinds`."""

from collections.abc import Mapping
from enum import StrEnum

from retrieval.domain.answer_policy import UNSAID, OnUnsupported, RiskTier
from retrieval.domain.contracts import NO_CONTRACT, PERSONAL_KINDS, PersonalData, Rule, Suspicion
from retrieval.domain.form_fields import FieldType, FormField, Section, Value
from retrieval.domain.sources import Classification, StalePermissions

_TEXT, _LIST, _WHOLE, _NUMBER, _SWITCH = FieldType


def _default(terms: object, name: str) -> Value | None:
    """What the terms say of a field when its owner says nothing."""
    value = getattr(terms, name)
    if isinstance(value, StrEnum):
        return value.value
    return () if isinstance(value, tuple | Mapping) else value


def _each(choices: type[StrEnum]) -> tuple[str, ...]:
    return tuple(choice.value for choice in choices)


def _answers(name: str, type_: FieldType, description: str, *, example: Value | None = None, choices: tuple[str, ...] = ()) -> FormField:
    return FormField(name, type_, description, "answers", default=_default(UNSAID, name), example=example, choices=choices)


def _contract(name: str, type_: FieldType, description: str, *, example: Value | None = None, choices: tuple[str, ...] = ()) -> FormField:
    return FormField(name, type_, description, "contract", default=_default(NO_CONTRACT, name), example=example, choices=choices)


DRY_RUN = FormField(
    "dry_run",
    _SWITCH,
    "true: look at the source and show what would happen, register nothing. false: register it; it is read within seconds after.",
    default=True,
)
IDENTITY = (
    FormField(
        "id",
        _TEXT,
        "Name of the source in addresses: lower-case letters, digits and hyphens, 2 to 63. The id of a source that is there changes it.",
        required=True,
        example="finance-handbook",
    ),
    FormField("title", _TEXT, "Name that people recognise.", required=True, example="Finance handbook"),
    FormField("owner", _TEXT, "Who answers for it: 'user:dana' or 'group:finance'.", required=True, example="group:finance"),
)
READERS = Section(
    "Who may read it",
    (
        FormField(
            "rules",
            _LIST,
            "Who may read what, one rule a line: 'finance/**: allow group:finance, user:ann; deny user:bob'. "
            "The first matching rule says who is allowed; every matching rule says who is denied. "
            "No rule, no .permissions.yaml: nobody reads.",
            default=(),
            example=("**: allow group:finance",),
        ),
        FormField(
            "classification",
            _TEXT,
            "How sensitive its documents are.",
            default=Classification.INTERNAL.value,
            choices=_each(Classification),
        ),
        FormField(
            "region",
            _TEXT,
            "Where its documents may be read: only by those whose regions name it; empty: anywhere.",
            default="",
            example="eu",
        ),
        FormField(
            "max_permission_age_hours",
            _WHOLE,
            "Hours after which the permissions that were last read are not believed any more; 0: the service's default.",
            default=0,
            example=24,
        ),
        FormField(
            "stale_permissions",
            _TEXT,
            "What happens then: 'withhold' hides the documents from everybody, 'warn' marks the answers.",
            default=StalePermissions.WITHHOLD.value,
            choices=_each(StalePermissions),
        ),
    ),
)
READING = Section(
    "When it is read, and what is kept",
    (
        FormField(
            "schedule", _TEXT, "When it is read again: five fields of cron in UTC; empty: on demand only.", default="", example="0 3 * * *"
        ),
        FormField(
            "keep_versions",
            _WHOLE,
            "Old versions of each document that are kept, however old; unsaid: as the service says.",
            "retention",
            example=5,
        ),
        FormField(
            "keep_days",
            _WHOLE,
            "Days for which they are kept, however many; unsaid: as the service says.",
            "retention",
            example=365,
        ),
    ),
)
ANSWERS = Section(
    "Answers that stand on it",
    (
        _answers("risk_tier", _TEXT, "How bad a wrong answer is.", choices=_each(RiskTier)),
        _answers(
            "accepted_error", _NUMBER, "Share of given answers that may be wrong, at most .5; unsaid: as the tier says.", example=0.05
        ),
        _answers("reviewers", _LIST, "Who looks at what the service is unsure of; none: the owner.", example=("group:finance", "user:ann")),
        _answers("skill", _TEXT, "What a reviewer must know, in your own word.", example="tax"),
        _answers("review_hours", _WHOLE, "Hours within which a person should decide; 0: the service's default.", example=24),
        _answers("max_age_days", _WHOLE, "Days after which a document is too old to rely on; 0: never.", example=730),
        _answers("access_requests", _SWITCH, "Whether you are told when somebody would need to read the source."),
        _answers(
            "on_unsupported",
            _TEXT,
            "What becomes of a sentence that nothing supports; unsaid: as the service says.",
            choices=_each(OnUnsupported),
        ),
        _answers("authority", _WHOLE, "0 to 100: of two sources that contradict each other the one with more is named first."),
    ),
)
CONTRACT = Section(
    "What you promise of its documents. A broken promise keeps what is new from being published; what is there stays",
    (
        _contract("freshness_hours", _WHOLE, "Hours within which it must have been read; 0: not promised.", example=48),
        _contract("min_documents", _WHOLE, "Fewest documents; 0: not promised.", example=100),
        _contract("max_documents", _WHOLE, "Most documents; 0: not promised.", example=10_000),
        _contract("max_lost_share", _NUMBER, "Share of its readable documents that may be gone at once, 0 to 1.", example=0.2),
        _contract("max_unreadable_share", _NUMBER, "Share of documents whose permissions name no reader, 0 to 1.", example=0.05),
        _contract("max_quarantined_share", _NUMBER, "Share of documents that could not be parsed, 0 to 1.", example=0.05),
        _contract("required_metadata", _LIST, "Metadata and the share of documents that may lack it.", example=("author: 0.1",)),
        _contract("formats", _LIST, "The only formats taken, as extensions or media types; none: every one.", example=(".pdf", ".docx")),
        _contract("languages", _LIST, "The only languages, as codes of two letters; none: every one.", example=("en", "de")),
        _contract("max_size_drift", _NUMBER, "Share by which the mean length of a document may change between two runs.", example=0.5),
        _contract("max_centroid_drift", _NUMBER, "Cosine distance, 0 to 2, by which the mean embedding may change.", example=0.2),
        _contract("personal_data", _TEXT, "What becomes of documents that hold personal data.", choices=_each(PersonalData)),
        _contract("personal_kinds", _LIST, "Kinds of personal data that count; none: all.", choices=PERSONAL_KINDS),
        _contract("restricted_to", _LIST, "Who still reads them under 'restrict'; none: the owner.", example=("group:privacy",)),
        _contract("secrets", _TEXT, "What becomes of documents that hold passwords and keys.", choices=_each(Suspicion)),
        _contract("instructions", _TEXT, "What becomes of documents that read like orders to a model.", choices=_each(Suspicion)),
        _contract("warn_only", _LIST, "Promises that keep nothing from being published.", choices=_each(Rule)),
        _contract("notify", _LIST, "Who is told when a promise is broken; none: the owner.", example=("user:dana",)),
    ),
)
