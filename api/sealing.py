"""What leaves the service sealed, and the keys for it: one for each purpose, all from the one random key that the catalog keeps."""

import base64
import binascii
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


def derived_key(root: bytes, purpose: bytes, *, context: bytes = b"") -> bytes:
    """32 bytes that tell nothing of the root, nor of the key for another purpose (at most 16 bytes) or context."""
    return hashlib.blake2b(context, digest_size=KEY_BYTES, key=root, person=purpose).digest()


class Seal:
    """Encrypts and authenticates under one key of 16, 24 or 32 bytes. Base64url: nonce, what is sealed, tag."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, plain: bytes, bound_to: bytes) -> str:
        """`bound_to` is not in the result; it has to be the same when it is opened."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, plain, bound_to)).decode()

    def open(self, sealed: str, bound_to: bytes) -> bytes:
        """Raises ValueError for anything that `close` did not write so."""
        try:
            raw = base64.b64decode(sealed.encode("ascii"), altchars=b"-_", validate=True)
            plain = self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to)
        except (binascii.Error, InvalidTag) as error:
            raise ValueError("not sealed here") from error
        if base64.urlsafe_b64encode(raw).decode() != sealed:
            raise ValueError("the same bytes, written in another way")
        return plain
