"""Mailboxes. A message is changed as people do it: another takes its place under the same Message-ID."""

from email.message import EmailMessage
from urllib.parse import quote

from pipelines.connectors import mailbox
from tests.certificates import self_signed
from tests.imap_server import PASSWORD, serving_mail
from tests.pipelines.connectors.worlds.world import World

VARIABLE = "ARCHIVIST_SOURCE_TEST_MAILBOX"


def message(name: str, text: str, **headers: str) -> bytes:
    made = EmailMessage()
    written = {"From": "ann@example.com", "To": "bob@example.com", "Date": "Sat, 21 Nov 2026 10:00:00 +0000", "Subject": "About it"}
    for header, value in {**written, **headers}.items():
        made[header] = value
    raw = made.as_bytes().rstrip(b"\n") + f"\nMessage-ID: <{name}@example.com>\n".encode()
    return raw + b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode() + b"\n"


class _Mailbox(World):
    plugin = mailbox.PLUGIN
    breaks_after = 0
    folder_in_keys = ""

    def key(self, name: str) -> str:
        return f"{self.folder_in_keys}{quote(f'{name}@example.com', safe='@+=$!')}".replace("/.", "/%2E") + ".eml"

    def takes(self, name: str) -> bool:
        return name.isascii() and " " not in name and not name.startswith("[")


class MboxFile(_Mailbox):
    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self.path = folder / "archive.mbox"
        self.messages: dict[str, bytes] = {}
        self.location = {"mailbox": str(self.path)}
        self._write()

    def put(self, name: str, text: str) -> None:
        self.messages[name] = message(name, text)
        self._write()

    def remove(self, name: str) -> None:
        del self.messages[name]
        self._write()

    def break_off(self) -> None:
        self.path.rename(self.folder / "away")

    def mend(self) -> None:
        (self.folder / "away").rename(self.path)

    def _write(self) -> None:
        ordered = (content for _, content in sorted(self.messages.items()))
        self.path.write_bytes(b"".join(b"From ann@example.com Sat Nov 21 10:00:00 2026\n" + content + b"\n" for content in ordered))


class MaildirFolder(_Mailbox):
    """With a folder beside the inbox that is still to be listed when everything vanishes."""

    breaks_after = 1

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self.root = folder / "Maildir"
        for place in ("cur", "new", "tmp", ".Sub/cur", ".Sub/new"):
            (self.root / place).mkdir(parents=True)
        self.location = {"mailbox": str(self.root), "format": "maildir"}
        self._deliveries: dict[str, int] = {}

    def put(self, name: str, text: str) -> None:
        if name in self._deliveries:
            self.remove(name)
        self._deliveries[name] = 1 + max(self._deliveries.values(), default=0)
        self._path(name).write_bytes(message(name, text))

    def remove(self, name: str) -> None:
        self._path(name).unlink()

    def break_off(self) -> None:
        self.root.rename(self.folder / "away")

    def mend(self) -> None:
        (self.folder / "away").rename(self.root)

    def _path(self, name: str):
        initial = "".join(char if char.isalnum() else "_" for char in name)
        return self.root / "new" / f"{initial}.{self._deliveries[name]}.host"


class ImapAccount(_Mailbox):
    folder_in_keys = "INBOX/"

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        trusted = self_signed(folder)
        self._serving = serving_mail(trusted)
        self.server = self._serving.__enter__()
        self._uids: dict[str, int] = {}
        request.getfixturevalue("monkeypatch").setenv(VARIABLE, PASSWORD)
        self.location = {"mailbox": f"imaps://localhost:{self.server.port}", "login": "ann", "password": f"env:{VARIABLE}"}
        self.settings = self.settings.model_copy(
            update={"private_source_hosts": "localhost", "source_ca_file": str(folder / "site.pem"), "mailbox_timeout_seconds": 10}
        )

    def put(self, name: str, text: str) -> None:
        if name in self._uids:
            self.remove(name)
        self._uids[name] = self.server.add(message(name, text))

    def remove(self, name: str) -> None:
        self.server.deleted.add(self._uids[name])

    def break_off(self) -> None:
        self.server.breaks_off = True

    def mend(self) -> None:
        self.server.breaks_off = False

    def close(self) -> None:
        self._serving.__exit__(None, None, None)
