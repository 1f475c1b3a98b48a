"""How a parsing process hands its result over: plain files in the document's own directory, read back with suspicion.

The process that wrote them has met a stranger's document and is not trusted. So nothing is unpickled, every file has a size limit,
and the text and its elements are checked again before they become a `ParsedDocument`.
"""

import json
import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.parsing.canonical import MAX_METADATA_CHARACTERS, Canonical, Reading, clean_line
from pipelines.parsing.limits import Limits
from retrieval.domain.documents import Attachment, Element, ElementKind, ParsedDocument, QuarantineCode, Rejection, Span

MAX_ELEMENTS = 500_000
MAX_HEADER_BYTES = 8 * 2**20
"""Titles, metadata and heading paths of one document, as JSON."""
MAX_METADATA_ENTRIES = 50

_HEADER, _TEXT, _ELEMENTS = "header.json", "text", "elements"
_ELEMENT = struct.Struct("<IIiBI")
"""Start, end, page (-1: none), kind, heading path: an element of fixed size costs the reader no more than it says."""
_KINDS = tuple(ElementKind)
_REASON_CHARACTERS = 400


class Unusable(Exception):
    """The result breaks what every parsed document promises; the message says how, never with document text."""


def write_document(directory: Path, reading: Reading, canonical: Canonical) -> None:
    paths = {path: number for number, path in enumerate(dict.fromkeys(element.heading_path for element in canonical.elements))}
    packed = b"".join(
        _ELEMENT.pack(e.span.start, e.span.end, -1 if e.page is None else e.page, _KINDS.index(e.kind), paths[e.heading_path])
        for e in canonical.elements
    )
    (directory / _TEXT).write_bytes(canonical.text.encode())
    (directory / _ELEMENTS).write_bytes(packed)
    for number, attachment in enumerate(reading.attachments):
        (directory / _attachment(number)).write_bytes(attachment.content)
    header = {
        "title": canonical.title,
        "media_type": reading.media_type,
        "method": reading.method,
        "metadata": _short(reading.metadata),
        "paths": list(paths),
        "attachments": [clean_line(attachment.name) for attachment in reading.attachments],
    }
    _write_header(directory, header)


def write_rejection(directory: Path, rejection: Rejection, *, cause: str = "") -> None:
    """Args: cause: the place in the code that gave up, for the log."""
    header = {"code": rejection.code.value, "reason": rejection.reason, "retryable": rejection.retryable, "cause": cause}
    _write_header(directory, {"rejection": header})


def _short(metadata: Mapping[str, str]) -> dict[str, str]:
    cleaned = {key: clean_line(value)[:MAX_METADATA_CHARACTERS] for key, value in metadata.items()}
    return {key: value for key, value in cleaned.items() if value}


def _write_header(directory: Path, header: Mapping[str, Any]) -> None:
    """Last and in one step: a directory with a header is complete."""
    part = directory / (_HEADER + ".part")
    part.write_text(json.dumps(header), encoding="utf-8")
    part.replace(directory / _HEADER)


def _attachment(number: int) -> str:
    return f"attachment-{number}"


def has_result(directory: Path) -> bool:
    return (directory / _HEADER).is_file()


def read_result(directory: Path, limits: Limits) -> tuple[ParsedDocument | Rejection, str]:
    """The result with the cause of a rejection for the log.

    Raises:
        Unusable: it is not what a parsing process may hand over.
    """
    try:
        header = json.loads(_read(directory / _HEADER, MAX_HEADER_BYTES))
        if not isinstance(header, dict):
            raise Unusable("header is no object")
        if "rejection" in header:
            return _rejection(header["rejection"])
        return _document(directory, header, limits), ""
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise Unusable(f"unreadable result: {type(error).__name__}") from error


def _rejection(fields: Mapping[str, Any]) -> tuple[Rejection, str]:
    reason = clean_line(str(fields["reason"]))[:_REASON_CHARACTERS]
    cause = "".join(c for c in str(fields["cause"])[:200] if c.isalnum() or c in "._:/- ")
    return Rejection(QuarantineCode(fields["code"]), reason, retryable=fields["retryable"] is True), cause


def _document(directory: Path, header: Mapping[str, Any], limits: Limits) -> ParsedDocument:
    text = _read(directory / _TEXT, 4 * limits.text_characters).decode("utf-8")
    paths = [tuple(_line(part) for part in path) for path in header["paths"]]
    packed = _read(directory / _ELEMENTS, MAX_ELEMENTS * _ELEMENT.size)
    elements = tuple(
        Element(Span(start, end), _KINDS[kind], None if page == -1 else page, paths[path])
        for start, end, page, kind, path in _ELEMENT.iter_unpack(packed)
    )
    _check(text, elements, limits)
    return ParsedDocument(
        title=_line(header["title"]),
        media_type=_line(header["media_type"]),
        text=text,
        elements=elements,
        method=_line(header["method"]),
        metadata=_metadata(header["metadata"]),
        attachments=_attachments(directory, header["attachments"], limits),
    )


def _check(text: str, elements: tuple[Element, ...], limits: Limits) -> None:
    if not text.strip() or not elements:
        raise Unusable("no text")
    if len(text) > limits.text_characters:
        raise Unusable("more text than allowed")
    if "\x00" in text:
        raise Unusable("a zero character in the text")
    end = 0
    for element in elements:
        if element.span.start < end or element.span.end > len(text) or not len(element.span):
            raise Unusable("elements overlap, are empty, out of order or outside the text")
        if element.page is not None and element.page < 1:
            raise Unusable("a page before the first")
        end = element.span.end


def _attachments(directory: Path, names: list[str], limits: Limits) -> tuple[Attachment, ...]:
    if len(names) > limits.attachments:
        raise Unusable("more attachments than allowed")
    total, found = 0, []
    for number, name in enumerate(names):
        content = _read(directory / _attachment(number), limits.file_bytes)
        total += len(content)
        if total > limits.expanded_bytes:
            raise Unusable("larger attachments than allowed")
        found.append(Attachment(_line(name), content))
    return tuple(found)


def _metadata(entries: Mapping[str, Any]) -> dict[str, str]:
    if len(entries) > MAX_METADATA_ENTRIES:
        raise Unusable("more metadata than allowed")
    return {_line(key): _line(value) for key, value in entries.items()}


def _line(value: object) -> str:
    """A short text that is not empty and holds no control character."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_METADATA_CHARACTERS:
        raise Unusable("a header field is no short text")
    if not value.isprintable() and any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in value):
        raise Unusable("a header field has control characters")
    return value


def _read(path: Path, max_bytes: int) -> bytes:
    """A plain file's bytes; a link, pipe or larger file is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123  Path.open() cannot refuse links
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
            raise Unusable("a result file is too large or no plain file")
        return file.read(max_bytes + 1)[:max_bytes]
