"""Word and PowerPoint documents through `unstructured`; OpenDocument texts and the formats of 1997 are converted to those first."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
import pptx
import pypandoc
from unstructured.documents.elements import Element as Partitioned
from unstructured.partition.docx import partition_docx
from unstructured.partition.pptx import partition_pptx

from pipelines.parsing import detect, programs, rejections
from pipelines.parsing.canonical import Reading, clean_line
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.formats.unstructured_library import blocks_of, partition
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.source import Source

_HEADING_STYLE = re.compile(r"(?:heading \d|title|subtitle)\b", re.IGNORECASE)


def read_docx(source: Source) -> Reading:
    return _docx(source, source.path, FileType.DOCX)


def _docx(source: Source, path: Path, file_type: FileType) -> Reading:
    document = docx.Document(str(path))
    cells = sum(len(table.rows) * len(table.columns) for table in document.tables)
    if cells > source.limits.table_cells:
        raise Rejected(rejections.too_many("table cells", cells, source.limits.table_cells))
    blocks = blocks_of(partition(partition_docx, path), is_heading=_styled_as_heading(document))
    return Reading(MEDIA_TYPES[file_type], f"unstructured:{file_type}", list(blocks), **_properties(document.core_properties))


def _styled_as_heading(document: Any) -> Callable[[Partitioned], bool]:  # noqa: ANN401  python-docx has no types
    """Whether a text stands in a paragraph whose style, or the style that it builds on, is one of headings.

    Reads the XML: python-docx searches all styles for each question about one.
    """
    styles = {style.styleId: style for style in document.styles.element.style_lst}
    names = {key: style.name_val or "" for key, style in styles.items()}
    headings = {
        key
        for key, style in styles.items()
        if _HEADING_STYLE.match(names[key]) or (style.basedOn is not None and _HEADING_STYLE.match(names.get(style.basedOn.val, "")))
    }
    texts = {clean_line(paragraph.text) for paragraph in document.paragraphs if paragraph._p.style in headings}  # noqa: SLF001  see above
    return lambda element: clean_line(element.text) in texts


def read_odt(source: Source) -> Reading:
    """Converted by pandoc as `unstructured` does it, but here, as the styles of the result tell which texts are headings."""
    path = source.directory / "document.docx"
    pypandoc.convert_file(str(source.path), "docx", format="odt", outputfile=str(path), sandbox=True)
    return _docx(source, path, FileType.ODT)


def read_pptx(source: Source) -> Reading:
    return _pptx(source, source.path, FileType.PPTX)


def _pptx(source: Source, path: Path, file_type: FileType) -> Reading:
    """Slides are pages; a slide's title is the heading of what follows on it."""
    presentation = pptx.Presentation(str(path))
    slides = len(presentation.slides)
    if slides > source.limits.pages:
        raise Rejected(rejections.too_many_pages("slides", slides, source.limits.pages))
    titles = {clean_line(slide.shapes.title.text_frame.text) for slide in presentation.slides if slide.shapes.title is not None}
    elements = partition(partition_pptx, path, strategy="fast", include_slide_notes=True, include_page_breaks=False)
    blocks = blocks_of(elements, is_heading=lambda element: clean_line(element.text) in titles)
    return Reading(MEDIA_TYPES[file_type], f"unstructured:{file_type}", list(blocks), **_properties(presentation.core_properties))


def _properties(core: Any) -> dict[str, Any]:  # noqa: ANN401  python-docx and python-pptx share the shape, not a type
    """A title and metadata from an office document's properties."""
    metadata = {"author": core.author, "subject": core.subject, "keywords": core.keywords}
    for name in ("created", "modified"):
        date = getattr(core, name)
        if isinstance(date, datetime):
            metadata[name] = date.isoformat()
    return {"title": core.title or "", "metadata": {key: value for key, value in metadata.items() if value}}


def read_doc(source: Source) -> Reading:
    return _docx(source, _converted(source, FileType.DOC, "docx:MS Word 2007 XML"), FileType.DOC)


def read_ppt(source: Source) -> Reading:
    return _pptx(source, _converted(source, FileType.PPT, "pptx:Impress MS PowerPoint 2007 XML"), FileType.PPT)


def _converted(source: Source, file_type: FileType, target: str) -> Path:
    """The document in its format of 2007. LibreOffice gets a profile of its own, so that several may run at once."""
    component = "writer" if file_type is FileType.DOC else "impress"
    soffice = programs.require("soffice", kind=detect.NAMES[file_type], package=f"libreoffice-{component}-nogui")
    given = source.directory / f"document.{file_type}"
    given.symlink_to(source.path)
    profile = (source.directory / "profile").as_uri()
    options = ["--headless", "--norestore", "--nolockcheck", "--nodefault", f"-env:UserInstallation={profile}"]
    programs.run([soffice, *options, "--convert-to", target, "--outdir", str(source.directory), str(given)])
    converted = source.directory / f"document.{target.partition(':')[0]}"
    if not converted.is_file():
        raise Rejected(rejections.damaged(detect.NAMES[file_type]))
    return converted
