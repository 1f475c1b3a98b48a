"""What is inside ZIP and OLE files, and whether it may be unpacked. Runs in the document's own process."""

import zipfile
from collections.abc import Mapping

from pipelines.parsing import detect, rejections
from pipelines.parsing.detect import FileType
from pipelines.parsing.limits import Limits
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.source import Source
from retrieval.domain.documents import QuarantineCode, Rejection

_LARGE_MEMBER_BYTES = 10 * 2**20
"""Only a member that expands beyond this is suspected for its ratio: small XML compresses well."""
_ENCRYPTED_FLAG = 0x1

_MAIN_PARTS: Mapping[str, FileType] = {
    "word/document.xml": FileType.DOCX,
    "ppt/presentation.xml": FileType.PPTX,
    "xl/workbook.xml": FileType.XLSX,
}
_MIME_TYPES: Mapping[bytes, FileType] = {
    b"application/epub+zip": FileType.EPUB,
    b"application/vnd.oasis.opendocument.text": FileType.ODT,
    b"application/vnd.oasis.opendocument.text-template": FileType.ODT,
}
_STREAMS: Mapping[str, FileType] = {
    "WordDocument": FileType.DOC,
    "PowerPoint Document": FileType.PPT,
    "Workbook": FileType.XLS,
    "Book": FileType.XLS,
    "__properties_version1.0": FileType.MSG,
}


def resolve(source: Source, found: FileType) -> FileType:
    """The document type inside a container; any other type as it is.

    Raises:
        Rejected: the container is damaged, protected, expands too much or holds no document.
    """
    if found is FileType.ZIP:
        return _resolve_zip(source)
    if found is FileType.OLE:
        return _resolve_ole(source)
    return found


def _resolve_zip(source: Source) -> FileType:
    try:
        with zipfile.ZipFile(source.path) as archive:
            members = archive.infolist()
            check_expansion(members, source.limits)
            file_type = _document_in(archive, {member.filename for member in members})
            if file_type is None:
                raise Rejected(rejections.unsupported("an archive"))
            if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
                raise Rejected(rejections.ENCRYPTED)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise Rejected(rejections.damaged(detect.NAMES[FileType.ZIP])) from error
    return file_type


def check_expansion(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Refuse an archive by what its directory says, before anything is unpacked."""
    if len(members) > limits.archive_members:
        raise Rejected(rejections.expands_too_much(f"has {len(members):,} members"))
    total = sum(member.file_size for member in members)
    if total > limits.expanded_bytes:
        raise Rejected(rejections.expands_too_much(f"would expand to {total / 2**20:,.0f} MiB"))
    for member in members:
        if member.file_size > _LARGE_MEMBER_BYTES and member.file_size > limits.compression_ratio * max(member.compress_size, 1):
            raise Rejected(rejections.expands_too_much(f"holds a part compressed more than {limits.compression_ratio} times"))


def _document_in(archive: zipfile.ZipFile, names: set[str]) -> FileType | None:
    for part, file_type in _MAIN_PARTS.items():
        if part in names:
            return file_type
    if "mimetype" in names:
        with archive.open("mimetype") as member:
            mime_type = member.read(200).strip()
        if mime_type in _MIME_TYPES:
            if _is_encrypted_opendocument(archive, names):
                raise Rejected(rejections.ENCRYPTED)
            return _MIME_TYPES[mime_type]
        if mime_type.startswith(b"application/vnd.oasis.opendocument."):
            reason = "The file is an OpenDocument spreadsheet, presentation or drawing. Save it in the Microsoft format or as PDF."
            raise Rejected(Rejection(QuarantineCode.UNSUPPORTED, reason))
    if "META-INF/container.xml" in names:
        return FileType.EPUB
    if "[Content_Types].xml" in names:
        return _by_content_types(archive)
    return None


def _is_encrypted_opendocument(archive: zipfile.ZipFile, names: set[str]) -> bool:
    """Whether the manifest names an encrypted part. Books list scrambled fonts elsewhere, and those do not matter."""
    if "META-INF/manifest.xml" not in names:
        return False
    with archive.open("META-INF/manifest.xml") as member:
        return b"encryption-data" in member.read(2**20)


def _by_content_types(archive: zipfile.ZipFile) -> FileType | None:
    """Office files whose main part has an unusual name."""
    with archive.open("[Content_Types].xml") as member:
        declared = member.read(2**20)
    for marker, file_type in ((b"wordprocessingml", FileType.DOCX), (b"presentationml", FileType.PPTX), (b"spreadsheetml", FileType.XLSX)):
        if marker in declared:
            return file_type
    return None


def _resolve_ole(source: Source) -> FileType:
    import msoffcrypto  # noqa: PLC0415  only office files of the old kind need it
    import olefile  # noqa: PLC0415

    try:
        with olefile.OleFileIO(source.path) as container:
            streams = {"/".join(path) for path in container.listdir()}
    except (OSError, ValueError, IndexError) as error:
        raise Rejected(rejections.damaged(detect.NAMES[FileType.OLE])) from error
    if "EncryptedPackage" in streams:
        raise Rejected(rejections.ENCRYPTED)
    file_type = next((file_type for stream, file_type in _STREAMS.items() if stream in streams), None)
    if file_type is None:
        raise Rejected(rejections.unsupported("a container of another program"))
    if file_type is not FileType.MSG:
        with source.path.open("rb") as file:
            if msoffcrypto.OfficeFile(file).is_encrypted():
                raise Rejected(rejections.ENCRYPTED)
    return file_type
