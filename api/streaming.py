"""Server-sent events (WHATWG HTML, section 9.2) out of an iterator that may wait: each event leaves as soon as there is one.

What goes wrong before the first event is an ordinary error response; afterwards it is an event of its own, `error`, and the last one.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True)
class Event:
    """One event. `data` is JSON, so it holds no line break of its own."""

    name: str
    data: str

    @classmethod
    def of(cls, name: str, body: BaseModel) -> "Event":
        return cls(name, body.model_dump_json())

    def encoded(self) -> bytes:
        return f"event: {self.name}\ndata: {self.data}\n\n".encode()


def event_stream(events: Iterator[Event], *, failed: Callable[[Exception], Event]) -> StreamingResponse:
    """Begins the work and responds once there is a first event. Whoever goes away meanwhile ends it.

    Args:
        events: at least one; closed at the end.
        failed: what to say of an error after the first event.

    Raises:
        Exception: whatever the iterator raises before its first event.
    """
    first = next(events)
    return StreamingResponse(_sent(first, events, failed), media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


async def _sent(first: Event, events: Iterator[Event], failed: Callable[[Exception], Event]) -> AsyncIterator[bytes]:
    try:
        event: Event | None = first
        while event is not None:
            yield event.encoded()
            event = await run_in_threadpool(_next, events, failed)
            if event is not None and event.name == ERROR:
                yield event.encoded()
                return
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            await run_in_threadpool(close)


ERROR = "error"


def _next(events: Iterator[Event], failed: Callable[[Exception], Event]) -> Event | None:
    try:
        return next(events, None)
    except Exception as error:  # noqa: BLE001 - the status has been sent: all that is left is to say that it failed
        return failed(error)
