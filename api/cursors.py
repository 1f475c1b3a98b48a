"""Cursors: where a list goes on, for nobody but who was given it and for no other list.

A cursor is the base64url of nonce (12 bytes), encrypted moment of expiry and position, and AES-GCM's tag. The position is a keyset
position, the sort key of the last entry shown, so that a page neither counts nor skips what the caller may not see and holds whatever
has changed since. Whose cursor it is and of which list is authenticated with it: one that was stolen, altered, made up or kept too
long does not open, and why is not said.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta

from api.sealing import Seal
from retrieval.domain.clock import Clock, SystemClock
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import Principal

MAX_CURSOR_CHARACTERS = 2048
KEPT = timedelta(hours=24)
_EXPIRY_BYTES = 8
_PADDED_TO_BYTES = 48
"""Positions are padded to a multiple of this, so that a cursor's length tells nothing of a number in it and base64 needs no padding."""
_PURPOSE = b"archivist cursor 1"


class Cursors:
    """Seals and opens cursors under one key of 16, 24 or 32 bytes."""

    def __init__(self, key: bytes, *, clock: Clock | None = None, kept: timedelta = KEPT) -> None:
        self._seal = Seal(key)
        self._clock = clock or SystemClock()
        self._kept = kept

    def seal(self, principal: Principal, query_fingerprint: str, position: str) -> str:
        """The cursor that goes on after `position` in the list that `list_fingerprint` names."""
        expires = int((self._clock.now() + self._kept).timestamp()).to_bytes(_EXPIRY_BYTES, "big")
        written = position.encode()
        padding = bytes(-(len(written) + 1) % _PADDED_TO_BYTES)
        return self._seal.close(expires + written + b"\x01" + padding, _bound_to(principal, query_fingerprint))

    def open(self, principal: Principal, query_fingerprint: str, cursor: str) -> str:
        """The position. Raises InvalidInput naming `cursor` for anything that `seal` did not make for this principal and list."""
        if len(cursor) > MAX_CURSOR_CHARACTERS:
            raise _unknown()
        try:
            plain = self._seal.open(cursor, _bound_to(principal, query_fingerprint))
        except ValueError as error:
            raise _unknown() from error
        if datetime.fromtimestamp(int.from_bytes(plain[:_EXPIRY_BYTES], "big"), UTC) <= self._clock.now():
            raise _unknown()
        return plain[_EXPIRY_BYTES:].rstrip(b"\x00")[:-1].decode()


def list_fingerprint(name: str, **filters: str | int | None) -> str:
    """Which list it is and what it is filtered by; equal for equal lists only."""
    return json.dumps([name, sorted(filters.items())], ensure_ascii=True)


def _bound_to(principal: Principal, query_fingerprint: str) -> bytes:
    through = None if principal.through is None else principal.through.subject
    bound = json.dumps([principal.subject, through, query_fingerprint])
    return _PURPOSE + hashlib.blake2b(bound.encode(), digest_size=32).digest()


def _unknown() -> InvalidInput:
    return InvalidInput.of("cursor", "is not a cursor of this list")
