"""Consistency tokens: the catalog's revision, encrypted, because a bare counter would count changes that the caller may not see.

A token is the base64url of nonce (12 bytes), encrypted revision (8) and AES-GCM's tag (16): always 48 characters. A caller may hand
it to another caller: it grants nothing, it only says how fresh an answer has to be.
"""

from api.sealing import Seal
from retrieval.domain.errors import InvalidInput

TOKEN_CHARACTERS = 48
_REVISION_BYTES = 8
_PURPOSE = b"archivist consistency token 1"


class ConsistencyTokens:
    """Seals and opens tokens under one key of 16, 24 or 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._seal = Seal(key)

    def seal(self, revision: int) -> str:
        return self._seal.close(revision.to_bytes(_REVISION_BYTES, "big"), _PURPOSE)

    def open(self, token: str | None, *, field: str = "at_least") -> int:
        """The revision; 0 without a token. Raises InvalidInput naming the field for anything that `seal` did not make."""
        if token is None:
            return 0
        if len(token) != TOKEN_CHARACTERS:
            raise _not_ours(field)
        try:
            return int.from_bytes(self._seal.open(token, _PURPOSE), "big")
        except ValueError as error:
            raise _not_ours(field) from error


def _not_ours(field: str) -> InvalidInput:
    return InvalidInput.of(field, "is not a consistency token of this service")
