"""Signed checkpoints: what the chain alone cannot show is that its end was cut off, or all of it written anew.

A checkpoint is one line of canonical JSON in a file of its own, best kept where the catalog's owner cannot write:

    {"at", "first", "head", "root", "seq", "signature", "version"}

It says that record `seq` has the hash `head`, and that the hashes of the records `first` to `seq` have the Merkle root `root` (RFC
6962's shape, with BLAKE2b-256). `first` follows the `seq` of the line before, so that no line can be missing. The Ed25519 signature is
over the domain and the same canonical JSON without the signature. With the root, a record is proven to be covered by its window's
checkpoint with a few hashes instead of the whole log.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from retrieval.adapters.catalog.audit.signing import sync_directory
from retrieval.adapters.catalog.engine import Database
from retrieval.adapters.catalog.tables import audit, audit_head
from retrieval.domain.audit import START, canonical
from retrieval.domain.errors import Conflict

VERSION = 1
_DOMAIN = b"archivist audit checkpoint 1\0"
_LEAF, _INNER = b"\0", b"\1"


@dataclass(frozen=True)
class Checkpoint:
    """What the last line of the file says of the chain."""

    seq: int = 0
    head: bytes = START


class Checkpoints:
    """The file of checkpoints of one catalog. Several processes may write it; each line is written under a lock and made durable."""

    def __init__(self, database: Database, file: Path, key: Ed25519PrivateKey) -> None:
        self._database = database
        self._file = file
        self._key = key

    def add(self, *, least_records: int = 1) -> int:
        """Sign what has been appended since the last checkpoint, if it is at least so many records. Returns how many it was.

        Raises:
            Conflict: the chain does not go on from the last checkpoint. It is not signed: somebody has changed one of the two.
            OSError: the file cannot be written.
        """
        with self._locked() as descriptor:
            last = _last(descriptor)
            hashes = self._since(last)
            if len(hashes) < max(least_records, 1):
                return 0
            claim = {
                "version": VERSION,
                "at": self._database.now(),
                "first": last.seq + 1,
                "seq": last.seq + len(hashes),
                "head": hashes[-1].hex(),
                "root": merkle_root(hashes).hex(),
            }
            signature = self._key.sign(_DOMAIN + canonical(claim).encode()).hex()
            os.write(descriptor, canonical({**claim, "signature": signature}).encode() + b"\n")
            os.fsync(descriptor)
        return len(hashes)

    def _since(self, last: Checkpoint) -> Sequence[bytes]:
        with self._database.read() as connection:
            rows = connection.execute(
                select(audit.c.seq, audit.c.prev_hash, audit.c.hash).where(audit.c.seq > last.seq).order_by(audit.c.seq)
            ).all()
            end = int(connection.scalar(select(audit_head.c.seq)) or 0)
        seq, before = last.seq, last.head
        for row in rows:
            if (row.seq, bytes(row.prev_hash)) != (seq + 1, before):
                raise Conflict(f"the audit log does not go on from its last checkpoint at record {seq + 1}: verify it")
            seq, before = int(row.seq), bytes(row.hash)
        if seq != end:
            raise Conflict(f"the audit log's end is record {end}, but its records and checkpoints end at {seq}: verify it")
        return [bytes(row.hash) for row in rows]

    @contextmanager
    def _locked(self) -> Iterator[int]:
        is_new = not self._file.exists()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if is_new:
                sync_directory(self._file.parent)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962: leaves and inner nodes are told apart, and the left half is the largest power of two that is smaller than the whole."""
    if len(hashes) == 1:
        return hashlib.blake2b(_LEAF + hashes[0], digest_size=32).digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.blake2b(_INNER + merkle_root(hashes[:half]) + merkle_root(hashes[half:]), digest_size=32).digest()


def _last(descriptor: int) -> Checkpoint:
    """From the last whole line. A line that a crash cut short said nothing yet and is taken away."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 4096, max(0, size - 4096))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - len(tail) + tail.rfind(b"\n") + 1)
        tail = tail[: tail.rfind(b"\n") + 1]
    if not tail:
        return Checkpoint()
    try:
        line = json.loads(tail[:-1].rpartition(b"\n")[2])
        return Checkpoint(int(line["seq"]), bytes.fromhex(line["head"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Conflict("the last line of the audit log's checkpoints cannot be read: verify it") from error
