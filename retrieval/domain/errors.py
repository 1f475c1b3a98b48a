"""The one error tree. Adapters translate vendors' errors into these; the API turns these into problem+json."""

from collections.abc import Sequence
from dataclasses import dataclass


class ArchivistError(Exception):
    """Anything Archivist raises on purpose. The message is fit to show to a person and holds no document text."""


@dataclass(frozen=True)
class FieldProblem:
    """One thing that is wrong with one field: what it must be, never the rejected value."""

    field: str
    problem: str
    limit: str | None = None

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" + (f" (limit: {self.limit})" if self.limit else "")


class InvalidInput(ArchivistError):
    """Input that breaks a rule or a limit; names every field at once."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, field: str, problem: str, *, limit: str | None = None) -> "InvalidInput":
        return cls([FieldProblem(field, problem, limit)])


class NotAuthenticated(ArchivistError):
    """No credential, or one that is unknown, expired or revoked: the three are one answer."""


class NotAuthorised(ArchivistError):
    """Authenticated, but the credential is not good for this route. Says nothing of any document: those are `NotReadable`."""


class TooManyRequests(ArchivistError):
    """A principal, or a client that failed to say who it is, asks more than its share."""

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BudgetExceeded(ArchivistError):
    """An answer could cost more than is left of a budget. Quotes cost nothing and are not refused by it.

    Attributes:
        limit: the budget with its unit, its period and when it starts anew.
    """

    def __init__(self, limit: str, *, retry_after_seconds: int) -> None:
        super().__init__(f"what is left of a budget does not suffice: {limit}")
        self.limit = limit
        self.retry_after_seconds = retry_after_seconds


class NotReadable(ArchivistError):
    """Absent or hidden: the two are one answer."""


class Unavailable(ArchivistError):
    """Something the request cannot do without is not there now; try again later."""

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class CatalogUnavailable(Unavailable):
    """The catalog cannot be read: nothing may be shown."""


class IdentityUnavailable(Unavailable):
    """The identity provider does not say with which keys it signs: a token can be neither accepted nor refused."""


class IndexUnavailable(Unavailable):
    """The index is being built, is owned by another process, or does not answer."""


class SourceUnavailable(Unavailable):
    """A source as a whole cannot be listed or reached: nothing of it is withdrawn."""


class ModelUnavailable(Unavailable):
    """A model that the service can do without did not answer: the next one takes its place and the response says `degraded`."""


class RevisionNotReached(Unavailable):
    """The index has not reached the revision the caller asked for within the deadline."""


class Conflict(ArchivistError):
    """The thing to change is not as the caller believed."""


class Moved(Conflict):
    """A thing that the caller may see has gone on: it is of another version, or in another state, than the change needs."""

    def __init__(self, what: str, *, state: str, version: int) -> None:
        super().__init__(f"{what} is {state} now, in version {version}: look again")
        self.state = state
        self.version = version


class Fenced(ArchivistError):
    """A newer run works on this source; this run must stop and has written nothing since."""


class ModelMismatch(ArchivistError):
    """A model's files are not the ones the settings name."""
