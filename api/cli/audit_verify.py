"""Checks an audit log for tampering, and says where. Shares no code with what writes the log, and runs alone.

    python -m api.cli.audit_verify catalog.db --checkpoints checkpoints.jsonl --public-key 5f1c…

It reads a SQLite catalog, a PostgreSQL catalog by its URL, or a log that was exported as JSON lines. It needs the standard library and
`cryptography`; psycopg for PostgreSQL. Exit code: 0 when the log is whole, 1 when it is not, 2 when it cannot be read.
"""

import argparse
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

RECORD_DOMAIN = b"archivist audit record 1\x00"
CHECKPOINT_DOMAIN = b"archivist audit checkpoint 1\x00"
START = b"\x00" * 32
_ROWS = "SELECT seq, prev_hash, hash, record, at, actor, act_for, action FROM audit ORDER BY seq"
_NAMED = "SELECT seq, document FROM audit_documents ORDER BY seq, document"
_END = "SELECT seq, hash FROM audit_head"


@dataclass(frozen=True)
class Row:
    """One record as it is kept. `copied` and `named`, None in an export: columns and index rows that repeat what the record says."""

    seq: int
    prev_hash: bytes
    hash: bytes
    record: str
    copied: tuple[str | None, ...] | None = None
    named: frozenset[str] | None = None


@dataclass(frozen=True)
class Finding:
    """A record that is not as it was written, and what is wrong. Of several, the first.

    Where a stretch was written anew, hashes and all, it is the last one of the stretch when the chain breaks after it; when nothing
    breaks, it is the first one under the checkpoint that tells, and `last` is the last one under it.
    """

    seq: int
    what: str
    last: int = 0


@dataclass(frozen=True)
class Verdict:
    """How many records there are, how many of them a signed checkpoint covers, and what is wrong; None: nothing."""

    records: int
    covered: int
    finding: Finding | None


@dataclass(frozen=True)
class Log:
    """The rows in the order in which they are kept, and the end of the chain as the database knows it; None in an export."""

    rows: Iterable[Row]
    end: tuple[int, bytes] | None = None


def verify(log: Log, checkpoints: Sequence[str], public_key: bytes) -> Verdict:
    """The earliest finding of the chain and of the checkpoints."""
    hashes, finding = _follow(iter(log.rows))
    if finding is None and log.end is not None and log.end != (len(hashes), hashes[-1] if hashes else START):
        finding = Finding(min(log.end[0], len(hashes)) + 1, f"truncated or extended: the catalog says that the last record is {log.end[0]}")
    covered, unsigned = _compare(hashes, checkpoints, Ed25519PublicKey.from_public_bytes(public_key), is_whole=finding is None)
    return Verdict(len(hashes), covered, _earlier(finding, unsigned))


def _earlier(broken: Finding | None, unsigned: Finding | None) -> Finding | None:
    """What a broken chain says is more exact than what a checkpoint says of all the records under it."""
    if broken is None or unsigned is None:
        return broken or unsigned
    return broken if unsigned.seq <= broken.seq <= unsigned.last else min(broken, unsigned, key=lambda finding: finding.seq)


def _follow(rows: Iterator[Row]) -> tuple[list[bytes], Finding | None]:
    """The hashes of the records up to the first that does not fit, and what is wrong with that one."""
    hashes: list[bytes] = []
    for row in rows:
        seq, before = len(hashes) + 1, hashes[-1] if hashes else START
        if row.seq < seq:
            return hashes, Finding(row.seq, _second(row, hashes))
        if row.seq > seq:
            is_later = any(later.seq == seq for later in rows)
            return hashes, Finding(seq, f"reordered: it comes after {row.seq}" if is_later else f"missing: {row.seq} comes in its place")
        if row.prev_hash != before or row.hash != _hash(before, row.record) or _number(row.record) != seq:
            return hashes, _broken(row, hashes, next(rows, None))
        hashes.append(row.hash)
        problem = _repeated(row)
        if problem is not None:
            return hashes, Finding(seq, problem)
    return hashes, None


def _second(row: Row, hashes: Sequence[bytes]) -> str:
    is_same = row.seq > 0 and hashes[row.seq - 1] == row.hash == _hash(row.prev_hash, row.record)
    return "duplicated: the same record is there twice" if is_same else "inserted: there is a second record of this number"


def _broken(row: Row, hashes: Sequence[bytes], following: Row | None) -> Finding:
    """Which record does not fit, where `row` does not follow from the one before."""
    number, chain = _number(row.record), [START, *hashes]
    is_sound = row.hash == _hash(row.prev_hash, row.record) and (following is None or following.prev_hash == row.hash)
    if is_sound and row.prev_hash in chain[:-1]:
        first = chain.index(row.prev_hash) + 1
        return Finding(first, f"inserted: {row.seq} was chained to {first - 1}")
    if number is not None and number != row.seq:
        what = "missing: the record in its place" if number > row.seq else "reordered: the record in its place"
        return Finding(row.seq, f"{what} has the number {number}")
    if is_sound and hashes:
        return Finding(row.seq - 1, f"changed: {row.seq} was chained to another record")
    return Finding(row.seq, "changed: its hash is not the hash of what it says")


def _repeated(row: Row) -> str | None:
    """What is wrong with the columns and the index, which are searched, although the record itself is sound."""
    try:
        said = json.loads(row.record)
        copied = tuple(said.get(name) for name in ("at", "actor", "act_for", "action"))
        named = {named["document"] for named in said.get("documents", ())}
    except (ValueError, KeyError, TypeError, AttributeError):
        return "changed: it is not a record of this log"
    if row.copied is not None and row.copied != copied:
        return "changed: its columns do not say what the record says"
    if row.named is not None and row.named != named:
        return "changed: the index of documents does not say what the record says"
    return None


def _compare(hashes: Sequence[bytes], lines: Sequence[str], key: Ed25519PublicKey, *, is_whole: bool) -> tuple[int, Finding | None]:
    """How many records the checkpoints cover, and the first record that they contradict. `is_whole`: `hashes` are all there are."""
    covered = 0
    for number, line in enumerate(lines, start=1):
        claim = _signed(line, key)
        if claim is None or claim["first"] != covered + 1 or claim["seq"] <= covered:
            return covered, Finding(covered + 1, f"checkpoint {number} is not the one that was signed after record {covered}")
        first, last = claim["first"], claim["seq"]
        if last > len(hashes):
            return covered, Finding(len(hashes) + 1, f"truncated: checkpoint {number} covers records up to {last}") if is_whole else None
        if hashes[last - 1].hex() != claim["head"] or _root(hashes[first - 1 : last]).hex() != claim["root"]:
            return covered, Finding(first, f"rewritten: records {first} to {last} are not those that checkpoint {number} signed", last)
        covered = last
    if not lines and hashes:
        return 0, Finding(1, "no checkpoint: nothing shows that the log was not rewritten or its end cut off")
    return covered, None


def _signed(line: str, key: Ed25519PublicKey) -> dict[str, Any] | None:
    """What the checkpoint says, if it is signed and says all that it must."""
    try:
        claim = json.loads(line)
        signature = bytes.fromhex(claim.pop("signature"))
        key.verify(signature, CHECKPOINT_DOMAIN + _canonical(claim).encode())
        if line != _canonical({**claim, "signature": signature.hex()}):
            return None
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        return None
    return claim if claim.get("version") == 1 and {"first", "seq", "head", "root"} <= claim.keys() else None


def _canonical(said: dict[str, Any]) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _hash(before: bytes, record: str) -> bytes:
    return hashlib.blake2b(RECORD_DOMAIN + before + record.encode("utf-8", "surrogateescape"), digest_size=32).digest()


def _root(hashes: Sequence[bytes]) -> bytes:
    """The Merkle root, level by level: a last one without a neighbour goes up as it is. This gives RFC 6962's tree."""
    level = [hashlib.blake2b(b"\x00" + leaf, digest_size=32).digest() for leaf in hashes]
    while len(level) > 1:
        pairs = [hashlib.blake2b(b"\x01" + level[i] + level[i + 1], digest_size=32).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
    return level[0]


def _number(record: str) -> int | None:
    try:
        number = json.loads(record)["seq"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return number if type(number) is int else None


def read_log(place: str) -> Iterator[Log]:
    """The log, whose rows are read one by one while this generator waits. One snapshot of a database."""
    if "://" in place:
        import psycopg  # noqa: PLC0415 - only for PostgreSQL

        snapshot = "-c default_transaction_isolation=repeatable\\ read"
        with (
            psycopg.connect(place.replace("+psycopg", ""), options=snapshot) as server,
            server.cursor("records") as rows,
            server.cursor("named") as named,
            server.cursor() as end,
        ):
            yield _database(rows.execute(_ROWS), named.execute(_NAMED), end.execute(_END).fetchone())
    elif place.endswith(".jsonl"):
        with Path(place).open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            yield Log(_exported(line, number) for number, line in enumerate(lines, start=1))
    else:
        with closing(sqlite3.connect(f"{Path(place).absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            connection.execute("BEGIN")
            yield _database(connection.execute(_ROWS), connection.execute(_NAMED), connection.execute(_END).fetchone())


def _database(rows: Iterable[Any], named: Iterable[Any], end: Any) -> Log:  # noqa: ANN401 - rows of two drivers
    return Log(_with_names(iter(rows), iter(named)), None if end is None else (int(end[0]), bytes(end[1])))


def _with_names(rows: Iterator[Any], named: Iterator[Any]) -> Iterator[Row]:
    """Both come in the order of the numbers. An index row without its record stops the merging, so that the next record shows it."""
    waiting = next(named, None)
    for seq, prev_hash, hash_, record, *copied in rows:
        documents = set()
        while waiting is not None and waiting[0] <= seq:
            documents.add(waiting[1])
            waiting = next(named, None)
        text = record if isinstance(record, str) else ""
        yield Row(seq, _bytes(prev_hash), _bytes(hash_), text, tuple(copied), frozenset(documents))


def _bytes(value: object) -> bytes:
    """Nothing for what somebody has made into a text or a number."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def _exported(line: str, number: int) -> Row:
    """A line that is not written as the export writes it fits nowhere: it stands as the record of its place, without a hash."""
    try:
        row = json.loads(line)
        read = Row(row["seq"], bytes.fromhex(row["prev_hash"]), bytes.fromhex(row["hash"]), row["record"])
        said = {"seq": read.seq, "prev_hash": read.prev_hash.hex(), "hash": read.hash.hex(), "record": read.record}
        is_as_written = line == _canonical(said) + "\n" and type(read.seq) is int and isinstance(read.record, str)
    except (ValueError, KeyError, TypeError, RecursionError):
        is_as_written = False
    return read if is_as_written else Row(number, b"", b"", line)


def verify_place(place: str, checkpoints: Path, public_key: str) -> Verdict:
    """The verdict on the log there. The checkpoints are read first: whatever they cover was in the log before.

    Raises:
        OSError, ValueError, sqlite3.Error: something cannot be read.
    """
    text = checkpoints.read_bytes().decode("utf-8", "surrogateescape") if checkpoints.exists() else ""
    lines = text.removesuffix("\n").split("\n") if text else []
    for log in read_log(place):
        return verify(log, lines, bytes.fromhex(public_key))
    raise ValueError("there is no log")


def report(verdict: Verdict) -> str:
    if verdict.finding is not None:
        return f"TAMPERED at record {verdict.finding.seq}: {verdict.finding.what}"
    return f"The audit log is whole: {verdict.records} records, {verdict.covered} of them under signed checkpoints."


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description="Check an audit log for tampering.")
    parser.add_argument("log", help="SQLite file, PostgreSQL URL, or exported .jsonl file")
    parser.add_argument("--checkpoints", type=Path, required=True, help="file of signed checkpoints")
    parser.add_argument("--public-key", required=True, help="64 hexadecimal digits, noted down when the log was set up")
    chosen = parser.parse_args()
    try:
        verdict = verify_place(chosen.log, chosen.checkpoints, chosen.public_key)
    except (OSError, ValueError, sqlite3.Error) as error:
        sys.stderr.write(f"The audit log cannot be read: {error}\n")
        return 2
    sys.stdout.write(report(verdict) + "\n")
    return 0 if verdict.finding is None else 1


if __name__ == "__main__":
    sys.exit(main())
