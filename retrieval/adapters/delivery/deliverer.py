"""What happens to escalations by themselves: claims lapse, questions expire, and whoever waits is told. In one process at a time."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from retrieval.domain.clock import Clock, stamp
from retrieval.ports.delivery import Channel, Message, Outbox, Sender, Undelivered, WorkLease
from retrieval.ports.reviewing import EscalationSweep
from retrieval.settings import Settings

LEASE = "escalations"
LEASE_SECONDS = 60.0
"""Longer than one message takes. A message that is sent by two processes all the same has one id."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Deliverer:
    """Messages are sent at least once, with an id that stays the same; each escalation has one for each channel.

    Attributes:
        outboxes: of escalations, contracts and recalls, each asked for a batch.
        senders: one for each channel that messages are made for.
        holder: names this process among those that share the catalog.
        jitter: what share of a pause is kept, .5 to 1, at random so that many that failed together do not come back together.
    """

    settings: Settings
    sweep: EscalationSweep
    outboxes: Sequence[Outbox]
    senders: Mapping[Channel, Sender]
    lease: WorkLease
    clock: Clock
    holder: str
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.5, 1))  # noqa: S311 - no secret depends on it

    def work(self) -> None:
        """Everything that is due now, up to the batch that the settings name. Raises CatalogUnavailable."""
        if not self._is_mine():
            return
        self.sweep.lapse()
        self.sweep.expire()
        self.sweep.forget()
        for outbox in self.outboxes:
            for message in outbox.due(count=self.settings.escalation_batch):
                if not self._is_mine():
                    return
                self._send(outbox, message)

    def _is_mine(self) -> bool:
        return self.lease.take(LEASE, holder=self.holder, seconds=LEASE_SECONDS)

    def _send(self, outbox: Outbox, message: Message) -> None:
        try:
            self.senders[message.channel].send(message)
        except Undelivered as failure:
            self._failed(outbox, message, failure)
        else:
            outbox.sent(message)

    def _failed(self, outbox: Outbox, message: Message, failure: Undelivered) -> None:
        attempts = message.attempts + 1
        is_last = failure.is_final or attempts >= self.settings.webhook_attempts
        again = None if is_last else stamp(self.clock.now() + timedelta(seconds=self._pause_seconds(attempts)))
        outbox.failed(message, str(failure), next_attempt_at=again)
        told = {"message_id": message.id, "channel": message.channel.value, "attempts": attempts, "reason": str(failure)}
        _log.warning("escalation_message_given_up" if is_last else "escalation_message_failed", **told)

    def _pause_seconds(self, attempts: int) -> float:
        doubled = self.settings.webhook_first_pause_seconds * 2.0 ** min(attempts - 1, 60)
        return min(doubled, self.settings.webhook_longest_pause_seconds) * self.jitter()
