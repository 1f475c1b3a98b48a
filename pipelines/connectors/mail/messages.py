"""What is told of a message before it is read whole: its id, its participants, its date."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from typing import Protocol
from urllib.parse import quote

from retrieval.domain.documents import Fetched, Gone, NotModified

MAX_HEADER_BYTES = 64 * 1024
"""Of a message's start: ids, participants and dates that stand later are not seen."""
MAX_ID_CHARACTERS = 200
HEADERS = ("Message-ID", "From", "To", "Cc", "Date", "Subject")
_PERSON = re.compile(r"[a-z0-9][a-z0-9._+'-]{0,63}")


@dataclass(frozen=True)
class Envelope:
    """A message's own account of itself, which anybody may have forged.

    Attributes:
        id: its Message-ID without the brackets; empty when it has none.
        people: addresses of its From, To and Cc, in lower case.
        digest: of the headers that were looked at.
    """

    id: str
    people: frozenset[str]
    at: datetime | None
    digest: str

    @classmethod
    def of(cls, head: bytes) -> "Envelope":
        """From the bytes that a message starts with. Never raises: what is malformed is as if it were not there."""
        message = BytesHeaderParser().parsebytes(head[:MAX_HEADER_BYTES])
        written = [f"{name}: {value}" for name in HEADERS for value in _values(message, name)]
        addresses = getaddresses([value for name in ("From", "To", "Cc") for value in _values(message, name)])
        return cls(
            "".join("".join(_values(message, "Message-ID")[:1]).split()).strip("<>"),
            frozenset(address.lower() for _, address in addresses if "@" in address),
            _moment("".join(_values(message, "Date")[:1])),
            hashlib.blake2b("\n".join(written).encode("utf-8", "replace"), digest_size=16).hexdigest(),
        )

    def users_of(self, domains: frozenset[str]) -> frozenset[str]:
        """The participants whose addresses are of these domains, as subjects: `ann@example.com` is `user:ann`."""
        parts = (address.rpartition("@") for address in self.people)
        return frozenset(f"user:{name}" for name, _, domain in parts if domain in domains and _PERSON.fullmatch(name))

    @property
    def name(self) -> str:
        """Safe in a key, and the same wherever the message lies."""
        if not self.id or len(self.id) > MAX_ID_CHARACTERS:
            return f"without-id-{self.digest}"
        return quoted(self.id)


@dataclass(frozen=True)
class Listed:
    """One message of a store.

    Attributes:
        folder: names from the store's top down; none where a store has no folders.
        uri: finds it again, for `MailStore.fetch`.
        fingerprint: differs when its bytes may.
    """

    folder: Sequence[str]
    envelope: Envelope
    uri: str
    fingerprint: str
    size_bytes: int | None


class MailStore(Protocol):
    """Messages, wherever they are kept. Every method raises SourceUnavailable when the store cannot say."""

    def messages(self) -> Iterator[Listed]:
        """Every message that is neither a draft nor deleted, in a stable order."""
        ...

    def fetch(self, uri: str, *, known: str | None, max_bytes: int) -> Fetched | NotModified | Gone:
        """One message as it was received. Raises FileRefused for one that is larger, or none of the store's."""
        ...

    def close(self) -> None: ...


def quoted(name: str) -> str:
    """A name that can stand between the slashes of a key, and does not look hidden."""
    written = quote(name, safe="@+=$!", errors="replace")
    return "%2E" + written[1:] if written.startswith(".") else written


def _values(message: Message, name: str) -> list[str]:
    return [str(value) for value in message.get_all(name, [])]


def _moment(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
