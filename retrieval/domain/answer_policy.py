"""What a source's owner says of answers that stand on it: how seldom they may be wrong, who reviews them, how old is too old."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.json_fields import number, one_of, subjects, typed, unknown_fields, whole_number
from retrieval.domain.permissions import check_subject

MAX_ACCEPTED_ERROR = 0.5
MAX_REVIEWERS = 100
MAX_SKILL_LENGTH = 64
MAX_REVIEW_HOURS = 24 * 366
MAX_AGE_DAYS = 100 * 366
MOST_AUTHORITY = 100


class RiskTier(StrEnum):
    """How bad a wrong answer is, least first."""

    LOW = "low"
    STANDARD = "standard"
    HIGH = "high"


class OnUnsupported(StrEnum):
    """What becomes of a sentence that nothing found supports: it is left out, shown as unsupported, or a person is asked."""

    DROP = "drop"
    FLAG = "flag"
    ESCALATE = "escalate"


class EscalationMode(StrEnum):
    """When a question that the service does not answer by itself goes to a person: always, if its asker wishes, or never."""

    AUTOMATIC = "automatic"
    ON_REQUEST = "on_request"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class AnswerTerms:
    """An owner's terms for answers.

    Attributes:
        accepted_error: the share of given answers that may be wrong, above 0 and at most .5; None: the service's setting for the tier.
        reviewers: subjects who look at what the service is unsure of; none: the source's owner.
        skill: what a reviewer must know, in the owner's word; empty: nothing particular.
        review_hours: within which a person should have decided; 0: the service's setting.
        max_age_days: age at which a document is too old to be relied on; 0: never.
        access_requests: whether the owner may be told that somebody would need to read the source.
        on_unsupported: None: the service's setting.
        authority: 0 to 100; of two sources that contradict each other the one with more is named first.
    """

    risk_tier: RiskTier = RiskTier.STANDARD
    accepted_error: float | None = None
    reviewers: tuple[str, ...] = ()
    skill: str = ""
    review_hours: int = 0
    max_age_days: int = 0
    access_requests: bool = False
    on_unsupported: OnUnsupported | None = None
    authority: int = 50

    def __post_init__(self) -> None:
        problems = self._problems()
        if problems:
            raise InvalidInput(problems)

    def _problems(self) -> list[FieldProblem]:
        problems = []
        if self.accepted_error is not None and not 0 < self.accepted_error <= MAX_ACCEPTED_ERROR:
            problems.append(FieldProblem("answers.accepted_error", "is out of range", f"above 0, at most {MAX_ACCEPTED_ERROR}"))
        if len(self.reviewers) > MAX_REVIEWERS:
            problems.append(FieldProblem("answers.reviewers", "too many subjects", f"{MAX_REVIEWERS} subjects"))
        for subject in self.reviewers:
            check_subject(subject, field="answers.reviewers")
        if len(self.skill) > MAX_SKILL_LENGTH:
            problems.append(FieldProblem("answers.skill", "is too long", f"{MAX_SKILL_LENGTH} characters"))
        for name, most, unit in (
            ("review_hours", MAX_REVIEW_HOURS, "hours"),
            ("max_age_days", MAX_AGE_DAYS, "days"),
            ("authority", MOST_AUTHORITY, "points"),
        ):
            if not 0 <= getattr(self, name) <= most:
                problems.append(FieldProblem(f"answers.{name}", "is out of range", f"0 to {most} {unit}"))
        return problems


@dataclass(frozen=True, kw_only=True)
class AnswerPolicy(AnswerTerms):
    """The terms of one source."""

    source: str

    @classmethod
    def of(cls, source: str, terms: AnswerTerms) -> "AnswerPolicy":
        return cls(source=source, **{each.name: getattr(terms, each.name) for each in fields(AnswerTerms)})


def strictest_tier(policies: Iterable[AnswerPolicy]) -> RiskTier:
    """Of the sources that an answer stands on; without any, the usual one."""
    return max((policy.risk_tier for policy in policies), key=list(RiskTier).index, default=RiskTier.STANDARD)


UNSAID = AnswerTerms()
"""What holds for a source whose owner says nothing."""
TERMS = frozenset(each.name for each in fields(AnswerTerms))


def terms_as_json(terms: AnswerTerms) -> dict[str, object]:
    """The terms as JSON values; what is left to the service is left out. `terms_from_json` is the inverse."""
    said: dict[str, object] = {
        "risk_tier": terms.risk_tier.value,
        "accepted_error": terms.accepted_error,
        "reviewers": list(terms.reviewers),
        "skill": terms.skill,
        "review_hours": terms.review_hours,
        "max_age_days": terms.max_age_days,
        "access_requests": terms.access_requests,
        "on_unsupported": None if terms.on_unsupported is None else terms.on_unsupported.value,
        "authority": terms.authority,
    }
    return {name: value for name, value in said.items() if value is not None}


def terms_from_json(raw: object, problems: list[FieldProblem]) -> AnswerTerms:
    """The terms that `raw` says; None says none. What is wrong with them goes to `problems`, under names such as `answers.skill`."""
    if raw is None:
        return UNSAID
    if not isinstance(raw, Mapping):
        problems.append(FieldProblem("answers", "a mapping", "one of " + ", ".join(sorted(TERMS))))
        return UNSAID
    unknown_fields(raw, TERMS, problems, within="answers.")
    return _terms(raw, problems)


def _terms(raw: Mapping[str, object], wrong: list[FieldProblem]) -> AnswerTerms:
    unsupported = raw.get("on_unsupported")
    try:
        return AnswerTerms(
            risk_tier=one_of(RiskTier, "answers.risk_tier", raw.get("risk_tier", RiskTier.STANDARD), RiskTier.STANDARD, wrong),
            accepted_error=number("answers.accepted_error", raw.get("accepted_error"), "share of answers", wrong),
            reviewers=tuple(subjects("answers.reviewers", raw.get("reviewers"), wrong)),
            skill=typed(str, "answers.skill", raw.get("skill"), "", wrong),
            review_hours=whole_number("answers.review_hours", raw.get("review_hours", 0), "hours", wrong),
            max_age_days=whole_number("answers.max_age_days", raw.get("max_age_days", 0), "days", wrong),
            access_requests=typed(bool, "answers.access_requests", raw.get("access_requests"), default=False, problems=wrong),
            on_unsupported=None
            if unsupported is None
            else one_of(OnUnsupported, "answers.on_unsupported", unsupported, OnUnsupported.DROP, wrong),
            authority=whole_number("answers.authority", raw.get("authority", AnswerTerms.authority), "points", wrong),
        )
    except InvalidInput as error:
        wrong += error.problems
        return UNSAID
