"""What a parsing process hands over is checked as if a stranger had written it."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.parsing import wire
from pipelines.parsing.canonical import Block, Reading, canonicalise
from pipelines.parsing.limits import Limits
from pipelines.parsing.sandbox import limits_of
from retrieval.domain.documents import Attachment, ElementKind, ParsedDocument, QuarantineCode, Rejection
from retrieval.settings import Settings

LIMITS: Limits = limits_of(Settings(parse_max_text_characters=1_000, parse_max_attachments=2, source_max_file_bytes=100))


@pytest.fixture
def handed_over(tmp_path: Path) -> Path:
    reading = Reading(
        "text/plain",
        "test",
        [Block(ElementKind.HEADING, "Scope", 1, 1), Block(ElementKind.TEXT, "Words.", 2)],
        title="Policy",
        metadata={"author": "Ada"},
        attachments=[Attachment("a.csv", b"1,2")],
    )
    wire.write_document(tmp_path, reading, canonicalise(reading, name="a.txt", max_characters=1_000))
    return tmp_path


def changed(header: Path, **fields: object) -> None:
    header.write_text(json.dumps(json.loads(header.read_text()) | fields))


def elements(*fields: tuple[int, int, int, int, int]) -> Callable[[Path], object]:
    return lambda directory: (directory / "elements").write_bytes(b"".join(struct.pack("<IIiBI", *f) for f in fields))


def linked(directory: Path) -> None:
    (directory / "text").rename(directory / "elsewhere")
    (directory / "text").symlink_to(directory / "elsewhere")


def piped(directory: Path) -> None:
    (directory / "text").unlink()
    os.mkfifo(directory / "text")


def test_a_document_arrives_as_it_was_handed_over(handed_over: Path) -> None:
    document, _ = wire.read_result(handed_over, LIMITS)

    assert isinstance(document, ParsedDocument)
    assert (document.title, document.metadata, document.text) == ("Policy", {"author": "Ada"}, "Scope\n\nWords.")
    assert [(e.kind, e.page, e.heading_path) for e in document.elements] == [
        (ElementKind.HEADING, 1, ()),
        (ElementKind.TEXT, 2, ("Scope",)),
    ]
    assert document.attachments == (Attachment("a.csv", b"1,2"),)


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda d: (d / "text").write_bytes(b""), id="no-text"),
        pytest.param(lambda d: (d / "text").write_bytes(b"a" * 1_001), id="too-much-text"),
        pytest.param(lambda d: (d / "text").write_bytes(b"a" * 5_000), id="a-larger-file-than-any-text"),
        pytest.param(lambda d: (d / "text").write_bytes(b"Scope\x00\n\nWord."), id="zero-character"),
        pytest.param(lambda d: (d / "text").write_bytes(b"Scope\n\nWor\xed\xa0\x80"), id="surrogate"),
        pytest.param(linked, id="link-to-another-file"),
        pytest.param(piped, id="pipe-that-never-ends"),
        pytest.param(elements(), id="no-elements"),
        pytest.param(elements((0, 5, 1, 1, 0), (4, 9, 1, 2, 0)), id="overlap"),
        pytest.param(elements((7, 9, 1, 1, 0), (0, 5, 1, 2, 0)), id="out-of-order"),
        pytest.param(elements((0, 99, 1, 1, 0)), id="outside-the-text"),
        pytest.param(elements((3, 3, 1, 1, 0)), id="empty-element"),
        pytest.param(elements((5, 3, 1, 1, 0)), id="backwards"),
        pytest.param(elements((0, 5, 0, 1, 0)), id="page-zero"),
        pytest.param(elements((0, 5, 1, 200, 0)), id="unknown-kind"),
        pytest.param(elements((0, 5, 1, 1, 9)), id="unknown-path"),
        pytest.param(lambda d: (d / "elements").write_bytes(b"odd"), id="half-an-element"),
        pytest.param(lambda d: changed(d / "header.json", title=""), id="no-title"),
        pytest.param(lambda d: changed(d / "header.json", title="a\nb"), id="title-of-two-lines"),
        pytest.param(lambda d: changed(d / "header.json", title=["a"]), id="title-of-another-type"),
        pytest.param(lambda d: changed(d / "header.json", metadata={str(n): "a" for n in range(51)}), id="too-much-metadata"),
        pytest.param(lambda d: changed(d / "header.json", attachments=["a", "b", "c"]), id="too-many-attachments"),
        pytest.param(lambda d: (d / "attachment-0").write_bytes(b"a" * 101), id="too-large-an-attachment"),
        pytest.param(lambda d: (d / "header.json").write_text("[" * 100_000), id="nested-header"),
        pytest.param(
            lambda d: changed(d / "header.json", rejection={"code": "no such code", "reason": "a", "cause": ""}), id="unknown-code"
        ),
    ],
)
def test_anything_else_is_unusable(handed_over: Path, tamper: Callable[[Path], object]) -> None:
    tamper(handed_over)

    with pytest.raises(wire.Unusable):
        wire.read_result(handed_over, LIMITS)


def test_a_rejection_arrives_with_its_cause_for_the_log_alone(tmp_path: Path) -> None:
    wire.write_rejection(tmp_path, Rejection(QuarantineCode.CORRUPT, "The file is damaged."), cause="ValueError docx.py:12")

    assert wire.read_result(tmp_path, LIMITS) == (Rejection(QuarantineCode.CORRUPT, "The file is damaged."), "ValueError docx.py:12")
