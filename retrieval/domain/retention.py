"""How long the versions that readers no longer see are kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.json_fields import unknown_fields, whole_number

MAX_VERSIONS = 10_000
MAX_DAYS = 36_600
_FIELDS = frozenset({"keep_versions", "keep_days"})


@dataclass(frozen=True)
class RetentionTerms:
    """What is kept of each document besides its current version. A version goes when neither term keeps it.

    Attributes:
        keep_versions: the newest so many stay, however old they are; None: the service's default.
        keep_days: those that were current within so many days stay, however many they are; None: the service's default.
    """

    keep_versions: int | None = None
    keep_days: int | None = None

    def __post_init__(self) -> None:
        problems = [
            FieldProblem(f"retention.{name}", "is out of range", f"0 to {most} {unit}")
            for name, value, most, unit in (
                ("keep_versions", self.keep_versions, MAX_VERSIONS, "versions"),
                ("keep_days", self.keep_days, MAX_DAYS, "days"),
            )
            if value is not None and not 0 <= value <= most
        ]
        if problems:
            raise InvalidInput(problems)

    def or_default(self, default: "RetentionTerms") -> "RetentionTerms":
        """With the default's terms where these say nothing."""
        return RetentionTerms(
            default.keep_versions if self.keep_versions is None else self.keep_versions,
            default.keep_days if self.keep_days is None else self.keep_days,
        )


DEFAULT_TERMS = RetentionTerms()
"""What holds for a source whose owner says nothing."""


@dataclass(frozen=True)
class RetentionCounts:
    """What is beyond its term: would be removed, or has been. Embeddings, texts and contents only where nothing else uses them."""

    documents: int = 0
    versions: int = 0
    passages: int = 0
    embeddings: int = 0
    texts: int = 0
    contents: int = 0

    def plus(self, other: "RetentionCounts") -> "RetentionCounts":
        return RetentionCounts(**{name: count + getattr(other, name) for name, count in vars(self).items()})


def retention_as_json(terms: RetentionTerms) -> dict[str, object]:
    """The terms as JSON values; what is left to the service is left out. `retention_from_json` is the inverse."""
    return {name: value for name, value in vars(terms).items() if value is not None}


def retention_from_json(raw: object, problems: list[FieldProblem]) -> RetentionTerms:
    """The terms that `raw` says; None says none. What is wrong with them goes to `problems`, under names such as `retention.keep_days`."""
    if raw is None:
        return DEFAULT_TERMS
    if not isinstance(raw, Mapping):
        problems.append(FieldProblem("retention", "a mapping", "one of " + ", ".join(sorted(_FIELDS))))
        return DEFAULT_TERMS
    unknown_fields(raw, _FIELDS, problems, within="retention.")
    versions, days = (
        None if raw.get(name) is None else whole_number(f"retention.{name}", raw[name], unit, problems)
        for name, unit in (("keep_versions", "versions"), ("keep_days", "days"))
    )
    try:
        return RetentionTerms(versions, days)
    except InvalidInput as error:
        problems += error.problems
        return DEFAULT_TERMS
