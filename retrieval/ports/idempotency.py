"""Answers to writes, kept so that a write that is sent again has no second effect."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class KeptAnswer:
    """What is kept under an idempotency key. `status` and `sealed` are None until the request it stands for has been answered."""

    request_hash: bytes
    status: int | None
    sealed: bytes | None


class IdempotencyStore(Protocol):
    def claim(self, key_hash: bytes, request_hash: bytes, *, kept_seconds: int) -> KeptAnswer | None:
        """None: the key was free and is now the caller's; exactly one of many who ask at once is told so. Else what is kept under it.

        What has been kept for longer than `kept_seconds` is forgotten first.
        """

    def complete(self, key_hash: bytes, *, status: int, sealed: bytes) -> None:
        """Keep the answer under a key that was claimed."""

    def release(self, key_hash: bytes) -> None:
        """Give back a claimed key under which nothing was begun."""
