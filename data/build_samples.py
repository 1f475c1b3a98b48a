"""Makes the binary sample documents from the Markdown under `samples_text/`. Results are committed; run it after changing a source.

`samples_text/a/b.docx.md` becomes `samples/a/b.docx`: the last suffix but one names the format. python-docx, python-pptx and
openpyxl write DOCX, PPTX and XLSX, the standard library writes EML, and LibreOffice writes PDF and ODT from a DOCX.
Front matter: `author` and `date`; for mail `from`, `to`, `cc`, `date`, `subject` and `attach`; `scan`, `password` and `damage` for
the PDF that is only a picture, the one that nobody can open and the workbook that is cut short.

Usage: `.venv/bin/python data/build_samples.py` (needs `soffice`: apt-get install libreoffice-writer-nogui).
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

import docx
import openpyxl
import pptx
import pypdf
import pypdfium2
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph
from openpyxl.styles import Font
from PIL import Image, ImageFilter
from pptx.util import Inches
from pptx.util import Pt as SlidePt
from sample_sources import SOURCES, Block, Source, read_source

OFFICE_SECONDS = 300
SCAN_DPI = 110


def main() -> None:
    """Builds every source below `samples_text/`, or only those named on the command line."""
    if shutil.which("soffice") is None:
        sys.exit("LibreOffice is missing: apt-get install --no-install-recommends libreoffice-writer-nogui")
    wanted = [Path(name).resolve() for name in sys.argv[1:]] or sorted(SOURCES.rglob("*.md"))
    sources = [read_source(path) for path in wanted]
    for source in sources:
        source.target.parent.mkdir(parents=True, exist_ok=True)
        if source.target.suffix in BUILDERS:
            source.target.write_bytes(BUILDERS[source.target.suffix](source))
    for suffix in (".pdf", ".odt"):
        _office([s for s in sources if s.target.suffix == suffix], suffix)
    sys.stdout.write(f"{len(sources)} documents built\n")


def _docx(source: Source) -> bytes:
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(22)
    document.styles["Normal"].font.size = Pt(10.5)
    _footer(section.footer.paragraphs[0], source.title)
    styles = {"h1": "Title", "h2": "Heading 1", "h3": "Heading 2", "bullet": "List Bullet", "step": "List Paragraph", "note": "Quote"}
    for block in source.blocks:
        if block.kind == "table":
            _docx_table(document, block)
        elif block.kind == "break":
            document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        else:
            paragraph = document.add_paragraph(style=styles.get(block.kind, "Normal"))
            for run in block.runs:
                written = paragraph.add_run(run.text)
                written.bold, written.italic = run.bold or None, run.italic or None
    return _saved(document, source)


def _docx_table(document: docx.document.Document, block: Block) -> None:
    table = document.add_table(len(block.rows), len(block.rows[0]), style="Light Grid Accent 1")
    for row, cells in zip(table.rows, block.rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    header = table.rows[0]._tr.get_or_add_trPr()  # noqa: SLF001 -- python-docx has no public way to repeat a header row
    header.append(OxmlElement("w:tblHeader"))
    document.add_paragraph()


def _footer(paragraph: Paragraph, title: str) -> None:
    paragraph.add_run(f"Halverbeck Fishways Ltd | {title} | page ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)  # noqa: SLF001 -- python-docx has no public way to write a page number


def _pptx(source: Source) -> bytes:
    deck = pptx.Presentation()
    slides: list[list[Block]] = []
    for block in source.blocks:
        if block.kind in ("h1", "h2"):
            slides.append([])
        slides[-1].append(block)
    for number, (heading, *rest) in enumerate(slides):
        table = next((block for block in rest if block.kind == "table"), None)
        slide = deck.slides.add_slide(deck.slide_layouts[0 if number == 0 else 5 if table else 1])
        slide.shapes.title.text = heading.text
        words = [block.text for block in rest if block.kind in ("text", "bullet")]
        if table:
            _slide_table(slide, table)
        else:
            slide.placeholders[1].text = "\n".join(words)
        notes = [block.text for block in rest if block.kind == "note"]
        if notes:
            slide.notes_slide.notes_text_frame.text = "\n".join(notes)
    return _saved(deck, source)


def _slide_table(slide: pptx.slide.Slide, block: Block) -> None:
    rows, columns = len(block.rows), len(block.rows[0])
    table = slide.shapes.add_table(rows, columns, Inches(0.5), Inches(1.8), Inches(9), Inches(0.6 * rows)).table
    for y, cells in enumerate(block.rows):
        for x, text in enumerate(cells):
            table.cell(y, x).text = text
            table.cell(y, x).text_frame.paragraphs[0].font.size = SlidePt(16)


def _xlsx(source: Source) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for block in source.blocks:
        if block.kind == "h2":
            sheet = book.create_sheet(block.text)
        elif block.kind == "table":
            for row in block.rows:
                sheet.append([_number(cell) for cell in row])
            for x, column in enumerate(zip(*block.rows, strict=True), 1):
                sheet.cell(1, x).font = Font(bold=True)
                sheet.column_dimensions[sheet.cell(1, x).column_letter].width = 3 + max(map(len, column))
            sheet.freeze_panes = "A2"
    saved = _saved(book, source)
    return saved[: len(saved) * 3 // 5] if source.meta.get("damage") == "truncate" else saved


def _number(cell: str) -> str | int | float | None:
    if re.fullmatch(r"-?(0|[1-9]\d*)", cell):
        return int(cell)
    if re.fullmatch(r"-?\d+\.\d+", cell):
        return float(cell)
    return cell or None


def _eml(source: Source) -> bytes:
    message = EmailMessage(policy=SMTP)
    for header in ("from", "to", "cc"):
        addresses = [parseaddr(one) for one in str(source.meta.get(header, "")).split(",") if one]
        if addresses:
            message[header.title()] = [Address(name, addr_spec=address) for name, address in addresses]
    message["Subject"] = str(source.meta["subject"])
    message["Date"] = format_datetime(source.made_at)
    message["Message-ID"] = f"<{source.target.stem}@halverbeck.example>"
    message.set_content(source.body.strip() + "\n", cte="quoted-printable")
    name = source.meta.get("attach")
    if name:
        attached = (source.path.parent / str(name)).read_text(encoding="utf-8")
        message.add_attachment(attached, subtype="csv", cte="base64", filename=str(name))
        message.set_boundary(f"=-{source.target.stem}")
    return message.as_bytes()


def _saved(document: "docx.document.Document | pptx.presentation.Presentation | openpyxl.Workbook", source: Source) -> bytes:
    """The document's bytes with the source's author and date, and no other clock in them."""
    properties = document.properties if isinstance(document, openpyxl.Workbook) else document.core_properties
    author, made_at = str(source.meta["author"]), source.made_at.replace(tzinfo=None)
    for name in ("author", "creator", "last_modified_by", "lastModifiedBy"):
        if hasattr(properties, name):
            setattr(properties, name, author)
    properties.title, properties.created, properties.modified = source.title, made_at, made_at
    saved = io.BytesIO()
    document.save(saved)
    return _fixed_zip(saved.getvalue(), source)


def _fixed_zip(raw: bytes, source: Source) -> bytes:
    """The same archive with every member dated alike: tools stamp the time of writing."""
    stamp = source.made_at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename in ("docProps/core.xml", "meta.xml"):
                content = re.sub(rb"(<dcterms:modified[^>]*>|<dc:date>|<meta:creation-date>)[^<]*", rb"\g<1>" + stamp, content)
            if info.filename == "settings.xml":
                content = re.sub(rb'(config:name="Rsid[^>]*>)\d+', rb"\g<1>0", content)
            member = zipfile.ZipInfo(info.filename, max(source.made_at, datetime(1980, 1, 1, tzinfo=UTC)).timetuple()[:6])
            member.compress_type = zipfile.ZIP_STORED if info.filename == "mimetype" else zipfile.ZIP_DEFLATED
            new.writestr(member, content)
    return fixed.getvalue()


def _office(sources: list[Source], suffix: str) -> None:
    """Converts the sources through DOCX with LibreOffice, and finishes each."""
    if not sources:
        return
    with tempfile.TemporaryDirectory() as folder:
        drafts = [Path(folder) / f"{number:03}.docx" for number, _ in enumerate(sources)]
        for draft, source in zip(drafts, sources, strict=True):
            draft.write_bytes(_docx(source))
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = ["soffice", profile, "--headless", "--convert-to", suffix[1:], "--outdir", folder, *map(str, drafts)]
        subprocess.run(command, check=True, timeout=OFFICE_SECONDS, capture_output=True)  # noqa: S603 -- fixed program, own files
        for draft, source in zip(drafts, sources, strict=True):
            raw = draft.with_suffix(suffix).read_bytes()
            source.target.write_bytes(_fixed_zip(raw, source) if suffix == ".odt" else _finished_pdf(raw, source))


def _finished_pdf(raw: bytes, source: Source) -> bytes:
    if source.meta.get("scan"):
        return _scan(raw, source)
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(raw))
    stamp = source.made_at.strftime("D:%Y%m%d%H%M%SZ")
    writer.metadata = {"/Title": source.title, "/Author": str(source.meta["author"]), "/CreationDate": stamp, "/ModDate": stamp}
    fixed_id = pypdf.generic.ByteStringObject(source.target.name.encode().ljust(16)[:16])
    writer._ID = pypdf.generic.ArrayObject([fixed_id, fixed_id])  # noqa: SLF001 -- pypdf draws it at random otherwise
    if source.meta.get("password"):
        writer.encrypt(str(source.meta["password"]), algorithm="RC4-128")  # the only one without a random salt
    finished = io.BytesIO()
    writer.write(finished)
    return re.sub(rb"/ID \[ (<\w+>) <\w+> \]", rb"/ID [ \1 \1 ]", finished.getvalue())


def _scan(raw: bytes, source: Source) -> bytes:
    """Pages as a scanner would give them: grey pictures, slightly askew, no text."""
    document = pypdfium2.PdfDocument(raw)
    pages = [page.render(scale=SCAN_DPI / 72).to_pil().convert("L") for page in document]
    pages = [page.rotate(0.7, Image.Resampling.BICUBIC, fillcolor=246).filter(ImageFilter.GaussianBlur(0.4)) for page in pages]
    written = io.BytesIO()
    made_at = source.made_at.timetuple()
    pages[0].save(
        written, "PDF", save_all=True, append_images=pages[1:], resolution=SCAN_DPI, quality=70, creationDate=made_at, modDate=made_at
    )
    return written.getvalue()


BUILDERS: Mapping[str, Callable[[Source], bytes]] = {".docx": _docx, ".pptx": _pptx, ".xlsx": _xlsx, ".eml": _eml}

if __name__ == "__main__":
    main()
