"""A query and what bounds it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Moment:
    """A state of the catalog that was once the present.

    Attributes:
        revision: the last one that had been made then; 0 before the first.
        at: the time asked for, with a time zone; that of the revision where a revision was asked for.
        is_dated: whether a time was asked for. Else nobody is told `at`: it is when something changed, whoever may see what.
    """

    revision: int
    at: datetime
    is_dated: bool


@dataclass(frozen=True)
class Query:
    """A validated question. Limits are checked by `steps/authorise.py`'s caller, the service, from the settings.

    Attributes:
        text: what is asked.
        top_k: how many hits the caller gets.
        depth: how many hits a leg returns.
        sources: search only these sources; empty: all that are readable.
        at_least: the catalog revision that the answer must have reached; 0 when the caller does not say.
        explain: say of each hit why it stands where it does and why it may be read.
        as_of: answer from what was current then, for what may be read now; None: from what is current.
    """

    text: str
    top_k: int
    depth: int
    sources: tuple[str, ...] = ()
    at_least: int = 0
    explain: bool = False
    as_of: Moment | None = None

    @property
    def revision(self) -> int | None:
        """At which to read; None: now."""
        return None if self.as_of is None else self.as_of.revision
