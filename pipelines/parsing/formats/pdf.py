"""PDF: text by pdfium, page by page; pages that are pictures through Tesseract.

pdfium rather than `unstructured`: forty times faster, without torch, and it reports damage and passwords that the other turns into no text.
"""

import re
import shutil
from collections.abc import Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipelines.parsing import detect, rejections
from pipelines.parsing.canonical import Block, Reading
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.formats import ocr
from pipelines.parsing.formats.pdf_layout import PageLine, blocks_of, page_lines
from pipelines.parsing.limits import Limits
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.source import Source

_READ_LETTERS = 12
"""A page with fewer letters and digits, and a picture, counts as scanned."""
_POINTS_PER_INCH = 72
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)")
_METADATA = {"Author": "author", "Subject": "subject", "Keywords": "keywords", "CreationDate": "created", "ModDate": "modified"}


def read_pdf(source: Source) -> Reading:
    """Text with pages. Where only some pages are pictures and no OCR is possible, the metadata name them in `pages_not_read`."""
    document = _open(source)
    pages = len(document)
    if pages > source.limits.pages:
        raise Rejected(rejections.too_many_pages("pages", pages, source.limits.pages))
    lines, scanned = _text(document)
    recognised, unread = _recognised(document, scanned, source.limits, has_text=bool(lines))
    blocks = sorted([*blocks_of(lines), *recognised], key=lambda block: block.page or 0)
    declared = document.get_metadata_dict(skip_empty=True)
    metadata = {ours: _dated(declared[theirs]) for theirs, ours in _METADATA.items() if theirs in declared}
    metadata["pages"] = str(pages)
    if unread:
        metadata["pages_not_read"] = ", ".join(map(str, unread))
    method = "+".join(name for name, used in (("pdfium", lines), ("tesseract", recognised)) if used) or "pdfium"
    return Reading(MEDIA_TYPES[FileType.PDF], method, blocks, title=declared.get("Title", ""), metadata=metadata)


def _dated(value: str) -> str:
    """PDF's own form of dates as ISO ones; anything else as it is."""
    found = _DATE.match(value)
    return "{}-{}-{}T{}:{}:{}".format(*found.groups()) if found else value


def _open(source: Source) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(source.path)
    except pdfium.PdfiumError as error:
        if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
            raise Rejected(rejections.ENCRYPTED) from error
        raise Rejected(rejections.damaged(detect.NAMES[FileType.PDF])) from error
    if not len(document):
        raise Rejected(rejections.damaged(detect.NAMES[FileType.PDF]))
    return document


def _text(document: pdfium.PdfDocument) -> tuple[list[PageLine], list[int]]:
    """All lines of the document, and the numbers of the pages that have a picture instead of text."""
    lines: list[PageLine] = []
    scanned: list[int] = []
    for number in range(1, len(document) + 1):
        try:
            page = document[number - 1]
            found = list(page_lines(page, number))
        except pdfium.PdfiumError:  # one broken page does not cost the others
            scanned.append(number)
            continue
        lines += found
        if sum(c.isalnum() for line in found for c in line.text) < _READ_LETTERS and _has_picture(page):
            scanned.append(number)
        page.close()
    return lines, scanned


def _has_picture(page: pdfium.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_SHADING], max_depth=3))


def _recognised(document: pdfium.PdfDocument, scanned: list[int], limits: Limits, *, has_text: bool) -> tuple[list[Block], list[int]]:
    """Blocks read from pictures, and the scanned pages left unread.

    Raises:
        Rejected: the document is scanned throughout and OCR is not possible or would take too many pages.
    """
    mostly_text = has_text and len(scanned) * 2 < len(document)
    if not scanned or (mostly_text and shutil.which("tesseract") is None):
        return [], scanned
    if len(scanned) > limits.ocr_pages and not mostly_text:
        raise Rejected(rejections.too_many_pages("pages that are pictures", len(scanned), limits.ocr_pages))
    reader = ocr.Reader(limits)
    return list(_read_pictures(document, scanned[: limits.ocr_pages], reader, limits)), scanned[limits.ocr_pages :]


def _read_pictures(document: pdfium.PdfDocument, numbers: list[int], reader: ocr.Reader, limits: Limits) -> Iterator[Block]:
    for number in numbers:
        try:
            page = document[number - 1]
        except pdfium.PdfiumError:
            continue
        width, height = page.get_size()
        scale = min(ocr.RESOLUTION / _POINTS_PER_INCH, (limits.image_pixels / max(width * height, 1)) ** 0.5)
        yield from reader.read(page.render(scale=scale, grayscale=True).to_pil(), page=number)
        page.close()
