"""Texts that are kept encrypted: base64 of nonce (12 bytes), AES-GCM's ciphertext and its tag."""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def sealed(text: str, key: bytes, *, bound_to: bytes) -> str:
    """`bound_to` is not in the result; it has to be the same when it is opened. The key has 16, 24 or 32 bytes."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, encoded(text), bound_to)).decode()


def opened(written: str, key: bytes, *, bound_to: bytes) -> str | None:
    """None when it was sealed under another key, or bound to something else."""
    raw = base64.b64decode(written)
    try:
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to).decode("utf-8", "surrogatepass")
    except InvalidTag:
        return None


def encoded(text: str) -> bytes:
    """Of every text, also of half a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")
