"""Telling a person by mail that their question has been looked at. Neither the question nor the answer is in it."""

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from retrieval.domain.clock import Clock
from retrieval.ports.delivery import Message, Undelivered
from retrieval.ports.directory import Directory
from retrieval.settings import Settings

_SUBJECT = "Your question has been looked at"


class EmailSender:
    """`Sender` by SMTP, to the address that the directory has of the asker."""

    def __init__(self, directory: Directory, settings: Settings, clock: Clock) -> None:
        self._directory = directory
        self._settings = settings
        self._clock = clock

    def send(self, message: Message) -> None:
        to = self._address(message.asker)
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
        mail["From"], mail["To"], mail["Subject"] = self._settings.email_from, to, _SUBJECT
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{message.id}@{self._settings.email_from.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        link = self._settings.email_link.replace("{id}", message.escalation)
        mail.set_content("A question that you asked has been looked at by a person.\n" + (f"\n{link}\n" if link else ""))
        return mail


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
