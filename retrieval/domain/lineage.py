"""Lineage both ways: what an answer stands on, and who was shown what a run published. Ids, times and hashes, never a text."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TracedVersion:
    """A version and how it came to be.

    Attributes:
        state: as versions have it; `erased` for one that the catalog does not know any more.
        recipe: names parser, chunker and their limits.
        published_run: which run made it visible first; None: none that is known.
        passages: ids of those that were handed over, where it is about one answer.
        quoted: those among them that the answer cites.
    """

    id: str
    document: str
    source: str
    number: int
    state: str
    content_hash: str
    recipe: str
    published_run: str | None
    published_at: str | None
    passages: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()


@dataclass(frozen=True)
class TracedAnswer:
    """An answer, or a retrieval, and everything that it was made of.

    Attributes:
        request_id: by which it was given.
        action: `answer` or `retrieve`.
        person: whom it was given to; `application`: through which, None for none.
        revision: the catalog's at which the gate was passed.
        model: by which the query was embedded.
        generator: what worded it; None for a retrieval.
        calibration: what told its confidence.
        seq: of its record in the audit log.
    """

    request_id: str
    action: str
    at: str
    person: str
    application: str | None
    outcome: str
    revision: int
    index_revision: int | None
    model: str | None
    generator: str | None
    prompt: str | None
    calibration: str | None
    curated: str | None
    escalation: str | None
    versions: tuple[TracedVersion, ...]
    seq: int


@dataclass(frozen=True)
class Showing:
    """One time that somebody was shown something of a document.

    Attributes:
        request_id: None for what is done without a request, such as an export.
        quoted: whether an answer cited the document, not only was handed it.
        seq: of its record in the audit log.
    """

    seq: int
    at: str
    action: str
    outcome: str
    person: str
    application: str | None
    request_id: str | None
    document: str
    version: str | None
    quoted: bool


@dataclass(frozen=True)
class TracedRun:
    """A run of a source and what it published, with who was shown it, newest first.

    Attributes:
        spec_version: of the source's registration that it worked by.
        has_more_versions, has_more_showings: the lists were cut.
    """

    id: str
    source: str
    spec_version: int
    started_at: str
    finished_at: str | None
    outcome: str | None
    versions: tuple[TracedVersion, ...]
    showings: tuple[Showing, ...]
    has_more_versions: bool
    has_more_showings: bool


@dataclass(frozen=True)
class TracedDocument:
    """A document's versions, newest first, and who was shown any of them."""

    id: str
    source: str
    versions: tuple[TracedVersion, ...]
    showings: tuple[Showing, ...]
    has_more_versions: bool
    has_more_showings: bool


def people_shown(showings: Sequence[Showing]) -> tuple[str, ...]:
    """Each person once, in alphabetical order."""
    return tuple(sorted({showing.person for showing in showings}))
