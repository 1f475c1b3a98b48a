"""`as_of`, as requests write it: a time with a zone, or the consistency token of an earlier response."""

from datetime import UTC, datetime

from api.consistency import TOKEN_CHARACTERS
from api.dependencies import Parts
from retrieval.domain.errors import InvalidInput
from retrieval.domain.queries import Moment


def moment_of(parts: Parts, as_of: str | None) -> Moment | None:
    """The state that is asked of; None where what is current is.

    Raises:
        InvalidInput: names `as_of`: it is neither, lies in the future, or before what is kept.
        RevisionNotReached: the catalog that answers has not come as far as the token.
    """
    if as_of is None:
        return None
    history = parts.wiring.catalog.history
    if len(as_of) == TOKEN_CHARACTERS:  # no time is as long
        return history.of_revision(parts.tokens.open(as_of, field="as_of"))
    return history.at(_time(as_of))


def _time(written: str) -> datetime:
    try:
        found = datetime.fromisoformat(written)
        if found.tzinfo is not None and "T" in written:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidInput.of("as_of", "is neither a time with a zone nor a consistency token", limit="such as 2026-03-01T09:00:00Z")
