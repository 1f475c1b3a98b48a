"""A query and what bounds it."""

from dataclasses import dataclass


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
    """

    text: str
    top_k: int
    depth: int
    sources: tuple[str, ...] = ()
    at_least: int = 0
    explain: bool = False
