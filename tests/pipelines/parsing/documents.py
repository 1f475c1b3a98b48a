"""Small real documents, made by the libraries that people's programs use."""

import io
import zipfile
from email.message import EmailMessage

import docx
import openpyxl
import pptx
from pptx.util import Inches

SENTENCE = "The lease of the Bremen warehouse ends on 31 March 2027."


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Lease register"
    document.core_properties.author = "Ada Okafor"
    document.add_heading("Warehouses", level=1)
    document.add_paragraph(SENTENCE)
    document.add_heading("Bremen", level=2)
    document.add_paragraph("Contact Us")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("Site", "Rent", "Bremen", "4,200"), strict=True):
        cell.text = text
    return _saved(document)


def slides() -> bytes:
    presentation = pptx.Presentation()
    for title, text in (("First quarter", "Revenue rose by 4 %."), ("Second quarter", "Revenue fell by 1 %.")):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
    table = presentation.slides[1].shapes.add_table(2, 2, Inches(1), Inches(4), Inches(5), Inches(1)).table
    for (row, column), text in {(0, 0): "Region", (0, 1): "Sales", (1, 0): "North", (1, 1): "12"}.items():
        table.cell(row, column).text = text
    return _saved(presentation)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Rates"
    sheet.append(["Exchange rates"])
    sheet.append([])
    sheet.append(["Currency", "Rate"])
    sheet.append(["CHF", 0.9412345678])
    second = book.create_sheet("Staff")
    second.append(["Name", "Room"])
    second.append(["Ada", 12])
    return _saved(book)


def mail() -> bytes:
    message = EmailMessage()
    message["From"] = "Ada Okafor <ada@example.com>"
    message["To"] = "Ben Adeyemi <ben@example.com>"
    message["Date"] = "Tue, 03 Mar 2026 10:15:00 +0000"
    message["Subject"] = "Lease of the Bremen warehouse"
    message.set_content(SENTENCE)
    message.add_alternative(f"<html><body><p>{SENTENCE}</p></body></html>", subtype="html")
    message.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="../../rents.csv")
    return message.as_bytes()


def book(*, text: str = SENTENCE) -> bytes:
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="b.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        "b.opf": '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>B</dc:title><dc:language>en</dc:language>'
        '<dc:identifier id="i">1</dc:identifier></metadata>'
        '<manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>',
        "c.xhtml": '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title>c</title></head><body><h1>Leases</h1><p>{text}</p></body></html>",
    }
    return archive(files)


def archive(files: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def pdf(*pages: str) -> bytes:
    """A PDF with one line of text per line of each page; an empty page is blank."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for page in pages:
        shown = "".join(f"1 0 0 1 72 {720 - 14 * number} Tm ({line}) Tj " for number, line in enumerate(page.splitlines()))
        stream = f"BT /F1 11 Tf {shown}ET".encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        resources = b"<< /Font << /F1 3 0 R >> >>"
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources %s >>" % (len(objects), resources)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]  each of the three libraries has it
    return out.getvalue()
