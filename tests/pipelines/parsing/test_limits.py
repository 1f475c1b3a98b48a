"""Hostile, damaged and unsuitable documents: each is given up with a reason, and nothing else suffers."""

import http.server
import io
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import msoffcrypto.format.ooxml
import numpy as np
import pytest
from PIL import Image

from pipelines.parsing.sandbox import ParsePool
from retrieval.domain.documents import ParsedDocument, QuarantineCode, Rejection
from retrieval.settings import MIB, Settings
from tests.pipelines.parsing import documents
from tests.slack import FAR_SECONDS, within

Rejected = Callable[[bytes, str], QuarantineCode]
HANGING = b"# Notes\n\n" + b"[" * 400_000
"""Markdown whose brackets take the reader minutes."""
PROCESS_SECONDS = 30
"""Until a parser's process has started, on a machine that is busy."""


def under(content: bytes, name: str, **limits: int) -> QuarantineCode:
    with ParsePool(Settings(**limits)) as pool:
        result = pool.parse(content, name=name)
        assert isinstance(result, Rejection), result
        return result.code


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"", "a.txt", id="no-bytes"),
        pytest.param(b" \n\t\n", "a.md", id="only-blanks"),
        pytest.param("\u200b\u00ad\ufeff".encode(), "a.txt", id="only-invisible"),
        pytest.param(b"<html><body><script>x</script></body></html>", "a.html", id="only-script"),
        pytest.param(documents.pdf("", ""), "a.pdf", id="blank-pages"),
        pytest.param(b"--- | --- | ---", "a.txt", id="only-punctuation"),
    ],
)
def test_no_text_is_a_rejection_not_an_empty_document(rejected: Rejected, content: bytes, name: str) -> None:
    assert rejected(content, name) is QuarantineCode.EMPTY


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(documents.word()[:2_000], "a.docx", id="half-a-docx"),
        pytest.param(documents.slides()[:-500], "a.pptx", id="pptx-without-its-end"),
        pytest.param(b"%PDF-1.7\nnothing of a PDF follows", "a.pdf", id="pdf-in-name-only"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "a.png", id="png-in-name-only"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "a.doc", id="ole-in-name-only"),
        pytest.param(b"<a><b></a>", "a.xml", id="xml-not-closed"),
        pytest.param(documents.archive({"word/document.xml": "<w:document/>"}), "a.docx", id="docx-without-relations"),
    ],
)
def test_a_damaged_file_is_corrupt(rejected: Rejected, content: bytes, name: str) -> None:
    assert rejected(content, name) is QuarantineCode.CORRUPT


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"\x7fELF" + bytes(range(256)), "a.txt", id="program"),
        pytest.param(b"\x1f\x8b\x08" + bytes(100), "a.gz", id="gzip"),
        pytest.param(documents.archive({"a.txt": "x"}), "a.zip", id="zip"),
        pytest.param(b"ID3\x03" + bytes(100), "a.mp3", id="sound"),
        pytest.param(b"\x00\x00\x00\x18ftypmp42" + bytes(100), "a.mp4", id="video"),
        pytest.param(bytes(range(256)) * 20, "a.dat", id="noise"),
    ],
)
def test_what_is_no_document_is_unsupported(rejected: Rejected, content: bytes, name: str) -> None:
    assert rejected(content, name) is QuarantineCode.UNSUPPORTED


def protected(content: bytes) -> bytes:
    out = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(content)).encrypt("secret", out)
    return out.getvalue()


def test_an_office_file_with_a_password_is_encrypted(rejected: Rejected) -> None:
    assert rejected(protected(documents.word()), "a.docx") is QuarantineCode.ENCRYPTED


@pytest.mark.parametrize("name", ["password_protected.xlsx", "pdf/password.pdf", "eml/fake-encrypted.eml", "fake-encrypted.msg"])
def test_samples_with_a_password_are_encrypted(rejected: Rejected, samples: Path, name: str) -> None:
    assert rejected((samples / name).read_bytes(), name) is QuarantineCode.ENCRYPTED


def test_a_file_above_the_size_limit_is_not_even_opened() -> None:
    assert under(b"word " * 1_000, "a.txt", source_max_file_bytes=4_999) is QuarantineCode.TOO_LARGE


def test_more_text_than_allowed_is_too_large() -> None:
    assert under(b"word " * 1_000, "a.txt", parse_max_text_characters=4_000) is QuarantineCode.TOO_LARGE


def test_more_cells_than_allowed_are_too_large() -> None:
    assert under(b"a,b\n" * 60, "a.csv", parse_max_table_cells=100) is QuarantineCode.TOO_LARGE


def test_more_pages_than_allowed_are_too_many() -> None:
    assert under(documents.pdf("One page.", "Two pages."), "a.pdf", parse_max_pages=1) is QuarantineCode.TOO_MANY_PAGES


def test_more_attachments_than_allowed_are_too_large() -> None:
    message = EmailMessage()
    message.set_content("Two files.")
    for name in ("a.txt", "b.txt"):
        message.add_attachment(b"words", maintype="text", subtype="plain", filename=name)

    assert under(message.as_bytes(), "a.eml", parse_max_attachments=1) is QuarantineCode.TOO_LARGE


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    out = io.BytesIO()
    Image.new("1", (4_000, 4_000)).save(out, "PNG")

    assert under(out.getvalue(), "a.png", parse_max_image_pixels=1_000_000) is QuarantineCode.TOO_LARGE


@pytest.mark.parametrize(
    ("content", "limits"),
    [
        pytest.param(
            documents.book(text="a" * (30 * MIB)),
            {"parse_max_expanded_bytes": 20 * MIB, "parse_max_compression_ratio": 100_000},
            id="total",
        ),
        pytest.param(documents.book(text="a" * (30 * MIB)), {}, id="ratio"),
        pytest.param(documents.book(), {"parse_max_archive_members": 3}, id="members"),
    ],
)
def test_a_file_that_expands_beyond_the_limits_is_not_unpacked(content: bytes, limits: dict[str, int]) -> None:
    assert under(content, "a.epub", **limits) is QuarantineCode.EXPANDS_TOO_MUCH


def test_an_archive_that_lies_about_its_size_is_not_read_beyond_it(rejected: Rejected) -> None:
    honest = documents.archive({"word/document.xml": b"a" * (30 * MIB), "[Content_Types].xml": "<Types/>"})
    lying = honest.replace((30 * MIB).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    assert zipfile.ZipFile(io.BytesIO(lying)).getinfo("word/document.xml").file_size == 1_000

    assert rejected(lying, "a.docx") is QuarantineCode.CORRUPT


def test_a_document_that_takes_too_much_memory_ends_alone() -> None:
    greedy = b"[" + b"[1]," * 3_000_000 + b"[1]]"

    with ParsePool(Settings(parse_memory_bytes=256 * MIB)) as pool:
        result = pool.parse(greedy, name="a.json")
        after = pool.parse(b"Still here.", name="b.txt")

    assert isinstance(result, Rejection)
    assert result.code is QuarantineCode.OUT_OF_MEMORY
    assert isinstance(after, ParsedDocument)


def test_a_document_that_hangs_is_ended_by_the_clock() -> None:
    with within(2 + PROCESS_SECONDS), ParsePool(Settings(parse_wall_seconds=2)) as pool:
        result = pool.parse(HANGING, name="a.md")

    assert isinstance(result, Rejection)
    assert (result.code, result.retryable) == (QuarantineCode.TIMED_OUT, True)


def test_a_document_that_computes_too_long_is_ended_by_the_processor_limit() -> None:
    with within(1 + PROCESS_SECONDS):
        code = under(HANGING, "a.md", parse_cpu_seconds=1, parse_wall_seconds=round(FAR_SECONDS))

    assert code is QuarantineCode.TIMED_OUT


def programs_in(directory: Path) -> list[str]:
    """Names of the programs that work in a directory, ended ones that nobody waited for included."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if str((process / "cwd").readlink()).startswith(str(directory)):
                    found.append((process / "comm").read_text().strip())
            except OSError:
                continue
    return found


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_a_program_that_the_reader_started_ends_with_the_document() -> None:
    out = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (6_000, 6_000), dtype=np.uint8)
    Image.fromarray(noise).save(out, "PNG", compress_level=0)
    seen: set[str] = set()
    with ParsePool(Settings(parse_wall_seconds=8)) as pool:
        results: list[ParsedDocument | Rejection] = []
        parsing = threading.Thread(target=lambda: results.append(pool.parse(out.getvalue(), name="a.png")))
        parsing.start()
        while parsing.is_alive():
            seen.update(programs_in(pool._scratch.path))
            time.sleep(0.1)

        left = [name for name in programs_in(pool._scratch.path) if name == "tesseract"]

    assert isinstance(results[0], Rejection)
    assert results[0].code is QuarantineCode.TIMED_OUT
    assert "tesseract" in seen
    assert left == []


def test_a_program_that_would_outlive_the_reader_ends_with_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.parsing.server_process._PROGRAM", "tests.pipelines.parsing.stalling_server")
    with ParsePool(Settings(parse_wall_seconds=2)) as pool:
        result = pool.parse(b"Words.", name="a.txt")

        left = [name for name in programs_in(pool._scratch.path) if name == "sleep"]

    assert isinstance(result, Rejection)
    assert result.code is QuarantineCode.TIMED_OUT
    assert left == []


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A web server on loopback, with the paths that anybody asked it for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_references_out_of_a_document_are_followed_neither_to_files_nor_to_the_network(
    pool: ParsePool, listener: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("swordfish")
    entities = f'<!DOCTYPE a [<!ENTITY f SYSTEM "{secret.as_uri()}"><!ENTITY n SYSTEM "{address}/entity">]><a><b>Words &f; &n;</b></a>'
    head = f'<head><link rel="stylesheet" href="{address}/css"></head>'
    html = f'<html>{head}<body><p>Words</p><img src="{address}/img"><iframe src="{secret}"></iframe></body></html>'
    markdown = f"# Words\n\n![picture]({address}/md)\n\n.. include:: {secret}\n"

    results = [
        pool.parse(entities.encode(), name="a.xml"),
        pool.parse(documents.archive({**_parts(documents.word()), "word/document.xml": entities}), name="a.docx"),
        pool.parse(html.encode(), name="a.html"),
        pool.parse(markdown.encode(), name="a.md"),
    ]

    assert asked == []
    assert all("swordfish" not in result.text for result in results if isinstance(result, ParsedDocument))


def _parts(office: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(office)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_billion_laughs_are_refused(rejected: Rejected) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

    code = rejected(f'<!DOCTYPE a [<!ENTITY l0 "ha">{entities}]><a>&l9;</a>'.encode(), "a.xml")

    assert code in {QuarantineCode.CORRUPT, QuarantineCode.EMPTY}


def test_parsing_processes_live_in_an_empty_network_where_the_platform_allows_it(pool: ParsePool) -> None:
    if not pool.isolation.network_cut:
        pytest.skip("this platform does not let the process leave the network")

    ours = Path("/proc/self/ns/net").readlink()
    theirs = Path(f"/proc/{pool._light.pid}/ns/net").readlink()
    assert ours != theirs
