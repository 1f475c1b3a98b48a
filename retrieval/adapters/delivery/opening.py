"""The deliverer of one process, wired."""

import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.delivery.deliverer import Deliverer
from retrieval.adapters.delivery.email import EmailSender
from retrieval.adapters.delivery.webhook import WebhookSender
from retrieval.domain.clock import Clock
from retrieval.ports.delivery import Channel, Sender
from retrieval.settings import Settings


@contextmanager
def open_deliverer(settings: Settings, catalog: Catalog, clock: Clock) -> Iterator[Deliverer]:
    """Its `work` is to be called again and again. What it sends with is closed at the end."""
    with closing(WebhookSender(catalog.webhooks, settings, clock)) as webhook:
        senders: Mapping[Channel, Sender] = {
            Channel.WEBHOOK: webhook,
            Channel.EMAIL: EmailSender(catalog.directory, settings, clock),
        }
        holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        outboxes = (catalog.escalation_outbox, catalog.contract_notices, catalog.recall_notices)
        yield Deliverer(settings, catalog.escalation_sweep, outboxes, senders, catalog.leases, clock, holder)
