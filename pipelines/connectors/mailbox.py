"""The `mailbox` connector: one document for each message of an mbox file, a Maildir or an IMAP account. Attachments come with parsing."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from pipelines.connectors.credentials import credential
from pipelines.connectors.location import local_path_problem, local_root, selection, value, values
from pipelines.connectors.mail.imap import Account, ImapMailbox
from pipelines.connectors.mail.maildir import Maildir
from pipelines.connectors.mail.mbox import Mbox
from pipelines.connectors.mail.messages import Listed, MailStore, quoted
from pipelines.connectors.permissions import Inherited, Rules
from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import FileRefused, Probe
from pipelines.connectors.probing import probe_listing
from pipelines.connectors.selection import Selection
from pipelines.connectors.urls import check_url
from retrieval.domain.documents import Fetched, Gone, NotModified, SourceFile
from retrieval.domain.errors import FieldProblem, SourceUnavailable
from retrieval.domain.source_kinds import MAILBOX
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

IMAP_PORT = 993

_log = structlog.get_logger(__name__)


class MailboxConnector:
    """The messages of one store.

    Args:
        domains: whose addresses are people here: a message's participants among them read it. None: the rules alone say who reads.
    """

    def __init__(
        self, store: MailStore, *, selection: Selection, rules: Rules, domains: frozenset[str], max_messages: int, max_bytes: int
    ) -> None:
        self._store = store
        self._selection = selection
        self._rules = rules
        self._domains = domains
        self._max_messages = max_messages
        self._max_bytes = max_bytes

    def list(self) -> Iterator[SourceFile]:
        seen: set[str] = set()
        for message in self._store.messages():
            key = _key(message, seen)
            if key in seen or not self._selection.takes(key):
                continue
            seen.add(key)
            if len(seen) > self._max_messages:
                raise SourceUnavailable(f"the source has more than {self._max_messages} messages; include less, or raise source_max_files")
            found = self._rules.policy_of(key, inherited=self._participants(message))
            yield SourceFile(key, message.uri, message.fingerprint, message.size_bytes, message.envelope.at, found.policy, found.problem)
        _log.info("source listed", documents=len(seen))

    def fetch(self, file: SourceFile, *, known: str | None) -> Fetched | NotModified | Gone:
        if not self._selection.takes(file.key):
            raise FileRefused("the message is not one of the source's")
        return self._store.fetch(file.uri, known=known, max_bytes=self._max_bytes)

    def probe(self) -> Probe:
        return probe_listing(self)

    def close(self) -> None:
        self._store.close()

    def _participants(self, message: Listed) -> Inherited:
        if not self._domains:
            return Inherited()
        return Inherited(message.envelope.users_of(self._domains), "who wrote or received the message")


def _key(message: Listed, seen: set[str]) -> str:
    """Folder and Message-ID. Another message under the same id, which anybody can send, is told apart by its headers."""
    name = "/".join((*map(quoted, message.folder), message.envelope.name))
    key = f"{name}.eml"
    return f"{name}~{message.envelope.digest}.eml" if key in seen else key


def _connect(spec: SourceSpec, settings: Settings) -> MailboxConnector:
    return MailboxConnector(
        _store(spec, settings),
        selection=selection(spec, MAILBOX),
        rules=Rules(spec.rules),
        domains=frozenset(domain.lower() for domain in values(spec, MAILBOX, "participants")),
        max_messages=settings.source_max_files,
        max_bytes=settings.source_max_file_bytes,
    )


def _store(spec: SourceSpec, settings: Settings) -> MailStore:
    mailbox = value(spec, MAILBOX, "mailbox")
    path = local_root(mailbox)
    if path is None:
        url = urlsplit(mailbox)
        reference = value(spec, MAILBOX, "password")
        account = Account(url.hostname or "", url.port or IMAP_PORT, value(spec, MAILBOX, "login"), lambda: credential(reference, settings))
        return ImapMailbox(account, values(spec, MAILBOX, "folders"), settings)
    if value(spec, MAILBOX, "format") == "maildir":
        return Maildir(Path(path))
    return Mbox(Path(path), max_messages=settings.source_max_files)


def _problems(spec: SourceSpec, _settings: Settings) -> Iterator[FieldProblem]:
    for mailbox in values(spec, MAILBOX, "mailbox"):
        path = local_root(mailbox)
        if problem := _address_problem(mailbox) if path is None else local_path_problem(path):
            yield FieldProblem("location.mailbox", problem)
        for name in ("login", "password") if path is None else ():
            if not values(spec, MAILBOX, name):
                yield FieldProblem(f"location.{name}", "is required for an imaps:// address")
    for name in ("login", "folders"):
        if any(not written.isascii() or not written.isprintable() for written in values(spec, MAILBOX, name)):
            yield FieldProblem(f"location.{name}", "printable ASCII; folders as the server writes them")


def _address_problem(address: str) -> str | None:
    scheme, _, rest = address.partition("://")
    if scheme != "imaps":
        return "an absolute path, or an imaps:// address"
    try:
        url = check_url(f"https://{rest}", any_port=True)
    except FileRefused as refused:
        return refused.reason
    return None if url.raw_path == b"/" else "an address without a path; name the folders in 'folders'"


PLUGIN = Plugin(MAILBOX, connect=_connect, problems=_problems)
