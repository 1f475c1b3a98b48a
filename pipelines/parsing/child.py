"""The process of one document: limit itself, pick the reader, hand over a document or a rejection."""

import errno
import importlib
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from traceback import extract_tb

from pipelines.parsing import containers, detect, isolation, rejections, wire
from pipelines.parsing.canonical import Reading, canonicalise
from pipelines.parsing.detect import FileType
from pipelines.parsing.limits import Limits
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.request import Request
from pipelines.parsing.source import Source
from retrieval.domain.documents import Rejection

_FORMATS = "pipelines.parsing.formats."
_READERS: Mapping[FileType, tuple[str, str]] = {
    FileType.TXT: ("plain", "read_text"),
    FileType.MARKDOWN: ("markdown", "read_markdown"),
    FileType.CSV: ("separated", "read_separated"),
    FileType.JSON: ("structured", "read_json"),
    FileType.PDF: ("pdf", "read_pdf"),
    FileType.IMAGE: ("image", "read_image"),
    FileType.HTML: ("markup", "read_html"),
    FileType.XML: ("markup", "read_xml"),
    FileType.EPUB: ("markup", "read_epub"),
    FileType.RTF: ("markup", "read_rtf"),
    FileType.DOCX: ("office", "read_docx"),
    FileType.PPTX: ("office", "read_pptx"),
    FileType.ODT: ("office", "read_odt"),
    FileType.DOC: ("office", "read_doc"),
    FileType.PPT: ("office", "read_ppt"),
    FileType.XLSX: ("workbook", "read_xlsx"),
    FileType.XLS: ("workbook", "read_xls"),
    FileType.EML: ("mail", "read_eml"),
    FileType.MSG: ("mail", "read_msg"),
}
"""Module and function that read a type. Modules are imported by name, so that the light server never loads the heavy libraries."""


def preload(*, heavy: bool) -> None:
    """Import every reader of a server's kind, so that forked processes find it in memory."""
    for file_type, (module, _) in _READERS.items():
        if file_type.is_light is not heavy:
            importlib.import_module(_FORMATS + module)
    if heavy:
        importlib.import_module(_FORMATS + "unstructured_library").warm_up()


def run(request: Request, limits: Limits) -> None:
    """Read one document and leave the result in its directory. Nothing rises from here: the process ends next."""
    directory = request.directory
    _settle(directory / "tmp")
    isolation.limit_resources(limits)
    source = Source(path=directory / "content", directory=directory / "tmp", name=request.name, limits=limits)
    try:
        _read(source, request.file_type, directory)
    except Rejected as rejected:
        wire.write_rejection(directory, rejected.rejection)
    except MemoryError:
        wire.write_rejection(directory, rejections.OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001  the one seam to a dozen parsing libraries, whose errors have no base class in common
        wire.write_rejection(directory, _translated(error, request.file_type), cause=_cause(error))


def _settle(directory: Path) -> None:
    directory.mkdir()
    os.environ.update(TMPDIR=str(directory), HOME=str(directory))  # noqa: TID251  for the programs that readers start
    tempfile.tempdir = str(directory)
    os.chdir(directory)


def _read(source: Source, found: FileType, directory: Path) -> None:
    file_type = containers.resolve(source, found)
    module, function = _READERS[file_type]
    read: Callable[[Source], Reading] = getattr(importlib.import_module(_FORMATS + module), function)
    reading = read(source)
    canonical = canonicalise(reading, name=source.name, max_characters=source.limits.text_characters)
    if len(canonical.elements) > wire.MAX_ELEMENTS:
        raise Rejected(rejections.too_many("paragraphs", len(canonical.elements), wire.MAX_ELEMENTS))
    wire.write_document(directory, reading, canonical)


def _translated(error: Exception, file_type: FileType) -> Rejection:
    if isinstance(error, RecursionError):
        return rejections.NESTED_TOO_DEEPLY
    if isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC):
        return rejections.OUTPUT_TOO_LARGE
    return rejections.damaged(detect.NAMES[file_type])


def _cause(error: Exception) -> str:
    """Where in the code it happened, without the message, which may quote the document."""
    frames = extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__} {place}"
