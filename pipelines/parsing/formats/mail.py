"""E-mails: their headers as text, their body, and their attachments as documents of their own."""

import email
import email.policy
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from oxmsg import Message

from pipelines.parsing import detect, rejections
from pipelines.parsing.canonical import Block, Reading, clean_line
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.formats.decode import decode
from pipelines.parsing.formats.markup import html_blocks
from pipelines.parsing.formats.paragraphs import paragraphs
from pipelines.parsing.limits import Limits
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.source import Source
from retrieval.domain.documents import Attachment, ElementKind

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


def read_eml(source: Source) -> Reading:
    message = email.message_from_bytes(_as_bytes(source.content), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    if message.get_content_type() in _ENCRYPTED and message.get_param("smime-type") != "signed-data":
        raise Rejected(rejections.ENCRYPTED_MESSAGE)
    headers = {name: value for name in _HEADERS if (value := _header(message, name))}
    body, method = _body(message)
    attachments = list(_attachments(message))
    if not headers and not body and not attachments:
        raise Rejected(rejections.damaged(detect.NAMES[FileType.EML]))
    return _reading(FileType.EML, f"email+{method}", headers=headers, body=body, attachments=attachments, limits=source.limits)


def _as_bytes(content: bytes) -> bytes:
    """E-mails are ASCII on the wire; files of them in UTF-16 exist all the same."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content[:200]:
        return decode(content).encode()
    return content


def _reading(
    file_type: FileType, method: str, *, headers: Mapping[str, str], body: list[Block], attachments: list[Attachment], limits: Limits
) -> Reading:
    if len(attachments) > limits.attachments:
        raise Rejected(rejections.too_many("attachments", len(attachments), limits.attachments))
    size = sum(len(attachment.content) for attachment in attachments)
    if size > limits.expanded_bytes:
        raise Rejected(rejections.too_large(size, limits.expanded_bytes))
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if attachments:
        lines.append("Attachments: " + ", ".join(attachment.name for attachment in attachments))
    blocks = [Block(ElementKind.TEXT, "\n".join(lines)), *body] if lines else body
    metadata = {name.lower(): value for name, value in headers.items()}
    return Reading(MEDIA_TYPES[file_type], method, blocks, title=headers.get("Subject", ""), metadata=metadata, attachments=attachments)


def _header(message: EmailMessage, name: str) -> str:
    """One header on one line; a date in ISO form where it is one."""
    try:
        value = clean_line(str(message.get(name) or ""))
    except (ValueError, IndexError, AttributeError, TypeError):  # the library raises all of these on malformed headers
        return ""
    return _date(value) if name == "Date" else value


def _date(value: str) -> str:
    try:
        return parsedate_to_datetime(value).isoformat(sep=" ")
    except (ValueError, TypeError, IndexError):
        return value


def _body(message: EmailMessage) -> tuple[list[Block], str]:
    """The HTML body where there is one with words, else the plain one."""
    for preference in ("html", "plain"):
        part = message.get_body((preference,))
        text = _text(part) if isinstance(part, EmailMessage) else ""
        blocks, method = html_blocks(text) if preference == "html" and text else (list(paragraphs(text)), "text")
        if any(block.text.strip() for block in blocks):
            return blocks, method
    return [], "headers"


def _text(part: EmailMessage) -> str:
    """A part's text in its declared encoding if that works, else decoded as files are."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode(payload)


def _attachments(message: EmailMessage) -> Iterator[Attachment]:
    """Attached files and messages. Pictures that stand inside the body, and signatures, are not documents."""
    for number, part in enumerate(_leaves(message), 1):
        if part is message or part.get_content_type().endswith(("pkcs7-signature", "pgp-signature")):
            continue
        is_message = part.get_content_type() == "message/rfc822"
        name = _file_name(part.get_filename())
        is_named = bool(name) and part.get("Content-ID") is None
        content = _content(part) if is_message or is_named or part.get_content_disposition() == "attachment" else b""
        if content:
            yield Attachment(name or f"attachment-{number}{'.eml' if is_message else ''}", content)


def _leaves(part: email.message.Message) -> Iterator[email.message.Message]:
    """The parts of a message in order. A message within it is one part: what is attached to that belongs to it."""
    inner = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(inner, list):
        for child in inner:
            if isinstance(child, email.message.Message):
                yield from _leaves(child)
    else:
        yield part


def _file_name(name: str | None) -> str:
    """The last part of a name, whatever path the sender wrote."""
    return clean_line((name or "").replace("\\", "/").rpartition("/")[2])[:200]


def _content(part: email.message.Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        return inner[0].as_bytes() if isinstance(inner, list) and inner and isinstance(inner[0], email.message.Message) else b""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def read_msg(source: Source) -> Reading:
    message = Message.load(str(source.path))
    if "encrypted" in message.message_headers.get("Content-Type", "") or "SMIME" in (message.message_class or "").upper().replace(
        "MULTIPARTSIGNED", ""
    ):
        raise Rejected(rejections.ENCRYPTED_MESSAGE)
    recipients = ", ".join(
        f"{r.name} <{r.email_address}>" if r.name and r.name != r.email_address else r.email_address for r in message.recipients
    )
    sent = message.sent_date.isoformat(sep=" ") if message.sent_date else ""
    found = {"From": message.sender, "To": recipients, "Date": sent, "Subject": message.subject}
    headers = {name: clean_line(value) for name, value in found.items() if value}
    blocks, method = html_blocks(message.html_body) if message.html_body else ([], "text")
    if not blocks and message.body:
        blocks = list(paragraphs(message.body))
    attachments = [
        Attachment(_file_name(a.file_name) or f"attachment-{n}", a.file_bytes) for n, a in enumerate(message.attachments, 1) if a.file_bytes
    ]
    return _reading(FileType.MSG, f"oxmsg+{method}", headers=headers, body=blocks, attachments=attachments, limits=source.limits)
