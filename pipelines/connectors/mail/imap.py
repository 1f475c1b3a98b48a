"""An IMAP mailbox over TLS (RFC 3501), opened for reading only: no message is marked as seen.

A message never changes under its UID, so nothing but new messages is ever fetched. When a server numbers a folder anew (UIDVALIDITY),
everything in it is fetched once more and found to be the same.
"""

import imaplib
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pipelines.connectors.hosts import addresses_of, may_be_private
from pipelines.connectors.mail.connection import GuardedImap
from pipelines.connectors.mail.messages import HEADERS, Envelope, Listed
from pipelines.connectors.port import FileRefused
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode
from retrieval.domain.errors import SourceUnavailable
from retrieval.settings import Settings

AT_ONCE = 500
"""Messages whose headers are asked for at once."""
SEARCHED_AT_ONCE = 20_000
"""Numbers in one search: an answer is one line, and imaplib takes a million bytes of it."""
_FIELDS = " ".join(HEADERS).upper()
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ADDRESS = re.compile(r"/(?P<folder>[^;/]*);UIDVALIDITY=(?P<validity>\d+)/;UID=(?P<uid>\d+)")


@dataclass(frozen=True)
class Account:
    """Where a mailbox is and who reads it. The password is asked for when a connection is made."""

    host: str
    port: int
    login: str
    password: Callable[[], str]


class ImapMailbox:
    """Some folders of one account, over one connection that is made anew when it is lost."""

    def __init__(self, account: Account, folders: Sequence[str], settings: Settings) -> None:
        self._account = account
        self._folders = folders
        self._settings = settings
        self._prefix = f"imaps://{account.host}:{account.port}"
        self._lock = threading.RLock()
        self._connection: GuardedImap | None = None
        self._opened: tuple[str, int] | None = None

    def messages(self) -> Iterator[Listed]:
        for folder in self._folders:
            with self._talking():
                validity, uids = self._uids(folder)
            for first in range(0, len(uids), AT_ONCE):
                with self._talking():
                    if self._open(folder) != validity:
                        raise SourceUnavailable("the mail server numbered a folder anew while it was listed; try again")
                    found = list(self._headers(uids[first : first + AT_ONCE]))
                if [uid for uid, _, _ in found] != uids[first : first + AT_ONCE]:
                    raise SourceUnavailable("messages were removed while the mailbox was listed; try again")
                for uid, size, head in found:
                    uri = f"{self._prefix}/{quote(folder, safe='')};UIDVALIDITY={validity}/;UID={uid}"
                    yield Listed(folder.split("/"), Envelope.of(head), uri, f"{validity}-{uid}", size)

    def fetch(self, uri: str, *, known: str | None, max_bytes: int) -> Fetched | NotModified | Gone:
        place = _ADDRESS.fullmatch(uri.removeprefix(self._prefix)) if uri.startswith(self._prefix) else None
        if place is None or unquote(place["folder"]) not in self._folders:
            raise FileRefused("the message is not one of the mailbox's")
        fingerprint = f"{place['validity']}-{place['uid']}"
        if known == fingerprint:
            return NotModified()
        with self._talking() as connection:
            if self._open(unquote(place["folder"])) != int(place["validity"]):
                raise FileRefused("the mail server has numbered the folder anew; the next run reads the message", retryable=True)
            answered = _checked(connection.uid("FETCH", place["uid"], f"(UID BODY.PEEK[]<0.{max_bytes + 1}>)"))
        content = next((part[1] for part in answered if isinstance(part, tuple)), None)
        if content is None:
            return Gone()
        if len(content) > max_bytes:
            raise FileRefused(f"larger than the limit of {max_bytes} bytes", code=QuarantineCode.TOO_LARGE)
        return Fetched(content, validator=fingerprint, media_type="message/rfc822")

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _uids(self, folder: str) -> tuple[int, list[int]]:
        """What numbers the folder, and the numbers of its messages that are not marked as deleted, ascending."""
        assert self._connection is not None
        validity = self._open(folder, anew=True)
        end = _number(self._connection, "UIDNEXT")
        uids: set[int] = set()
        for first in range(1, end, SEARCHED_AT_ONCE):
            last = min(first + SEARCHED_AT_ONCE, end) - 1
            answered = _checked(self._connection.uid("SEARCH", f"UID {first}:{last} UNDELETED UNDRAFT"))
            uids.update(int(uid) for line in answered if isinstance(line, bytes) for uid in line.split())
            if len(uids) > self._settings.source_max_files:
                raise SourceUnavailable(f"the mailbox has more than {self._settings.source_max_files} messages; raise source_max_files")
        return validity, sorted(uids)

    def _headers(self, uids: Sequence[int]) -> Iterator[tuple[int, int, bytes]]:
        """Number, size and the headers that are looked at, in ascending order."""
        assert self._connection is not None
        wanted = f"(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({_FIELDS})])"
        answered = _checked(self._connection.uid("FETCH", ",".join(map(str, uids)), wanted))
        found = {}
        for part, after in zip(answered, [*answered[1:], b""], strict=True):
            if isinstance(part, tuple):
                told = part[0] + (after if isinstance(after, bytes) else b"")
                uid, size = _UID.search(told), _SIZE.search(told)
                if uid is None or size is None:
                    raise SourceUnavailable("the mail server does not say what it was asked for")
                found[int(uid[1])] = (int(uid[1]), int(size[1]), part[1])
        return iter(found[uid] for uid in sorted(found))

    def _open(self, folder: str, *, anew: bool = False) -> int:
        """Open a folder for reading, unless it is open. Returns its UIDVALIDITY."""
        assert self._connection is not None
        if anew or self._opened is None or self._opened[0] != folder:
            self._opened = None
            quoted = '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
            status, _ = self._connection.select(quoted, readonly=True)
            if status != "OK":
                raise SourceUnavailable("there is no such folder in the mailbox, or it may not be read")
            self._opened = folder, _number(self._connection, "UIDVALIDITY")
        return self._opened[1]

    @contextmanager
    def _talking(self) -> Iterator[GuardedImap]:
        """The connection. Whatever goes wrong on it ends it: it cannot be told what the server would answer next."""
        with self._lock:
            try:
                self._connection = self._connection or self._connected()
                yield self._connection
            except (imaplib.IMAP4.error, OSError, ValueError) as error:
                self._drop()
                raise SourceUnavailable(f"the mail server breaks off or is not understood ({type(error).__name__})") from None
            except SourceUnavailable:
                self._drop()
                raise

    def _connected(self) -> GuardedImap:
        account, settings = self._account, self._settings
        addresses = addresses_of(account.host, account.port, allow_private=may_be_private(account.host, settings))
        password = account.password()
        trusted = ssl.create_default_context(cafile=settings.source_ca_file or None)
        try:
            connection = GuardedImap(
                account.host,
                account.port,
                addresses=[str(address) for address in addresses],
                trusted=trusted,
                seconds=settings.mailbox_timeout_seconds,
                max_bytes=settings.source_max_file_bytes + 1,
            )
        except (OSError, imaplib.IMAP4.error) as error:
            reason = "its certificate cannot be verified" if isinstance(error, ssl.SSLCertVerificationError) else "it does not answer"
            raise SourceUnavailable(f"the mail server cannot be reached: {reason}") from None
        try:
            connection.login(account.login, password)
        except (imaplib.IMAP4.error, UnicodeError, OSError):
            connection.shutdown()
            raise SourceUnavailable("the mail server does not take the login and password") from None
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(OSError, imaplib.IMAP4.error):
                self._connection.shutdown()
        self._connection = self._opened = None


def _checked(answer: tuple[str, list[object]]) -> list[object]:
    status, data = answer
    if status != "OK":
        raise SourceUnavailable("the mail server refuses to tell what is in the folder")
    return data


def _number(connection: imaplib.IMAP4, name: str) -> int:
    """What the server told with the folder that it opened last."""
    _, told = connection.response(name)
    if not told or not isinstance(told[-1], bytes) or not told[-1].isdigit():
        raise SourceUnavailable(f"the mail server does not say {name} of the folder")
    return int(told[-1])
