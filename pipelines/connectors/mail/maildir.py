"""A Maildir, with the folders beside it that Maildir++ names `.Folder.Subfolder`. Read as every local tree is: nothing leads out of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from pipelines.connectors.local_tree import LocalTree
from pipelines.connectors.mail.messages import MAX_HEADER_BYTES, Envelope, Listed
from pipelines.connectors.port import FileRefused
from pipelines.connectors.tree import Entry, Parts
from retrieval.domain.documents import Fetched, Gone, NotModified
from retrieval.domain.errors import SourceUnavailable

_PLACES = ("cur", "new")
_FLAGS = ":2,"
_LEFT_OUT = frozenset("DT")
"""Flags of drafts and of what is in the bin."""


class Maildir:
    """One Maildir. A message's name before its flags is its own for ever, and finds it again when the flags change."""

    def __init__(self, root: Path) -> None:
        self._tree = LocalTree(root)
        self._prefix = root.as_uri() + "#"

    def messages(self) -> Iterator[Listed]:
        inside = set(self._tree.folder(()).folders)
        if not set(_PLACES) <= inside:
            raise SourceUnavailable("not a Maildir: it has no folders 'cur' and 'new'")
        for folder in ["", *sorted(name for name in inside if name.startswith("."))]:
            for name, (parts, entry) in sorted(self._entries(folder).items()):
                head = self._tree.head(parts, max_bytes=MAX_HEADER_BYTES)
                if head is None:
                    raise SourceUnavailable("a message was moved while the mailbox was listed, or cannot be read; try again")
                above = tuple(folder.split(".")[1:]) if folder else ()
                uri = f"{self._prefix}{quote(folder, safe='')}/{quote(name, safe='')}"
                yield Listed(above, Envelope.of(head.partition(b"\n\n")[0]), uri, entry.fingerprint or "", entry.size_bytes)

    def fetch(self, uri: str, *, known: str | None, max_bytes: int) -> Fetched | NotModified | Gone:
        folder, _, name = map(unquote, uri.removeprefix(self._prefix).partition("/"))
        if not uri.startswith(self._prefix) or (folder and not _is_folder(folder)):
            raise FileRefused("the message is not one of the mailbox's")
        parts, _ = self._entries(folder).get(name, (None, None))
        return self._tree.fetch(parts, known=known, max_bytes=max_bytes) if parts else Gone()

    def close(self) -> None:
        self._tree.close()

    def _entries(self, folder: str) -> Mapping[str, tuple[Parts, Entry]]:
        """Name without flags to where the message is now."""
        above: Parts = (folder,) if folder else ()
        return {
            entry.name.partition(_FLAGS)[0]: ((*above, place, entry.name), entry)
            for place in _PLACES
            for entry in self._tree.folder((*above, place)).files
            if not _LEFT_OUT & set(entry.name.partition(_FLAGS)[2]) and not entry.name.startswith(".")
        }


def _is_folder(name: str) -> bool:
    return name.startswith(".") and "/" not in name and "\0" not in name and name != ".."
