"""What a sample document says, by the plain libraries of each format."""

import csv
import email
import email.policy
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from xml.etree import ElementTree

import docx
import openpyxl
import pptx
import pypdfium2
from bs4 import BeautifulSoup
from docx.table import Table
from markdown_it import MarkdownIt

from tests.data.company import SAMPLES, SOURCES


def text_of(source_id: str, key: str, attachment: str | None = None) -> str:
    """The document's words with white space made single; cells of a row joined by ' | ', save in PDF."""
    source = next(source for source in SOURCES if source["id"] == source_id)
    raw = (SAMPLES / source["location"]["root"] / key).read_bytes()
    if attachment is not None:
        part = next(part for part in email.message_from_bytes(raw, policy=email.policy.default).walk() if part.get_filename() == attachment)
        key, raw = attachment, part.get_payload(decode=True)
    return " ".join(" ".join(WORDS[PurePosixPath(key).suffix](raw)).split())


def _docx_words(raw: bytes) -> list[str]:
    words = []
    for block in docx.Document(io.BytesIO(raw)).iter_inner_content():
        words += [_row(cell.text for cell in row.cells) for row in block.rows] if isinstance(block, Table) else [block.text]
    return words


def _pptx_words(raw: bytes) -> list[str]:
    words = []
    for slide in pptx.Presentation(io.BytesIO(raw)).slides:
        for shape in slide.shapes:
            words += [_row(cell.text for cell in row.cells) for row in shape.table.rows] if shape.has_table else [shape.text_frame.text]
        words += [slide.notes_slide.notes_text_frame.text] if slide.has_notes_slide else []
    return words


def _pdf_words(raw: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(raw)]


def _xlsx_words(raw: bytes) -> list[str]:
    book = openpyxl.load_workbook(io.BytesIO(raw))
    return [_row(str(value) for value in row if value is not None) for sheet in book for row in sheet.values]


def _odt_words(raw: bytes) -> Iterable[str]:
    return ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(raw)).read("content.xml")).itertext()


def _html_words(raw: bytes) -> list[str]:
    page = BeautifulSoup(raw, "html.parser")
    for row in page.find_all("tr"):
        row.string = _row(cell.get_text() for cell in row.find_all(["th", "td"]))
    return list(page.strings)


def _markdown_words(raw: bytes) -> list[str]:
    return _html_words(MarkdownIt().enable("table").render(raw.decode()).encode())


def _mail_words(raw: bytes) -> list[str]:
    body = email.message_from_bytes(raw, policy=email.policy.default).get_body()
    return [body.get_content()] if body else []


def _csv_words(raw: bytes) -> list[str]:
    return [_row(row) for row in csv.reader(io.StringIO(raw.decode()))]


def _row(cells: Iterable[str]) -> str:
    return " | ".join(cells)


def _plain_words(raw: bytes) -> list[str]:
    return [raw.decode()]


WORDS: Mapping[str, Callable[[bytes], Iterable[str]]] = {
    ".csv": _csv_words,
    ".docx": _docx_words,
    ".eml": _mail_words,
    ".html": _html_words,
    ".md": _markdown_words,
    ".odt": _odt_words,
    ".pdf": _pdf_words,
    ".pptx": _pptx_words,
    ".txt": _plain_words,
    ".xlsx": _xlsx_words,
}
"""How to read each format, by suffix."""
