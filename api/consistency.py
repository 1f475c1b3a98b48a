"""Consistency tokens: the catalog's revision, encrypted, because a bare counter would count changes that the caller may not see.

A token is the base64url of nonce (12 bytes), encrypted revision (8) and AES-GCM's tag (16): always 48 characters. A caller may hand
it to another caller: it grants nothing, it only says how fresh an answer has to be.
"""

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retrieval.domain.errors import InvalidInput

TOKEN_CHARACTERS = 48
_NONCE_BYTES = 12
_REVISION_BYTES = 8
_PURPOSE = b"archivist consistency token 1"


class ConsistencyTokens:
    """Seals and opens tokens under one key of 16, 24 or 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, revision: int) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, revision.to_bytes(_REVISION_BYTES, "big"), _PURPOSE)
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, token: str | None) -> int:
        """The revision; 0 without a token. Raises InvalidInput naming `at_least` for anything that `seal` did not make."""
        if token is None:
            return 0
        if len(token) != TOKEN_CHARACTERS:
            raise _not_ours()
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
            plain = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _PURPOSE)
        except (ValueError, binascii.Error, InvalidTag) as error:
            raise _not_ours() from error
        return int.from_bytes(plain, "big")


def _not_ours() -> InvalidInput:
    return InvalidInput.of("at_least", "is not a consistency token of this service")
