"""Telling a person by mail that their question has been looked at, or how their source stands. No text of any of it is in it."""

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from retrieval.domain.clock import Clock
from retrieval.ports.delivery import Message, Occasion, Undelivered
from retrieval.ports.directory import Directory
from retrieval.settings import Settings

_SUBJECTS = {
    Occasion.ESCALATION_CLOSED: "Your question has been looked at",
    Occasion.CONTRACT_BROKEN: "A source that you answer for does not keep its contract",
    Occasion.CONTRACT_HOLDS: "A source that you answer for keeps its contract again",
    Occasion.DOCUMENTS_RECALLED: "Documents that answers stood on are withdrawn",
}


class EmailSender:
    """`Sender` by SMTP, to the address that the directory has of the asker."""

    def __init__(self, directory: Directory, settings: Settings, clock: Clock) -> None:
        self._directory = directory
        self._settings = settings
        self._clock = clock

    def send(self, message: Message) -> None:
        to = self._address(message.recipient)
        if to is None:
            raise Undelivered("the directory has no e-mail address of the asker", is_final=True)
        mail = self._mail(message, to)
        settings = self._settings
        try:
            with smtplib.SMTP(settings.email_smtp_host, settings.email_smtp_port, timeout=settings.webhook_timeout_seconds) as server:
                if settings.email_smtp_starttls:
                    server.starttls(context=ssl.create_default_context())
                if settings.email_smtp_user:
                    server.login(settings.email_smtp_user, settings.email_smtp_password)
                server.send_message(mail)
        except (smtplib.SMTPException, OSError) as error:
            raise Undelivered(f"the mail server did not take it: {type(error).__name__}") from error

    def _address(self, asker: str) -> str | None:
        entry = self._directory.find(asker)
        return None if entry is None or not entry.active else address_in(entry.attributes)

    def _mail(self, message: Message, to: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._settings.email_from, to, _SUBJECTS[message.occasion]
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{message.id}@{self._settings.email_from.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self._said(message))
        return mail

    def _said(self, message: Message) -> str:
        if message.occasion is Occasion.ESCALATION_CLOSED:
            link = self._settings.email_link.replace("{id}", message.about)
            return "A question that you asked has been looked at by a person.\n" + (f"\n{link}\n" if link else "")
        rules = ", ".join(message.details.get("rules", ()))
        broken = f"Broken: {rules}. New content is kept back; what was published before stays.\n" if rules else ""
        return f"{_SUBJECTS[message.occasion]}: {message.about}\n\n{broken}"


def address_in(attributes: Mapping[str, object]) -> str | None:
    """The primary address of SCIM's `emails`, else the first; None when there is none that mail can go to."""
    listed = attributes.get("emails")
    entries = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, Sequence) else []
    written = [str(each.get("value", "")) for each in sorted(entries, key=lambda each: each.get("primary") is not True)]
    return next((address for address in written if _is_address(address)), None)


def _is_address(written: str) -> bool:
    try:
        return bool(Address(addr_spec=written).domain)
    except (ValueError, IndexError):
        return False
