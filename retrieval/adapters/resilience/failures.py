"""How one call of a dependency failed, in the words that its guard decides by."""

from retrieval.domain.errors import ModelUnavailable


class CallFailed(ModelUnavailable):
    """A dependency did not give what it was asked for. The message names the dependency's fault only: no text, no key, no vendor's words.

    Attributes:
        cause: a few words for log lines, e.g. `status 503`.
        again: another call may succeed at once.
        unhealthy: it tells against the dependency; otherwise against this one request, or against ourselves.
        rest_seconds: for how long the dependency asked to be left alone; 0: it did not.
    """

    def __init__(self, cause: str, *, again: bool = False, unhealthy: bool = True, rest_seconds: float = 0.0) -> None:
        super().__init__(f"the model did not answer as it should: {cause}")
        self.cause = cause
        self.again = again
        self.unhealthy = unhealthy
        self.rest_seconds = rest_seconds
