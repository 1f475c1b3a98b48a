"""Who may read what: subjects, access policies, principals and the scope minted for one request. Deny beats allow."""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from retrieval.domain.errors import InvalidInput

EVERYONE = "everyone"
LOCAL_ISSUER = "archivist"
MAX_SUBJECT_LENGTH = 1024
"""Characters. Room for a kind, the URL of an issuer and the 255 characters of an OpenID Connect subject."""
ISSUER_SEPARATOR = "|"
"""Between a foreign issuer and its id. Neither an issuer nor a local id holds one, so a subject can be read in one way only."""

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
    """Who is asking, once authenticated, and what the credential itself says of its reach.

    Attributes:
        id: immutable within the issuer; compared byte by byte. Never an e-mail address.
        issuer: `archivist` for local principals, else the URL of the identity provider.
        groups: group subjects that the credential vouches for, beside those of the directory.
        sources: the only sources that the credential is good for; None: no restriction.
        through: the application that asks on this principal's behalf. What it may not see, it does not get.
    """

    id: str
    kind: PrincipalKind = PrincipalKind.USER
    issuer: str = LOCAL_ISSUER
    groups: frozenset[str] = frozenset()
    sources: frozenset[str] | None = None
    through: "Principal | None" = None

    def __post_init__(self) -> None:
        if ISSUER_SEPARATOR in (self.id if self.issuer == LOCAL_ISSUER else self.issuer):
            raise InvalidInput.of("principal", f"holds a '{ISSUER_SEPARATOR}', which stands between an issuer and its ids")
        check_subject(self.subject, field="principal")
        if self.through is not None and (self.through.kind is not PrincipalKind.APP or self.kind is not PrincipalKind.USER):
            raise InvalidInput.of("principal", "only an application asks on behalf, and only on a user's")

    @property
    def subject(self) -> str:
        """What a grant must name to mean this principal. Other issuers' ids cannot collide with local ones."""
        return subject_of(self.kind.value, self.id, issuer=self.issuer)

    @classmethod
    def of_subject(cls, subject: str) -> "Principal | None":
        """The inverse: from `user:ann`, `app:intranet` or `user:<issuer>|<id>`; None for a subject that asks nothing, such as a group."""
        kind, _, name = subject.partition(":")
        if kind not in set(PrincipalKind) or not name:
            return None
        issuer, separator, id_ = name.partition(ISSUER_SEPARATOR)
        return cls(id_, PrincipalKind(kind), issuer) if separator else cls(name, PrincipalKind(kind), LOCAL_ISSUER)

    @property
    def reach(self) -> frozenset[str] | None:
        """The sources that this credential and that of the application both are good for; None: no restriction."""
        mine, theirs = self.sources, self.through.sources if self.through is not None else None
        if mine is None or theirs is None:
            return mine if theirs is None else theirs
        return mine & theirs


def subject_of(kind: str, id_: str, *, issuer: str = LOCAL_ISSUER) -> str:
    """How a grant names a user, group or application of an issuer: `user:ann`, `group:https://login.example|7f3a`."""
    return f"{kind}:{id_}" if issuer == LOCAL_ISSUER else f"{kind}:{issuer}{ISSUER_SEPARATOR}{id_}"


@dataclass(frozen=True)
class AccessScope:
    """What one principal may read at one revision. Minted only in `steps/authorise.py`; never means 'all'.

    Attributes:
        principal: who asks.
        classes: ids of the access classes readable to the principal, ascending. Empty: nothing is readable.
        revision: the catalog revision at which this was true.
        readable_passages: how many current passages the classes hold.
        as_of: read what was current at this revision, of what the classes hold now; None: what is current.
    """

    principal: Principal
    classes: tuple[int, ...]
    revision: int
    readable_passages: int
    as_of: int | None = None

    @property
    def is_empty(self) -> bool:
        return not self.classes

    def reads(self, access_class: int) -> bool:
        at = bisect_left(self.classes, access_class)
        return at < len(self.classes) and self.classes[at] == access_class
