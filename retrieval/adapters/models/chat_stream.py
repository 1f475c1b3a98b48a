"""What adapters of models that word answers have in common: their limits, and the pieces of one call for a thread that waits for them."""

from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Any

import httpx

from retrieval.adapters.models.texts import encodable
from retrieval.adapters.resilience.cancellable import CancellableCalls
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.ports.generation import Piece, TextPiece

_CLOSE_SECONDS = 5.0
_MOST_TOKENS = 10**9


@dataclass(frozen=True)
class ChatLimits:
    """Most that is waited for and read in one call.

    Attributes:
        first_seconds: until the first piece.
        seconds: for one call, however many the caller has.
        response_bytes: of an answer.
        temperature: 0 for the likeliest words; nothing else is asked for at random.
    """

    first_seconds: float
    seconds: float
    response_bytes: int
    temperature: float


class ChatCalls:
    """Streamed calls of one provider.

    Args:
        failures: what its client raises.
        failure: what one of those says to a guard.
    """

    def __init__(
        self,
        name: str,
        http: httpx.AsyncClient,
        limits: ChatLimits,
        *,
        failures: tuple[type[Exception], ...],
        failure: Callable[[Exception], CallFailed],
    ) -> None:
        self._calls = CancellableCalls(name)
        self._http = http
        self._limits = limits
        self._failures = failures
        self._failure = failure

    def pieces(self, call: Callable[[float], AsyncGenerator[Piece, None]], *, timeout_seconds: float) -> Generator[Piece, None, None]:
        """What `call` yields; it is told how many seconds it has. Closing this ends the call. Raises CallFailed."""
        seconds = min(timeout_seconds, self._limits.seconds)
        try:
            yield from self._calls.stream(lambda: call(seconds), first_seconds=self._limits.first_seconds, timeout_seconds=seconds)
        except self._failures as error:
            failed = self._failure(error)
        else:
            return
        raise failed  # outside, so that it has no context: that holds the provider's words

    def close(self) -> None:
        self._calls.run(self._http.aclose, timeout_seconds=_CLOSE_SECONDS)
        self._calls.close()


def told(event: Any, *names: str) -> Any:  # noqa: ANN401 - clients check nothing of what they are sent
    """What stands in an event under these names, each within the one before; None where there is no such thing."""
    for name in names:
        event = getattr(event, name, None)
    return event


def text_piece(text: Any) -> TextPiece | None:  # noqa: ANN401 - the same
    """Of a text that an event brings; None for none. Raises CallFailed for what is no text."""
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise CallFailed("a text that is none")
    return TextPiece(encodable(text))


def token_count(number: Any) -> int:  # noqa: ANN401 - the same
    """As a provider tells it; 0 for what is no count."""
    is_count = isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= _MOST_TOKENS
    return int(number) if is_count else 0
