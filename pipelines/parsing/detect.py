"""What a file is, from its first bytes and, for text, its name. Cheap and without any parser: it runs in the trusted process."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from pipelines.parsing import rejections
from retrieval.domain.documents import Rejection


class FileType(StrEnum):
    """What a file is read as. ZIP and OLE are containers: the reading process looks inside to tell which document they hold."""

    TXT = "txt"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    PDF = "pdf"
    IMAGE = "image"
    HTML = "html"
    XML = "xml"
    EML = "eml"
    RTF = "rtf"
    ZIP = "zip"
    OLE = "ole"
    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"
    ODT = "odt"
    EPUB = "epub"
    DOC = "doc"
    PPT = "ppt"
    XLS = "xls"
    MSG = "msg"

    @property
    def is_light(self) -> bool:
        """Whether its reader needs only small libraries."""
        return self in _LIGHT


_LIGHT = {FileType.TXT, FileType.MARKDOWN, FileType.CSV, FileType.JSON, FileType.PDF, FileType.IMAGE}

NAMES: Mapping[FileType, str] = {
    FileType.TXT: "a text file",
    FileType.MARKDOWN: "a Markdown file",
    FileType.CSV: "a table of separated values",
    FileType.JSON: "a JSON file",
    FileType.PDF: "a PDF file",
    FileType.IMAGE: "an image",
    FileType.HTML: "a web page",
    FileType.XML: "an XML file",
    FileType.EML: "an e-mail",
    FileType.RTF: "an RTF document",
    FileType.ZIP: "an office document",
    FileType.OLE: "an office document",
    FileType.DOCX: "a Word document",
    FileType.PPTX: "a PowerPoint presentation",
    FileType.XLSX: "an Excel workbook",
    FileType.ODT: "an OpenDocument text",
    FileType.EPUB: "an EPUB book",
    FileType.DOC: "a Word 97 document",
    FileType.PPT: "a PowerPoint 97 presentation",
    FileType.XLS: "an Excel 97 workbook",
    FileType.MSG: "an Outlook e-mail",
}

_OOXML = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES: Mapping[FileType, str] = {
    FileType.TXT: "text/plain",
    FileType.MARKDOWN: "text/markdown",
    FileType.CSV: "text/csv",
    FileType.JSON: "application/json",
    FileType.PDF: "application/pdf",
    FileType.IMAGE: "image/*",
    FileType.HTML: "text/html",
    FileType.XML: "application/xml",
    FileType.EML: "message/rfc822",
    FileType.RTF: "application/rtf",
    FileType.ZIP: "application/zip",
    FileType.OLE: "application/x-ole-storage",
    FileType.DOCX: _OOXML + "wordprocessingml.document",
    FileType.PPTX: _OOXML + "presentationml.presentation",
    FileType.XLSX: _OOXML + "spreadsheetml.sheet",
    FileType.ODT: "application/vnd.oasis.opendocument.text",
    FileType.EPUB: "application/epub+zip",
    FileType.DOC: "application/msword",
    FileType.PPT: "application/vnd.ms-powerpoint",
    FileType.XLS: "application/vnd.ms-excel",
    FileType.MSG: "application/vnd.ms-outlook",
}


@dataclass(frozen=True)
class _Magic:
    prefix: bytes
    meaning: FileType | str
    """A type, or what the file is in words when it is none that can be read."""
    offset: int = 0


_MAGIC = (
    _Magic(b"PK\x03\x04", FileType.ZIP),
    _Magic(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileType.OLE),
    _Magic(b"{\\rtf", FileType.RTF),
    _Magic(b"\x89PNG\r\n\x1a\n", FileType.IMAGE),
    _Magic(b"\xff\xd8\xff", FileType.IMAGE),
    _Magic(b"II*\x00", FileType.IMAGE),
    _Magic(b"MM\x00*", FileType.IMAGE),
    _Magic(b"GIF87a", FileType.IMAGE),
    _Magic(b"GIF89a", FileType.IMAGE),
    _Magic(b"WEBP", FileType.IMAGE, 8),
    _Magic(b"PK\x05\x06", "an empty archive"),
    _Magic(b"\x7fELF", "a program"),
    _Magic(b"MZ", "a program"),
    _Magic(b"\xca\xfe\xba\xbe", "a program"),
    _Magic(b"\xcf\xfa\xed\xfe", "a program"),
    _Magic(b"\x00asm", "a program"),
    _Magic(b"\x1f\x8b", "an archive"),
    _Magic(b"BZh", "an archive"),
    _Magic(b"\xfd7zXZ\x00", "an archive"),
    _Magic(b"7z\xbc\xaf\x27\x1c", "an archive"),
    _Magic(b"Rar!\x1a\x07", "an archive"),
    _Magic(b"\x28\xb5\x2f\xfd", "an archive"),
    _Magic(b"ustar", "an archive", 257),
    _Magic(b"ID3", "a sound recording"),
    _Magic(b"\xff\xfb", "a sound recording"),
    _Magic(b"OggS", "a sound recording"),
    _Magic(b"fLaC", "a sound recording"),
    _Magic(b"WAVE", "a sound recording", 8),
    _Magic(b"AVI ", "a video", 8),
    _Magic(b"\x1aE\xdf\xa3", "a video"),
    _Magic(b"ftypheic", "an HEIC image", 4),
    _Magic(b"ftypheix", "an HEIC image", 4),
    _Magic(b"ftypmif1", "an HEIC image", 4),
    _Magic(b"ftypavif", "an AVIF image", 4),
    _Magic(b"ftyp", "a video", 4),
    _Magic(b"SQLite format 3\x00", "a database"),
    _Magic(b"wOF", "a font"),
)

_BY_SUFFIX: Mapping[str, FileType] = {
    **dict.fromkeys(("md", "markdown", "mdown", "mkd"), FileType.MARKDOWN),
    **dict.fromkeys(("csv", "tsv", "tab"), FileType.CSV),
    **dict.fromkeys(("json", "ndjson", "jsonl"), FileType.JSON),
    **dict.fromkeys(("html", "htm", "xhtml"), FileType.HTML),
    **dict.fromkeys(("xml", "rss", "atom", "xsl", "xsd"), FileType.XML),
    **dict.fromkeys(("eml", "p7s"), FileType.EML),
    **dict.fromkeys(("txt", "text", "log", "rst", "org", "yaml", "yml", "toml", "ini"), FileType.TXT),
}

_BY_MEDIA_TYPE: Mapping[str, FileType] = {
    **{media_type: file_type for file_type, media_type in MEDIA_TYPES.items()},
    "text/tab-separated-values": FileType.CSV,
    "application/xhtml+xml": FileType.HTML,
    "text/xml": FileType.XML,
}
_TEXTUAL = {FileType.TXT, FileType.MARKDOWN, FileType.CSV, FileType.JSON, FileType.HTML, FileType.XML, FileType.EML}

_SNIFFED_BYTES = 4096
_HTML_START = re.compile(
    rb"\s*(?:<!--.*?-->\s*|<\?xml[^>]*\?>\s*)*<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])", re.IGNORECASE | re.DOTALL
)
_XML_START = re.compile(rb"\s*<\?xml\s")
_MAIL_HEADER = re.compile(
    rb"(?:from|to|cc|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to|x-[\w-]+):\s", re.IGNORECASE
)
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00\x00\xfe\xff")


def detect(content: bytes, *, name: str, media_type: str | None = None) -> FileType | Rejection:
    """The type that content is read as, or why it cannot be read.

    Content goes before name: a PDF called `.docx` is a PDF. The name, then the media type, only tell one kind of text from another.
    """
    head = content[:_SNIFFED_BYTES]
    if not head.strip():
        return rejections.EMPTY_FILE
    marked = head.startswith(_BYTE_ORDER_MARKS)
    if not marked:
        found = _by_magic(head)
        if isinstance(found, FileType):
            return found
        if found is not None:
            return rejections.unsupported(found)
        if _is_binary(head):
            return rejections.BINARY
    return _kind_of_text(head, name=name, media_type=media_type)


def _by_magic(head: bytes) -> FileType | str | None:
    for magic in _MAGIC:
        if head.startswith(magic.prefix, magic.offset):
            return magic.meaning
    if b"%PDF-" in head[:1024]:
        return FileType.PDF
    if head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00":
        return FileType.IMAGE
    return None


def _is_binary(head: bytes) -> bool:
    """Whether no text encoding explains the bytes. UTF-16 and UTF-32 without a mark have regular zeros, which is allowed."""
    zeros = head.count(0)
    control = sum(byte < 32 and byte not in b"\t\n\r\f\x1b\x08\x00" for byte in head)
    if control > len(head) * 0.02 + 1:
        return True
    if zeros == 0:
        return False
    regular = max(head[start::2].count(0) for start in (0, 1)) / max(len(head) // 2, 1)
    return regular < 0.4


def _kind_of_text(head: bytes, *, name: str, media_type: str | None) -> FileType:
    head = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")
    named = _BY_SUFFIX.get(PurePosixPath(name).suffix.lower().lstrip("."))
    if named is not None:
        return FileType.EML if named is FileType.TXT and name.lower().endswith(".txt") and _is_mail(head) else named
    declared = _BY_MEDIA_TYPE.get((media_type or "").partition(";")[0].strip().lower())
    if declared in _TEXTUAL and declared is not FileType.TXT:
        return declared
    return _by_content(head)


def _by_content(head: bytes) -> FileType:
    if _HTML_START.match(head):
        return FileType.HTML
    if _XML_START.match(head):
        return FileType.XML
    if _is_mail(head):
        return FileType.EML
    return FileType.TXT


def _is_mail(head: bytes) -> bool:
    """Whether the text starts with at least three header lines that e-mails have."""
    lines = [line for line in head.split(b"\n")[:40] if line.strip()]
    unfolded = [line for line in lines[:12] if not line.startswith((b" ", b"\t"))]
    first = 0
    for line in unfolded:
        if not _MAIL_HEADER.match(line):
            break
        first += 1
    return first >= 3
