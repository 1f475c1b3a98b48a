"""Answers in time: at most so many requests inside, and none of them answered later than its deadline.

A thread cannot be stopped. When the deadline passes, the caller is told so at once; what its request had begun runs on to its end and
its answer is dropped. Until that end it keeps its place among the requests inside and the slots of its principal, so work that nobody
waits for is never more than the work that is allowed. A write may so be carried out after its caller was told 503: its
Idempotency-Key tells, when it is sent again. A request that still waits for its turn when its deadline passes is never begun.
"""

import asyncio
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import LATE, OVERLOADED
from api.limits import SLOTS

_logger = structlog.get_logger("api.deadlines")
_GIVEN_UP = "given_up"
UNCOUNTED = frozenset({"/healthz", "/readyz"})
"""Asked by what watches over the service, which must hear from it just when it is busy."""


class Deadline:
    """Answers 503 when the application has not begun to answer after `seconds`."""

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_in_time(message: Message) -> None:
            nonlocal begun
            if not scope["state"].get(_GIVEN_UP):
                begun = True
                await send(message)

        async def answer() -> None:
            await self._app(scope, receive, send_in_time)

        work = asyncio.create_task(answer())
        await asyncio.wait({work}, timeout=self._seconds)
        if work.done() or begun:
            await work
            return
        scope["state"][_GIVEN_UP] = True
        self._let_run_on(work, scope["state"]["request_id"])
        await LATE.response(scope["state"]["request_id"])(scope, receive, send)

    def _let_run_on(self, work: "asyncio.Task[None]", request_id: str) -> None:
        since = time.perf_counter()
        self._running.add(work)

        def ended(work: "asyncio.Task[None]") -> None:
            self._running.discard(work)
            error = None if work.cancelled() else work.exception()
            late_by = round(self._seconds + time.perf_counter() - since, 2)
            _logger.warning("late_request_ended", request_id=request_id, seconds=late_by, error=error and type(error).__name__)

        work.add_done_callback(ended)


class Admission:
    """Lets `working` requests work and `waiting` more wait for their turn, first come, first served; whoever comes then is told 503."""

    def __init__(self, app: ASGIApp, *, working: int, waiting: int) -> None:
        self._app = app
        self._most = working + waiting
        self._inside = 0
        self._turns = asyncio.Semaphore(working)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNCOUNTED:
            await self._app(scope, receive, send)
            return
        if self._inside >= self._most:
            await OVERLOADED.response(scope["state"]["request_id"])(scope, receive, send)
            return
        self._inside += 1
        try:
            async with self._turns:
                if not scope["state"].get(_GIVEN_UP):
                    await self._app(scope, receive, send)
        finally:
            self._inside -= 1
            for give_back in scope["state"].pop(SLOTS, ()):
                give_back()
