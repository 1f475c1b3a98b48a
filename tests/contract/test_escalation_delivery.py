"""What happens by itself: claims lapse, questions expire, whoever waits is told by real HTTP and SMTP, and old ones are forgotten."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email import message_from_string
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.tables import audit, deliveries, directory, escalation_events, escalations, webhooks
from retrieval.adapters.delivery.deliverer import LEASE_SECONDS, Deliverer
from retrieval.adapters.delivery.email import EmailSender
from retrieval.adapters.delivery.signing import new_secret, secret_bytes
from retrieval.adapters.delivery.webhook import WebhookSender
from retrieval.domain.contract_rules import Verdict
from retrieval.domain.contracts import ContractTerms, Rule
from retrieval.domain.directory import Entry
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.escalations import EscalationState
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.reviews import Approval, Decision, QueueEntry
from retrieval.ports.delivery import Channel
from retrieval.settings import Settings
from tests.desk import EVE, FILES, RAY, Desk, DeskClock
from tests.story import ANN

pytestmark = pytest.mark.contract

ABROAD = "Abroad for 30 days."
INTRANET = Principal("intranet", PrincipalKind.APP)
ASKING = replace(ANN, through=INTRANET)
SECRET = new_secret()
BROKEN_RULE = Verdict(Rule.DOCUMENT_COUNT, passed=False, blocks=True, found="1 documents listed")
SETTINGS = Settings(webhook_allow_private_addresses=True, webhook_attempts=3, webhook_timeout_seconds=2.0)


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An application's webhook on loopback."""

    port: int
    statuses: list[int] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=b"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests.append(Received({name.lower(): value for name, value in self.headers.items()}, body))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_port)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(make_catalog: Callable[..., Catalog]) -> Desk:
    clock = DeskClock()
    desk = Desk(make_catalog(clock=clock), clock, SETTINGS)
    desk.furnish()
    return desk


def deliverer(
    desk: Desk, *, holder: str = "one", settings: Settings | None = None, resolver: Callable[..., object] | None = None
) -> Deliverer:
    catalog, settings = desk.catalog, settings or desk.settings
    options = {} if resolver is None else {"resolver": resolver}
    senders = {
        Channel.WEBHOOK: WebhookSender(catalog.webhooks, settings, desk.clock, **options),
        Channel.EMAIL: EmailSender(catalog.directory, settings, desk.clock),
    }
    outboxes = (catalog.escalation_outbox, catalog.contract_notices, catalog.recall_notices)
    return Deliverer(settings, catalog.escalation_sweep, outboxes, senders, catalog.leases, desk.clock, holder, jitter=lambda: 1.0)


def hooked(desk: Desk, url: str, secret: str = SECRET) -> None:
    desk.catalog.webhooks.register(INTRANET.subject, url, secret=secret, by="cli")


def decided(desk: Desk, asker: Principal = ASKING) -> QueueEntry:
    claimed = desk.claimed(ABROAD, asker=asker)
    return desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)


def outbox(desk: Desk) -> list[tuple[str, str, int, str | None]]:
    columns = (deliveries.c.channel, deliveries.c.state, deliveries.c.attempts, deliveries.c.problem)
    with desk.catalog.database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(deliveries.c.channel))]


class TestTime:
    def test_a_claim_lapses_and_others_may_have_it(self, desk: Desk):
        claimed = desk.claimed(ABROAD)
        desk.clock.forward(minutes=29)
        deliverer(desk).work()
        assert desk.catalog.escalations.get(claimed.id).state is EscalationState.CLAIMED
        desk.clock.forward(minutes=1)

        deliverer(desk).work()

        lapsed = desk.catalog.escalations.get(claimed.id)
        assert (lapsed.state, lapsed.claimed_by, lapsed.version) == (EscalationState.OPEN, None, 3)
        assert [line.what for line in desk.reviewing.history(EVE, claimed.id)] == ["opened", "claimed", "released"]
        assert desk.reviewing.claim(RAY, claimed.id, expected=3).claimed_by == "user:ray"

    def test_what_nobody_decides_expires_and_may_be_asked_again(self, desk: Desk):
        opened, claimed = desk.opened(ABROAD), desk.claimed(ABROAD, question="another")
        desk.clock.forward(days=14)

        deliverer(desk).work()

        assert [desk.asking.poll(ANN, id_).state for id_ in (opened.id, claimed.id)] == [EscalationState.EXPIRED] * 2
        assert desk.opened(ABROAD).id != opened.id

    def test_what_has_been_closed_for_long_is_forgotten_with_all_that_hangs_on_it(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        old = decided(desk)
        desk.asking.poll(ANN, old.id)
        desk.clock.forward(days=364)
        desk.story.sync(FILES)
        recent = decided(desk)
        desk.clock.forward(days=1)

        deliverer(desk).work()

        with pytest.raises(NotReadable):
            desk.asking.poll(ANN, old.id)
        assert desk.asking.poll(ANN, recent.id).sentences
        with desk.catalog.database.read() as connection:
            kept = {*connection.scalars(select(escalation_events.c.escalation)), *connection.scalars(select(deliveries.c.escalation))}
        assert kept == {recent.id}

    def test_all_that_one_person_asked_is_forgotten_on_request(self, desk: Desk):
        ids = [desk.opened(ABROAD).id, decided(desk).id]
        other = desk.opened(ABROAD, asker=Principal("bob"))

        assert desk.catalog.escalation_sweep.forget_asker("user:ann") == 2

        with desk.catalog.database.read() as connection:
            assert connection.scalars(select(escalations.c.id)).all() == [other.id]
        for id_ in ids:
            with pytest.raises(NotReadable):
                desk.reviewing.item(EVE, id_)


@pytest.mark.parametrize("catalog_url", ["sqlite"], indirect=True)
class TestWebhooks:
    def test_an_application_is_told_by_a_signed_message_without_a_word_of_it(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        entry = decided(desk)

        deliverer(desk).work()
        deliverer(desk).work()

        (received,) = receiver.requests
        told = json.loads(received.body)
        assert told == {
            "type": "escalation.closed",
            "timestamp": "2026-03-02T09:00:00.000000Z",
            "data": {"id": entry.id, "state": "closed"},
        }
        signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
        signature = base64.b64encode(hmac.new(secret_bytes(SECRET), signed, hashlib.sha256).digest()).decode()
        assert received.headers["webhook-signature"] == f"v1,{signature}"
        assert received.headers["webhook-timestamp"] == str(int(desk.clock.at.timestamp()))
        assert outbox(desk) == [("webhook", "sent", 1, None)]

    def test_an_answer_that_the_asker_may_not_read_is_announced_like_any_other(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        desk.catalog.directory.set_groups(EVE.subject, ["group:desk", "group:board"])
        for decision in (Decision(Approval()), desk.answering("The merger comes in May.")):
            claimed = desk.claimed(ABROAD, asker=ASKING)
            desk.reviewing.decide(EVE, claimed.id, decision, expected=claimed.version)

        deliverer(desk).work()

        told = [json.loads(received.body)["data"].pop("state") for received in receiver.requests]
        assert told == ["closed", "closed"]
        assert len({len(received.body) for received in receiver.requests}) == 1

    def test_a_failed_message_comes_again_under_the_same_id_ever_later_until_it_is_dead(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        decided(desk)
        receiver.statuses = [500, 404, 302, 200]
        tries = []
        for seconds in (0, 14, 1, 29, 1, 10_000):
            desk.clock.forward(seconds=seconds)
            deliverer(desk).work()
            tries.append(len(receiver.requests))

        assert tries == [1, 1, 2, 2, 3, 3]
        assert len({received.headers["webhook-id"] for received in receiver.requests}) == 1
        assert len({received.body for received in receiver.requests}) == 1
        assert outbox(desk) == [("webhook", "dead", 3, "the application answered 302")]

    def test_an_application_that_is_gone_is_told_once(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        decided(desk)
        receiver.statuses = [410]

        deliverer(desk).work()

        assert outbox(desk) == [("webhook", "dead", 1, "the application answered 410")]

    def test_nobody_there_is_tried_again(self, desk: Desk):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        hooked(desk, f"http://127.0.0.1:{port}/")
        decided(desk)

        deliverer(desk).work()

        assert outbox(desk) == [("webhook", "waiting", 1, "the application cannot be reached: ConnectError")]

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1:{port}/",
            "https://localhost:{port}/",
            "https://rebound.example:{port}/",
            "http://hook.example/",
            "https://[::1]:{port}/",
        ],
    )
    def test_no_private_address_is_reached_unless_the_settings_allow_it(self, desk: Desk, receiver: Receiver, url: str):
        hooked(desk, url.format(port=receiver.port))
        decided(desk)
        strict = desk.settings.model_copy(update={"webhook_allow_private_addresses": False})

        deliverer(desk, settings=strict, resolver=lambda _host, _port: [ip_address("127.0.0.1")]).work()

        ((_, state, _, problem),) = outbox(desk)
        assert state == "waiting"
        assert "private or reserved" in problem or "https" in problem
        assert receiver.requests == []

    def test_an_application_without_a_webhook_gets_no_message(self, desk: Desk):
        decided(desk)

        assert outbox(desk) == []

    def test_a_webhook_that_is_removed_ends_its_messages(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        decided(desk)
        desk.catalog.webhooks.remove(INTRANET.subject, by="cli")

        deliverer(desk).work()

        assert outbox(desk) == [("webhook", "dead", 1, "the application has no webhook any more")]
        with pytest.raises(InvalidInput, match="application"):
            desk.catalog.webhooks.remove(INTRANET.subject, by="cli")

    def test_a_secret_is_kept_sealed_or_elsewhere(self, desk: Desk, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        hooked(desk, receiver.url)
        with desk.catalog.database.read() as connection:
            assert SECRET not in str(connection.execute(select(webhooks)).all())
        (tmp_path / "secret").write_text(SECRET + "\n")
        monkeypatch.setenv("ARCHIVIST_WEBHOOK_INTRANET", SECRET)
        monkeypatch.setenv("OTHER", SECRET)
        signatures = []
        for number, place in enumerate((SECRET, f"file:{tmp_path / 'secret'}", "env:ARCHIVIST_WEBHOOK_INTRANET", "env:OTHER")):
            hooked(desk, receiver.url, place)
            claimed = desk.claimed(ABROAD, asker=ASKING, question=f"question {number}")
            desk.reviewing.decide(EVE, claimed.id, Decision(Approval()), expected=claimed.version)
            deliverer(desk).work()
        for received in receiver.requests:
            signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
            digest = base64.b64encode(hmac.new(secret_bytes(SECRET), signed, hashlib.sha256).digest()).decode()
            signatures.append(received.headers["webhook-signature"] == f"v1,{digest}")

        assert signatures == [True, True, True]
        assert "secret: is not where its reference says" in [problem for *_, problem in outbox(desk)]


class TestContracts:
    def test_an_application_is_told_when_a_contract_breaks_and_when_it_holds_again(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        terms = ContractTerms(min_documents=2, notify=(INTRANET.subject,))
        for passed in (False, False, True, True):
            verdict = replace(BROKEN_RULE, passed=passed)
            desk.catalog.contract_verdicts.record("handbook", terms, [verdict], run=None, owner="user:dana")
            desk.clock.forward(seconds=1)
            deliverer(desk).work()

        assert [(told["type"], told["data"]) for told in (json.loads(received.body) for received in receiver.requests)] == [
            ("contract.broken", {"id": "handbook", "state": "broken", "rules": ["document_count"]}),
            ("contract.holds", {"id": "handbook", "state": "holds", "rules": []}),
        ]
        assert len({received.headers["webhook-id"] for received in receiver.requests}) == 2


class TestOneProcessAtATime:
    def test_another_process_waits_until_the_lease_is_over(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        deliverer(desk, holder="one").work()
        decided(desk)

        deliverer(desk, holder="two").work()
        assert receiver.requests == []
        desk.clock.forward(seconds=LEASE_SECONDS)
        deliverer(desk, holder="two").work()
        deliverer(desk, holder="one").work()

        assert len(receiver.requests) == 1

    def test_what_two_send_all_the_same_is_settled_once(self, desk: Desk, receiver: Receiver):
        hooked(desk, receiver.url)
        decided(desk)
        (message,) = desk.catalog.escalation_outbox.due(count=9)
        desk.catalog.escalation_outbox.sent(message)

        desk.catalog.escalation_outbox.failed(message, "late", next_attempt_at=None)

        assert outbox(desk) == [("webhook", "sent", 1, None)]
        with desk.catalog.database.read() as connection:
            told = select(func.count()).select_from(audit).where(audit.c.action == "escalation.delivered")
            assert connection.scalar(told) == 1


@dataclass
class Mailbox:
    """A mail server on loopback that speaks what is needed of SMTP."""

    port: int
    mails: list[str] = field(default_factory=list)
    refuses: bool = False


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        mailbox = Mailbox(listener.getsockname()[1])
        thread = threading.Thread(target=_serve_mail, args=(listener, mailbox), daemon=True)
        thread.start()
        yield mailbox
        listener.shutdown(socket.SHUT_RDWR)


def _serve_mail(listener: socket.socket, mailbox: Mailbox) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 here\r\n")
            while line := lines.readline().strip():
                command = line.split(b":")[0].split()[0].upper()
                if command == b"DATA":
                    lines.write(b"354 go on\r\n")
                    mail = b""
                    while not mail.endswith(b"\r\n.\r\n"):
                        mail += lines.readline()
                    mailbox.mails.append(mail.decode())
                lines.write(
                    b"550 no\r\n" if command == b"RCPT" and mailbox.refuses else b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n"
                )
                if command == b"QUIT":
                    break


@pytest.mark.parametrize("catalog_url", ["sqlite"], indirect=True)
class TestMail:
    @pytest.fixture
    def desk(self, catalog_url: str, mailbox: Mailbox) -> Iterator[Desk]:
        settings = Settings(
            catalog_url=catalog_url,
            email_smtp_host="127.0.0.1",
            email_smtp_port=mailbox.port,
            email_smtp_starttls=False,
            email_from="archivist@corp.example",
            email_link="https://archivist.corp.example/console/questions/{id}",
            webhook_attempts=2,
        )
        clock = DeskClock()
        catalog = open_catalog(settings, clock=clock)
        desk = Desk(catalog, clock, settings)
        desk.furnish()
        yield desk
        catalog.close()

    def test_a_person_is_told_where_to_look_and_nothing_else(self, desk: Desk, mailbox: Mailbox):
        emails = [{"value": "not an address"}, {"value": "ann@corp.example", "primary": True}]
        desk.catalog.directory.add(Entry("user:ann", "ann", attributes={"emails": emails}))
        entry = decided(desk)

        deliverer(desk).work()
        deliverer(desk).work()

        (mail,) = mailbox.mails
        parsed = message_from_string(mail, policy=default)
        assert (parsed["To"], parsed["From"]) == ("ann@corp.example", "archivist@corp.example")
        assert parsed["Message-ID"].startswith("<msg_")
        assert f"https://archivist.corp.example/console/questions/{entry.id}" in parsed.get_content()
        assert all(secret not in mail for secret in ("abroad", "Abroad", "30 days", "answered"))
        assert outbox(desk) == [("email", "sent", 1, None)]

    def test_an_owner_is_told_which_rules_are_broken(self, desk: Desk, mailbox: Mailbox):
        desk.catalog.directory.add(Entry("user:dana", "dana", attributes={"emails": [{"value": "dana@corp.example"}]}))
        desk.catalog.contract_verdicts.record("handbook", ContractTerms(min_documents=2), [BROKEN_RULE], run=None, owner="user:dana")

        deliverer(desk).work()

        (mail,) = mailbox.mails
        parsed = message_from_string(mail, policy=default)
        assert (parsed["To"], "does not keep its contract" in parsed["Subject"]) == ("dana@corp.example", True)
        assert "handbook" in parsed.get_content()
        assert "document_count" in parsed.get_content()

    @pytest.mark.parametrize(
        "attributes",
        [{}, {"emails": "ann@corp.example"}, {"emails": [{"value": "ann@corp.example\r\nBcc: all@corp.example"}]}, {"emails": [3]}],
    )
    def test_without_an_address_nothing_is_sent(self, desk: Desk, mailbox: Mailbox, attributes: dict):
        desk.catalog.directory.add(Entry("user:ann", "ann"))
        with desk.catalog.database.write() as connection:
            connection.execute(update(directory).values(attributes=json.dumps(attributes)))
        decided(desk)

        deliverer(desk).work()

        assert mailbox.mails == []
        assert outbox(desk) == [("email", "dead", 1, "the directory has no e-mail address of the asker")]

    def test_who_was_deactivated_is_not_written_to(self, desk: Desk, mailbox: Mailbox):
        emails = [{"value": "ann@corp.example"}]
        desk.catalog.directory.add(Entry("user:ann", "ann", attributes={"emails": emails}))
        decided(desk)
        desk.catalog.directory.update("user:ann", lambda entry: replace(entry, active=False))

        deliverer(desk).work()

        assert mailbox.mails == []

    def test_a_server_that_refuses_is_tried_again_and_then_left(self, desk: Desk, mailbox: Mailbox):
        desk.catalog.directory.add(Entry("user:ann", "ann", attributes={"emails": [{"value": "ann@corp.example"}]}))
        mailbox.refuses = True
        decided(desk)
        for _ in range(3):
            deliverer(desk).work()
            desk.clock.forward(hours=1)

        assert outbox(desk) == [("email", "dead", 2, "the mail server did not take it: SMTPRecipientsRefused")]
