"""A small real IMAP server over TLS on loopback: the commands that reading a mailbox takes (RFC 3501)."""

import email
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PASSWORD = "a password of the tests"
_FETCH = re.compile(r"UID FETCH ([\d,]+) \((.*)\)$")
_SEARCH = re.compile(r"UID SEARCH UID (\d+):(\d+) ")
_PARTIAL = re.compile(r"BODY\.PEEK\[\]<0\.(\d+)>")


@dataclass
class Mailboxes:
    """What the server holds. `deleted` are marked so and not expunged; `left_out` are found and never told of.

    Attributes:
        breaks_off: hang up in the middle of the next answer to FETCH.
        claims_bytes: the size that every literal claims, whatever follows; 0: the true one.
    """

    port: int = 0
    folders: dict[str, dict[int, bytes]] = field(default_factory=lambda: {"INBOX": {}})
    deleted: set[int] = field(default_factory=set)
    left_out: set[int] = field(default_factory=set)
    validity: int = 1
    breaks_off: bool = False
    claims_bytes: int = 0
    commands: list[str] = field(default_factory=list)

    def add(self, content: bytes, folder: str = "INBOX") -> int:
        uid = 1 + max((uid for messages in self.folders.values() for uid in messages), default=0)
        self.folders.setdefault(folder, {})[uid] = content
        return uid


def _handler(boxes: Mailboxes) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.opened: dict[int, bytes] = {}
            self._say("* OK ready")
            while line := self.rfile.readline().decode().rstrip():
                tag, _, command = line.partition(" ")
                boxes.commands.append(command)
                if command == "LOGOUT":
                    self._say("* BYE", f"{tag} OK done")
                    return
                if not self._answer(tag, command):
                    return

        def _say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

        def _answer(self, tag: str, command: str) -> bool:
            verb = command.split(maxsplit=1)[0]
            if verb == "CAPABILITY":
                self._say("* CAPABILITY IMAP4rev1", f"{tag} OK done")
            elif verb == "LOGIN":
                self._say(f"{tag} OK welcome" if command.endswith(f' "{PASSWORD}"') else f"{tag} NO who are you")
            elif verb == "EXAMINE":
                folder = command.partition('"')[2].removesuffix('"').replace('\\"', '"')
                if folder not in boxes.folders:
                    self._say(f"{tag} NO no such folder")
                    return True
                self.opened = boxes.folders[folder]
                following = max(self.opened, default=0) + 1
                self._say(f"* {len(self.opened)} EXISTS", f"* OK [UIDVALIDITY {boxes.validity}]", f"* OK [UIDNEXT {following}]")
                self._say(f"{tag} OK [READ-ONLY] done")
            elif found := _SEARCH.match(command):
                first, last = map(int, found.groups())
                hits = " ".join(str(uid) for uid in self.opened if first <= uid <= last and uid not in boxes.deleted)
                self._say(f"* SEARCH {hits}", f"{tag} OK done")
            elif found := _FETCH.match(command):
                return self._fetch(tag, [int(uid) for uid in found[1].split(",")], found[2])
            else:
                self._say(f"{tag} BAD unknown")
            return True

        def _fetch(self, tag: str, uids: list[int], items: str) -> bool:
            for number, uid in enumerate(uids, 1):
                if uid not in self.opened or uid in boxes.left_out:
                    continue
                content = self.opened[uid]
                partial = _PARTIAL.search(items)
                if partial:
                    literal, name = content[: int(partial[1])], "BODY[]<0>"
                else:
                    head = email.message_from_bytes(content)
                    wanted = items.partition("HEADER.FIELDS (")[2].partition(")")[0].lower().split()
                    kept = "".join(f"{key}: {value}\r\n" for key, value in head.items() if key.lower() in wanted)
                    literal, name = (kept + "\r\n").encode(), "BODY[HEADER.FIELDS (SOME)]"
                size = boxes.claims_bytes or len(literal)
                self.wfile.write(f"* {number} FETCH (UID {uid} RFC822.SIZE {len(content)} {name} {{{size}}}\r\n".encode())
                if boxes.breaks_off:
                    self.wfile.write(literal[:5])
                    return False
                self.wfile.write(literal + b")\r\n")
            self._say(f"{tag} OK done")
            return True

    return Handler


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, boxes: Mailboxes, trusted: ssl.SSLContext) -> None:
        self._trusted = trusted
        super().__init__(("127.0.0.1", 0), _handler(boxes))

    def finish_request(self, request, client_address) -> None:
        with self._trusted.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, *_: object) -> None:
        """The client hangs up on purpose in some tests."""


@contextmanager
def serving_mail(trusted: ssl.SSLContext) -> Iterator[Mailboxes]:
    """The server, until the block ends."""
    boxes = Mailboxes()
    with _Server(boxes, trusted) as server:
        boxes.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield boxes
        server.shutdown()
        thread.join()
