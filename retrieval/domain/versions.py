"""Going back to earlier versions: what is asked for, and what it would change."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.ingestion import SourceRun

_TARGETS = ("revision", "at", "before_run", "undo_run", "version")


@dataclass(frozen=True, kw_only=True)
class RollbackRequest:
    """What to go back to. Permissions are never part of it: readers stay those of now.

    Exactly one of `revision`, `at`, `before_run`, `undo_run` and `version` is given.

    Attributes:
        source: id of the source.
        document: id of the only document to change, attachments included; None: all of the source.
        revision: the catalog's revision whose state is wanted.
        at: the moment whose state is wanted.
        before_run: the run before whose first change the wanted state was.
        undo_run: the run whose own changes are taken back; what later runs changed again stays.
        version: number of the version of `document` that is wanted.
        bring_back: bring withdrawn documents back, too. Attachments come back with what they are attached to.
    """

    source: str
    document: str | None = None
    revision: int | None = None
    at: datetime | None = None
    before_run: str | None = None
    undo_run: str | None = None
    version: int | None = None
    bring_back: bool = False

    def __post_init__(self) -> None:
        given = [name for name in _TARGETS if getattr(self, name) is not None]
        if len(given) != 1:
            raise InvalidInput([FieldProblem(name, "give exactly one of them") for name in given or _TARGETS])
        if self.version is not None and self.document is None:
            raise InvalidInput.of("document", "is required with a version")


class RollbackKind(StrEnum):
    """What becomes of one document."""

    RESTORED = "restored"
    BROUGHT_BACK = "brought back"
    WITHDRAWN = "withdrawn"


class RollbackRefusal(StrEnum):
    """Why a document cannot go back."""

    REMOVED = "its version of then has been removed"
    NOT_EMBEDDED = "its version of then has no embeddings under the live model"
    RECALLED = "its version of then has been recalled"


@dataclass(frozen=True)
class RollbackChange:
    """One document that goes back, or cannot. Numbers of versions; None: it has no current version."""

    document: str
    key: str
    kind: RollbackKind
    from_number: int | None
    to_number: int | None
    refused: RollbackRefusal | None = None


@dataclass(frozen=True)
class RollbackPlan:
    """What a rollback would change.

    Attributes:
        changes: in the order of their keys, refused ones included.
        left_withdrawn: documents withdrawn since that are not asked back.
    """

    source: str
    changes: tuple[RollbackChange, ...]
    left_withdrawn: int = 0

    @property
    def refused(self) -> tuple[RollbackChange, ...]:
        return tuple(change for change in self.changes if change.refused is not None)

    @property
    def counts(self) -> Mapping[str, int]:
        """Documents by what becomes of them."""
        counted = Counter(change.kind.value for change in self.changes if change.refused is None)
        return {**{kind.value: counted[kind.value] for kind in RollbackKind}, "refused": len(self.refused)}

    def without_refused(self) -> "RollbackPlan":
        return replace(self, changes=tuple(change for change in self.changes if change.refused is None))


@dataclass(frozen=True)
class RolledBack:
    """A rollback that was made, at `revision`. `run` may bring the graph to it."""

    plan: RollbackPlan
    revision: int
    run: SourceRun


@dataclass(frozen=True)
class HeldDocument:
    """A document that a rollback keeps from what its source says. `is_absent`: the source lacks it."""

    document: str
    key: str
    is_absent: bool
    held_at: str
    held_by: str


@dataclass(frozen=True)
class VersionInTime:
    """One version of a document, and when it was current.

    Attributes:
        state: current or superseded; others are nobody's to read.
        characters: of its text.
        times: from when to when it was current, ISO 8601 in UTC; the second is None while it is.
    """

    id: str
    number: int
    state: str
    content_hash: str
    title: str
    published_at: str | None
    characters: int
    times: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class DocumentHistory:
    """The versions of a document that a principal may read, newest first. `access_class` and `revision` are for the audit log."""

    document: str
    source: str
    versions: tuple[VersionInTime, ...]
    access_class: int
    revision: int


@dataclass(frozen=True)
class VersionTexts:
    """The texts of two versions of one document, in the order that was asked for."""

    history: DocumentHistory
    before: str
    after: str
