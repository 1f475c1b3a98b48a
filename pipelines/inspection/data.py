"""A value that an inspection found."""

from dataclasses import dataclass

from retrieval.domain.documents import Span


@dataclass(frozen=True, order=True)
class PersonalDatum:
    """One value. `kind` as in `contracts.PERSONAL_KINDS`."""

    span: Span
    kind: str
