"""Identifiers and hashes. They derive from content and place, so that a re-run finds what it made before."""

import base64
import hashlib
import uuid

HASH_BYTES = 32
_ID_BYTES = 15


def content_hash(content: bytes) -> str:
    """BLAKE2b-256 of a source file's bytes, as 64 hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=HASH_BYTES).hexdigest()


def text_hash(text: str) -> str:
    """BLAKE2b-256 of a text in UTF-8, as 64 hexadecimal digits."""
    return content_hash(text.encode("utf-8", "surrogatepass"))


def document_id(source: str, key: str) -> str:
    """The id a document keeps across edits: its source and its key within that source."""
    return "doc_" + _digest("document", source, key)


def version_id(document: str, number: int) -> str:
    """Version 1 of a document is its first content; numbers are never used twice."""
    return "ver_" + _digest("version", document, str(number))


def passage_id(version: str, ordinal: int) -> str:
    """A UUID (marked as version 5, a hash of a name), because that is what Qdrant takes as the id of a point."""
    return str(uuid.UUID(bytes=_hash("passage", version, str(ordinal))[:16], version=5))


def _digest(*parts: str) -> str:
    return base64.b32encode(_hash(*parts)[:_ID_BYTES]).decode().lower()


def _hash(*parts: str) -> bytes:
    framed = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (p.encode("utf-8", "surrogatepass") for p in parts))
    return hashlib.blake2b(framed, digest_size=HASH_BYTES).digest()
