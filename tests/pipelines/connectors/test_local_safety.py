"""No name, link, device or race leads out of a local source's root."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from pipelines.connectors.files import FilesConnector
from pipelines.connectors.globs import Glob
from pipelines.connectors.local_tree import LocalTree
from pipelines.connectors.permissions import Rules
from pipelines.connectors.port import FileRefused
from pipelines.connectors.registry import connect
from pipelines.connectors.selection import Selection
from retrieval.domain.documents import Fetched, SourceFile
from retrieval.domain.errors import SourceUnavailable

ROUNDS = 2_000


def content_of(connector, file: SourceFile) -> bytes | None:
    """What a fetch brings; None when the file is refused or is not there."""
    try:
        answer = connector.fetch(file, known=None)
    except FileRefused:
        return None
    return answer.content if isinstance(answer, Fetched) else None


def test_symbolic_links_are_listed_nowhere(tree, connector):
    (tree / "a.txt").write_text("inside")
    (tree / "file-link.txt").symlink_to(tree.parent / "outside" / "secret.txt")
    (tree / "folder-link").symlink_to(tree.parent / "outside")
    (tree / "inner-link.txt").symlink_to(tree / "a.txt")
    (tree / "loop").symlink_to(tree)
    (tree / "dangling").symlink_to(tree / "nothing")

    keys = [file.key for file in connector.list()]

    assert keys == ["a.txt"]


def test_the_root_itself_may_be_a_link(tree, make_spec, settings):
    (tree / "a.txt").write_text("inside")
    link = tree.parent / "link"
    link.symlink_to(tree)

    connector = connect(make_spec("files", root=str(link)), settings)

    assert isinstance(connector.fetch(next(connector.list()), known=None), Fetched)


@pytest.mark.parametrize("replace", ["file", "folder"])
def test_a_link_put_in_place_after_listing_is_refused(tree, connector, replace):
    (tree / "sub").mkdir()
    (tree / "sub" / "secret.txt").write_text("inside")
    file = next(connector.list())
    (tree / "sub" / "secret.txt").unlink()
    if replace == "folder":
        (tree / "sub").rmdir()
        (tree / "sub").symlink_to(tree.parent / "outside")
    else:
        (tree / "sub" / "secret.txt").symlink_to(tree.parent / "outside" / "secret.txt")

    with pytest.raises(FileRefused, match=r"link|regular"):
        connector.fetch(file, known=None)


def _special(path: Path) -> socket.socket | None:
    if path.name == "pipe":
        os.mkfifo(path)
    elif path.name == "socket":
        made = socket.socket(socket.AF_UNIX)
        made.bind(str(path))
        return made
    elif path.name == "folder":
        path.mkdir()
    else:
        try:
            os.mknod(path, 0o20666, os.makedev(1, 5))  # /dev/zero: endless
        except PermissionError:
            pytest.skip("making a device needs root")
    return None


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "device"])
def test_only_regular_files_are_read_and_nothing_hangs(tree, connector, kind, monkeypatch):
    monkeypatch.chdir(tree)
    made = _special(Path(kind))

    listed = list(connector.list())
    with pytest.raises(FileRefused):
        connector.fetch(SourceFile(kind, f"file://{tree}/{kind}"), known=None)

    assert listed == []
    if made:
        made.close()


_at_open: dict[str, Callable[[], None]] = {}
"""What happens just before a name is opened. Hooks cannot be removed, so there is one, and it does what stands here."""
sys.addaudithook(lambda event, arguments: _at_open.get(str(arguments[0]), lambda: None)() if event == "open" else None)


@pytest.fixture
def at_open():
    yield _at_open
    _at_open.clear()


def test_a_pipe_is_not_even_opened(tree, connector, at_open):
    os.mkfifo(tree / "pipe")
    opened = []
    at_open["pipe"] = lambda: opened.append("pipe")

    content = content_of(connector, SourceFile("pipe", f"file://{tree}/pipe"))

    assert (content, opened) == (None, [])


def test_a_file_that_becomes_a_pipe_while_it_is_opened_is_refused(tree, connector, at_open):
    path = tree / "a.txt"
    path.write_text("inside")

    def swap() -> None:
        path.unlink()
        os.mkfifo(path)

    at_open["a.txt"] = swap

    with pytest.raises(FileRefused, match="regular"):
        connector.fetch(SourceFile("a.txt", f"file://{tree}/a.txt"), known=None)


_ESCAPES = [
    "../outside/secret.txt", "a/../../outside/secret.txt", "./../outside/secret.txt", "..", ".", "", "/", "//etc/passwd", "/etc/passwd",
    "a/./b", "a//b", "..\\outside\\secret.txt", "a\x00b", "\x00", "a/\x00/b", ".../x", "a/..", "../root/a.txt", ".permissions.yaml",
    ".git/config", "sub/.hidden", "~/secret", "~root/x", "%2e%2e/outside/secret.txt", "%2e%2e%2foutside%2fsecret.txt",
    "..%2foutside%2fsecret.txt", "..;/outside/secret.txt", "\uff0e\uff0e/outside/secret.txt", "\u2025/outside/secret.txt",
    "..\u2215outside", "proc/self/root/etc/passwd", "C:\\windows", "\\\\host\\share", "file:///etc/passwd", "a.txt/", "a.txt/..", "\n",
    "a\n/../b",
]  # fmt: skip


@pytest.mark.parametrize("raw", [True, False], ids=["as written", "percent-escaped"])
@pytest.mark.parametrize("name", _ESCAPES, ids=[f"{n}" for n in range(len(_ESCAPES))])
def test_no_name_leads_out(tree, connector, name, raw):
    (tree / "a.txt").write_text("inside")
    uri = f"file://{tree}/" + (name if raw else quote(name, safe=""))

    content = content_of(connector, SourceFile(name, uri))

    assert content is None


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "/etc/passwd", "file://{tree}evil/a.txt", "http://x/a.txt", "", "file://{tree}/b.txt"]
)
def test_a_uri_that_is_not_the_keys_is_refused(tree, connector, uri):
    (tree / "a.txt").write_text("a")
    (tree / "b.txt").write_text("b")

    with pytest.raises(FileRefused, match="not below"):
        connector.fetch(SourceFile("a.txt", uri.format(tree=tree)), known=None)


def test_no_race_leads_out(tree):
    """A folder and a file are swapped for links to outside and back, as fast as can be, while both are read."""
    connector = FilesConnector(
        LocalTree(tree, settle_seconds=0), selection=Selection((Glob("**"),)), rules=Rules([]), max_files=99, max_file_bytes=99
    )
    real, swapped = tree / "real", tree / "sub"
    swapped.mkdir()
    (swapped / "secret.txt").write_text("inside")
    folder_link, file_link = tree / "folder-link", tree / "file-link"
    stop = threading.Event()

    def swap() -> None:
        folder_link.symlink_to(tree.parent / "outside")
        while not stop.is_set():
            swapped.rename(real)
            folder_link.rename(swapped)
            swapped.rename(folder_link)
            real.rename(swapped)
            file_link.symlink_to(tree.parent / "outside" / "secret.txt")
            (swapped / "secret.txt").rename(swapped / "kept")
            file_link.rename(swapped / "secret.txt")
            (swapped / "kept").rename(swapped / "secret.txt")

    swapper = threading.Thread(target=swap)
    swapper.start()
    contents, troubles, keys = set(), 0, set()
    file = SourceFile("sub/secret.txt", f"file://{tree}/sub/secret.txt")
    try:
        for round_number in range(ROUNDS):
            try:
                answer = connector.fetch(file, known=None)
                contents.add(answer.content if isinstance(answer, Fetched) else b"inside")
                if round_number % 4 == 0:
                    keys.update(listed.key for listed in connector.list())
            except (FileRefused, SourceUnavailable):
                troubles += 1
    finally:
        stop.set()
        swapper.join(10)

    assert contents == {b"inside"}
    assert troubles > 0, "the race was never met"
    assert keys <= {"sub/secret.txt", "sub/kept", "real/secret.txt", "real/kept"}


def test_a_file_that_is_written_to_while_it_is_read_is_never_taken_half(tree, connector):
    path = tree / "a.txt"
    path.write_bytes(b"0" * 3_000_000)
    stop = threading.Event()

    def write() -> None:
        digit = 0
        with path.open("r+b", buffering=0) as file:
            while not stop.is_set():
                digit = (digit + 1) % 10
                file.seek(0)
                file.write(str(digit).encode() * 3_000_000)

    writer = threading.Thread(target=write)
    file = SourceFile("a.txt", f"file://{tree}/a.txt")
    writer.start()
    try:
        contents = [content_of(connector, file) for _ in range(8)]
    finally:
        stop.set()
        writer.join(10)

    assert [content for content in contents if content is not None and len(set(content)) > 1] == []
