"""Each format, on a small real file: what of it becomes text, and what is known about where it stands."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from pipelines.parsing.sandbox import ParsePool
from retrieval.domain.documents import ElementKind, ParsedDocument, QuarantineCode, Rejection
from tests.pipelines.parsing import documents

Parse = Callable[[bytes, str], ParsedDocument]
needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
needs_soffice = pytest.mark.skipif(shutil.which("soffice") is None, reason="the program soffice (LibreOffice) is not installed")


RUSSIAN = "Это обычный русский текст про погоду и людей. " * 20


def rows(document: ParsedDocument) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(e.kind.value, e.span.of(document.text), e.heading_path) for e in document.elements]


def test_a_word_document_keeps_its_styled_headings_and_tables(parsed: Parse) -> None:
    document = parsed(documents.word(), "lease.docx")

    assert (document.title, document.metadata["author"]) == ("Lease register", "Ada Okafor")
    assert rows(document) == [
        ("heading", "Warehouses", ()),
        ("text", documents.SENTENCE, ("Warehouses",)),
        ("heading", "Bremen", ("Warehouses",)),
        ("text", "Contact Us", ("Warehouses", "Bremen")),
        ("table", "Site | Rent\nBremen | 4,200", ("Warehouses", "Bremen")),
    ]


def test_a_slide_is_a_page_under_its_title(parsed: Parse) -> None:
    document = parsed(documents.slides(), "results.pptx")

    found = [(e.page, e.span.of(document.text), e.heading_path) for e in document.elements if e.kind is not ElementKind.TITLE]
    assert document.title == "First quarter"
    assert (1, "Revenue rose by 4 %.", ()) in found
    assert (2, "Revenue fell by 1 %.", ("Second quarter",)) in found
    assert (2, "Region | Sales\nNorth | 12", ("Second quarter",)) in found


def test_a_sheet_is_a_page_under_its_name_and_numbers_keep_every_digit(parsed: Parse) -> None:
    document = parsed(documents.workbook(), "exchange.xlsx")

    assert document.title == "exchange"
    assert [e.page for e in document.elements] == [1, 1, 1, 2, 2]
    assert rows(document) == [
        ("heading", "Rates", ()),
        ("text", "Exchange rates", ("Rates",)),
        ("table", "Currency | Rate\nCHF | 0.9412345678", ("Rates",)),
        ("heading", "Staff", ()),
        ("table", "Name | Room\nAda | 12", ("Staff",)),
    ]


def test_an_email_starts_with_its_headers_and_gives_its_attachments(parsed: Parse) -> None:
    document = parsed(documents.mail(), "lease.eml")

    assert document.title == "Lease of the Bremen warehouse"
    assert document.metadata["from"] == "Ada Okafor <ada@example.com>"
    assert rows(document)[0][1].splitlines()[:3] == [
        "From: Ada Okafor <ada@example.com>",
        "To: Ben Adeyemi <ben@example.com>",
        "Date: 2026-03-03 10:15:00+00:00",
    ]
    assert rows(document)[1][1] == documents.SENTENCE
    assert [(a.name, a.content) for a in document.attachments] == [("rents.csv", b"a,b\n1,2\n")]


def test_a_web_page_keeps_headings_lists_tables_and_code_without_its_menu(parsed: Parse) -> None:
    html = b"""<html><head><title>Handbook</title><script>var x</script></head><body><nav>Menu</nav><h1>Leave</h1><p>Twenty days.</p>
    <h2>Carry over</h2><ul><li>Five days</li></ul>
    <table><tr><th>Year</th><th>Days</th></tr><tr><td>2026</td><td>20</td></tr></table></body></html>"""

    document = parsed(html, "handbook.html")

    assert document.title == "Handbook"
    assert rows(document) == [
        ("heading", "Leave", ()),
        ("text", "Twenty days.", ("Leave",)),
        ("heading", "Carry over", ("Leave",)),
        ("list_item", "Five days", ("Leave", "Carry over")),
        ("table", "Year | Days\n2026 | 20", ("Leave", "Carry over")),
    ]


@pytest.mark.parametrize("depth", [1_000, 3_000])
def test_a_web_page_nested_too_deeply_for_the_library_still_gives_its_text(parsed: Parse, depth: int) -> None:
    html = b"<html><body>" + b"<div>" * depth + documents.SENTENCE.encode() + b"</div>" * depth + b"</body></html>"

    document = parsed(html, "deep.html")

    assert documents.SENTENCE in document.text


def test_markdown_keeps_its_structure_and_its_front_matter_stays_out_of_the_text(parsed: Parse) -> None:
    markdown = b"""---
title: Travel policy
owner: finance
---
# Travel policy

Book *early*, see [the rates](https://example.com).

## Hotels

- Ask first
- Keep receipts

| City | Limit |
|---|---|
| Bremen | 120 |

```
limit = 120
```
"""

    document = parsed(markdown, "travel.md")

    assert (document.title, document.metadata) == ("Travel policy", {"owner": "finance"})
    assert rows(document) == [
        ("title", "Travel policy", ()),
        ("text", "Book early, see the rates.", ()),
        ("heading", "Hotels", ()),
        ("list_item", "Ask first", ("Hotels",)),
        ("list_item", "Keep receipts", ("Hotels",)),
        ("table", "City | Limit\nBremen | 120", ("Hotels",)),
        ("code", "limit = 120", ("Hotels",)),
    ]


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        pytest.param("déjà vu, façade".encode("cp1252"), "déjà vu, façade", id="windows-1252"),
        pytest.param("déjà vu, façade".encode(), "déjà vu, façade", id="utf-8"),
        pytest.param("\ufeffdéjà vu".encode(), "déjà vu", id="utf-8-with-mark"),
        pytest.param("déjà vu".encode("utf-16"), "déjà vu", id="utf-16"),
        pytest.param(("déjà vu and more words " * 9).encode("utf-16-le"), "déjà vu and more words " * 9, id="utf-16-unmarked"),
        pytest.param(RUSSIAN.encode("koi8-r"), RUSSIAN, id="koi8-r"),
    ],
)
def test_text_is_decoded_as_it_was_meant(parsed: Parse, encoded: bytes, expected: str) -> None:
    document = parsed(encoded, "note.txt")

    assert document.text == expected.strip()


def test_filled_lines_become_a_paragraph_and_short_lines_stay_lines(parsed: Parse) -> None:
    text = b"This line is filled up to the margin of the page by words\nand so the paragraph continues on it.\n\nAda Okafor\n12 Dock Road\n"

    document = parsed(text, "letter.txt")

    assert [row[1] for row in rows(document)] == [
        "This line is filled up to the margin of the page by words and so the paragraph continues on it.",
        "Ada Okafor\n12 Dock Road",
    ]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"Site,Rent\nBremen,0042\n", "a.csv", id="comma"),
        pytest.param(b"Site;Rent\nBremen;0042\n", "a.csv", id="semicolon"),
        pytest.param(b"Site\tRent\nBremen\t0042\n", "a.tsv", id="tab"),
        pytest.param("Site,Rent\nBremen,0042\n".encode("utf-16"), "a.csv", id="utf-16"),
    ],
)
def test_separated_values_are_one_table_with_leading_zeros(parsed: Parse, content: bytes, name: str) -> None:
    document = parsed(content, name)

    assert rows(document) == [("table", "Site | Rent\nBremen | 0042", ())]


def test_json_becomes_lines_of_path_and_value(parsed: Parse) -> None:
    document = parsed(b'{"site": {"name": "Bremen", "tags": ["dock", "cold"]}, "rent": 4200, "note": null}', "site.json")

    assert document.text == "site.name: Bremen\nsite.tags: dock, cold\nrent: 4200"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(documents.book(), "leases.epub", id="epub"),
        pytest.param(b"{\\rtf1\\ansi " + documents.SENTENCE.encode() + b"\\par}", "lease.rtf", id="rtf"),
        pytest.param(f"<lease><site>{documents.SENTENCE}</site></lease>".encode(), "lease.xml", id="xml"),
    ],
)
def test_other_formats_give_their_text(parsed: Parse, content: bytes, name: str) -> None:
    document = parsed(content, name)

    assert documents.SENTENCE in document.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("simple.odt", "These are a few of my favorite things:", id="odt"),
        pytest.param("tests-example.xls", "What is 2+2?", id="xls"),
        pytest.param("fake-email-attachment.msg", "Subject: Fake email with attachment", id="msg"),
        pytest.param("simple.doc", "This is my first thought.", id="doc", marks=needs_soffice),
        pytest.param("fake-power-point.ppt", "Adding a Bullet Slide", id="ppt", marks=needs_soffice),
    ],
)
def test_formats_that_no_library_here_writes_are_read_from_samples(parsed: Parse, samples: Path, name: str, expected: str) -> None:
    document = parsed((samples / name).read_bytes(), name)

    assert expected in document.text


def test_a_pdf_has_paragraphs_with_pages_and_mended_words(parsed: Parse) -> None:
    first = (
        "The warehouse in Bremen is leased until the end of March and the inter-\n"
        "national desk decides on the renewal of the contract in autumn."
    )

    document = parsed(documents.pdf(first, "Second page of the document."), "lease.pdf")

    assert [(e.page, e.span.of(document.text)) for e in document.elements] == [
        (1, first.replace("-\n", "").replace("\n", " ")),
        (2, "Second page of the document."),
    ]
    assert document.method == "pdfium"


def test_a_name_that_lies_about_the_format_is_not_believed(parsed: Parse) -> None:
    document = parsed(documents.pdf("A page of text that is long enough."), "really.docx")

    assert document.media_type == "application/pdf"


def picture(text: str) -> Image.Image:
    image = Image.new("L", (1200, 200), 255)
    ImageDraw.Draw(image).text((40, 60), text, fill=0, font=ImageFont.load_default(60))
    return image


@needs_tesseract
def test_an_image_is_read_by_tesseract(parsed: Parse, tmp_path: Path) -> None:
    picture("Lease of Bremen").save(tmp_path / "a.png")

    document = parsed((tmp_path / "a.png").read_bytes(), "a.png")

    assert (document.text, document.method, document.media_type) == ("Lease of Bremen", "tesseract", "image/png")


@needs_tesseract
def test_a_scanned_pdf_is_read_by_tesseract_with_its_page(parsed: Parse, tmp_path: Path) -> None:
    picture("Lease of Bremen").save(tmp_path / "a.pdf", resolution=200)

    document = parsed((tmp_path / "a.pdf").read_bytes(), "a.pdf")

    assert [(e.page, e.span.of(document.text)) for e in document.elements] == [(1, "Lease of Bremen")]


def test_a_scan_without_tesseract_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    picture("Lease of Bremen").save(tmp_path / "a.png")
    monkeypatch.setattr("pipelines.parsing.server_process._PATH", str(tmp_path))

    with ParsePool(settings) as pool:  # type: ignore[arg-type]  a fixture of another folder
        result = pool.parse((tmp_path / "a.png").read_bytes(), name="a.png")

    assert isinstance(result, Rejection)
    assert result.code is QuarantineCode.NEEDS_PROGRAM
    assert "tesseract-ocr" in result.reason
