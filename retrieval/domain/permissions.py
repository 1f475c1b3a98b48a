"""Who may read what: subjects, access policies, principals and the scope minted for one request. Deny beats allow."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from retrieval.domain.errors import InvalidInput

EVERYONE = "everyone"
LOCAL_ISSUER = "archivist"
MAX_SUBJECT_LENGTH = 320
"""Characters. Room for the longest e-mail address and a kind in front of it."""

_SUBJECT = re.compile(r"(user|group|app):[^\s:][^\s]*")


class PrincipalKind(StrEnum):
    """What is asking."""

    USER = "user"
    APP = "app"


def check_subject(subject: str, *, field: str = "subject") -> str:
    """The subject itself, if it is `everyone`, `user:<id>`, `group:<id>` or `app:<id>`. Compared byte by byte, never case-folded.

    Raises:
        InvalidInput: names `field`.
    """
    if subject == EVERYONE:
        return subject
    if len(subject) > MAX_SUBJECT_LENGTH:
        raise InvalidInput.of(field, "a subject is too long", limit=f"{MAX_SUBJECT_LENGTH} characters")
    if not _SUBJECT.fullmatch(subject):
        raise InvalidInput.of(field, "a subject is written 'everyone', 'user:<id>', 'group:<id>' or 'app:<id>'")
    return subject


@dataclass(frozen=True)
class AccessPolicy:
    """All grants of one document. No allowed subject means nobody reads it."""

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for subject in (*self.allow, *self.deny):
            check_subject(subject)

    @classmethod
    def of(cls, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> "AccessPolicy":
        return cls(frozenset(allow), frozenset(deny))

    @property
    def names_a_reader(self) -> bool:
        """False for a policy under which nobody could read, whoever asks."""
        return EVERYONE not in self.deny and bool(self.allow - self.deny)

    @property
    def fingerprint(self) -> str:
        """Equal for equal policies only: 64 hexadecimal digits over the sorted subjects."""
        lines = [f"allow {s}" for s in sorted(self.allow)] + [f"deny {s}" for s in sorted(self.deny)]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=32).hexdigest()

    def readable_by(self, subjects: frozenset[str]) -> bool:
        """The one rule: a denied subject never reads; otherwise one allowed subject suffices."""
        if subjects & self.deny:
            return False
        return bool(subjects & self.allow)


NOBODY = AccessPolicy()


@dataclass(frozen=True)
class Principal:
    """Who is asking, once authenticated."""

    id: str
    kind: PrincipalKind = PrincipalKind.USER
    issuer: str = LOCAL_ISSUER

    def __post_init__(self) -> None:
        check_subject(self.subject, field="principal")

    @property
    def subject(self) -> str:
        """What a grant must name to mean this principal. Other issuers' ids cannot collide with local ones."""
        if self.issuer == LOCAL_ISSUER:
            return f"{self.kind.value}:{self.id}"
        return f"{self.kind.value}:{self.issuer}|{self.id}"


@dataclass(frozen=True)
class AccessScope:
    """What one principal may read at one revision. Minted only in `steps/authorise.py`; never means 'all'.

    Attributes:
        principal: who asks.
        subjects: what the principal acts as: itself, its groups, `everyone`.
        classes: ids of the access classes readable to those subjects, ascending. Empty: nothing is readable.
        revision: the catalog revision at which this was true.
        readable_passages: how many current passages the classes hold.
    """

    principal: Principal
    subjects: frozenset[str]
    classes: tuple[int, ...]
    revision: int
    readable_passages: int

    @property
    def is_empty(self) -> bool:
        return not self.classes
