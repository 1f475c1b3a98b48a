"""Whatever is done to an audit log is detected, and located. `ARCHIVIST_TEST_TAMPERS` sets how many random tampers (1,000; full: 10,000).

The tampering here is that of somebody with every right to the database and to the writer's code, but without the signing key.
"""

import ast
import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cli import audit_verify
from api.cli.audit_verify import Finding, Row, verify_place
from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
from retrieval.adapters.catalog.audit.signing import public_key, signing_key
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.audit import OPERATOR, AuditAction, AuditedDocument, AuditEntry, canonical
from retrieval.settings import Settings

TAMPERS = int(os.environ.get("ARCHIVIST_TEST_TAMPERS", "1000"))
SEED = int(os.environ.get("ARCHIVIST_TEST_SEED", "7"))
RECORDS = 40
WINDOW = 10
"""Records under one checkpoint; the last window is not full and not yet signed."""
SIGNED = 30
"""After these, the last record alone can be replaced or dropped unnoticed, until the next checkpoint: nothing has been built on it."""


@dataclass(frozen=True)
class Genuine:
    """An exported log with its checkpoints, as they were written."""

    rows: tuple[Row, ...]
    checkpoints: tuple[str, ...]
    key: bytes


@dataclass(frozen=True)
class Tampered:
    """A log after somebody had it, and the records that may be named as the first that is wrong."""

    rows: list[Row]
    suspects: range


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Genuine:
    directory = tmp_path_factory.mktemp("audit")
    catalog = open_catalog(Settings(data_directory=directory))
    checkpoints = checkpoints_of(catalog, directory)
    for number in range(1, RECORDS):
        documents = (AuditedDocument(f"doc_{number % 5}", f"ver_{number}", number, passages=(("p", "h"),)),)
        person = f"user:p{number % 3}"
        catalog.audit.record(AuditEntry(AuditAction.RETRIEVE, person, documents=documents, revision=number, query="a question"))
        if number % WINDOW == 0:
            checkpoints.add()
    rows = tuple(Row(r.seq, r.prev_hash, r.hash, r.record) for r in catalog.audit.export(OPERATOR))
    catalog.close()
    lines = (directory / "checkpoints.jsonl").read_text().splitlines()
    return Genuine(rows, tuple(lines), bytes.fromhex(public_key(signing_key(directory / "key.pem"))))


def checkpoints_of(catalog: Catalog, directory: Path) -> Checkpoints:
    return Checkpoints(catalog.database, directory / "checkpoints.jsonl", signing_key(directory / "key.pem"))


def finding(rows: list[Row], genuine: Genuine, checkpoints: list[str] | None = None) -> Finding | None:
    lines = list(genuine.checkpoints) if checkpoints is None else checkpoints
    return audit_verify.verify(audit_verify.Log(rows), lines, genuine.key).finding


def rechained(rows: list[Row], start: int) -> list[Row]:
    """The rows with the hashes that the writer would have given them from position `start` on."""
    done = rows[:start]
    for row in rows[start:]:
        before = done[-1].hash if done else audit_verify.START
        hash_ = hashlib.blake2b(audit_verify.RECORD_DOMAIN + before + row.record.encode(), digest_size=32).digest()
        done.append(replace(row, prev_hash=before, hash=hash_))
    return done


def renumbered(rows: list[Row], start: int) -> list[Row]:
    """The rows from position `start` on under the numbers of their places, in the column and in the record."""
    later = [replace(row, seq=n, record=canonical({**json.loads(row.record), "seq": n})) for n, row in enumerate(rows, start=1)]
    return rows[:start] + later[start:]


def forged(row: Row) -> Row:
    return replace(row, record=canonical({**json.loads(row.record), "actor": "user:mallory"}))


def flip_a_bit(rows: list[Row], at: int, draw: random.Random) -> Tampered:
    field = draw.choice(("record", "hash", "prev_hash"))
    raw = bytearray(getattr(rows[at], field).encode() if field == "record" else getattr(rows[at], field))
    raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
    value = raw.decode("utf-8", "surrogateescape") if field == "record" else bytes(raw)
    return Tampered([*rows[:at], replace(rows[at], **{field: value}), *rows[at + 1 :]], range(at + 1, at + 2))


def change(rows: list[Row], at: int, _draw: random.Random) -> Tampered:
    """With its own hash recomputed."""
    before = rows[at - 1].hash if at else audit_verify.START
    row = forged(rows[at])
    hash_ = hashlib.blake2b(audit_verify.RECORD_DOMAIN + before + row.record.encode(), digest_size=32).digest()
    return Tampered([*rows[:at], replace(row, hash=hash_), *rows[at + 1 :]], range(at + 1, at + 2))


def swap(rows: list[Row], at: int, draw: random.Random) -> Tampered:
    """Two records under each other's number."""
    first, second = sorted((at, draw.choice([n for n in range(RECORDS) if n != at])))
    swapped = list(rows)
    swapped[first], swapped[second] = replace(rows[second], seq=first + 1), replace(rows[first], seq=second + 1)
    return Tampered(swapped, range(first + 1, first + 2))


def reorder(rows: list[Row], at: int, draw: random.Random) -> Tampered:
    """A record put down in another place, number and all."""
    rest = [*rows[:at], *rows[at + 1 :]]
    to = draw.choice([n for n in range(RECORDS) if n != at])
    return Tampered([*rest[:to], rows[at], *rest[to:]], range(min(at, to) + 1, max(at, to) + 2))


def drop(rows: list[Row], at: int, draw: random.Random) -> Tampered:
    count = draw.randint(1, 3)
    return Tampered([*rows[:at], *rows[at + count :]], range(at + 1, at + 2))


def drop_and_renumber(rows: list[Row], at: int, _draw: random.Random) -> Tampered:
    rest = [*rows[:at], *rows[at + 1 :]]
    return Tampered(renumbered(rest, at), range(at + 1, at + 2))


def insert(rows: list[Row], at: int, draw: random.Random) -> Tampered:
    """A forged record that follows from the one before; the later ones keep their numbers or move up."""
    row = rechained([*rows[:at], forged(rows[at])], at)[at]
    moved = draw.random() < 0.5
    later = [replace(r, seq=r.seq + 1) for r in rows[at:]] if moved else list(rows[at:])
    return Tampered([*rows[:at], row, *later], range(at + 1, at + 2))


def duplicate(rows: list[Row], at: int, draw: random.Random) -> Tampered:
    to = draw.randint(at + 1, RECORDS)
    return Tampered([*rows[:to], rows[at], *rows[to:]], range(at + 1, to + 2))


def truncate(rows: list[Row], at: int, _draw: random.Random) -> Tampered:
    """Below what a checkpoint covers."""
    kept = at % SIGNED
    return Tampered(list(rows[:kept]), range(kept + 1, kept + 2))


def rewrite(rows: list[Row], at: int, draw: random.Random) -> Tampered:
    """A log that is whole in itself: one record forged, dropped or put in, and every hash after it recomputed."""
    at %= SIGNED
    window = at // WINDOW * WINDOW
    kind = draw.randrange(3)
    if kind == 0:
        rows = [*rows[:at], forged(rows[at]), *rows[at + 1 :]]
    elif kind == 1:
        rows = renumbered([*rows[:at], *rows[at + 1 :]], at)
    else:
        rows = renumbered([*rows[:at], forged(rows[at]), *rows[at:]], at)
    return Tampered(rechained(rows, at), range(window + 1, window + 2))


def rewrite_a_part(rows: list[Row], at: int, draw: random.Random) -> Tampered:
    """The same, but the records after the part are left as they were."""
    end = draw.randint(at + 1, RECORDS - 1)
    part = rechained([*rows[:at], forged(rows[at]), *rows[at + 1 : end]], at)
    first = at // WINDOW * WINDOW + 1
    return Tampered([*part, *rows[end:]], range(first, end + 1))


TAMPERINGS: tuple[Callable[[list[Row], int, random.Random], Tampered], ...] = (
    *(flip_a_bit, change, swap, reorder, drop, drop_and_renumber, insert, duplicate, truncate, rewrite, rewrite_a_part),
)


def test_a_genuine_log_is_whole(genuine: Genuine):
    assert len(genuine.rows) == RECORDS
    assert finding(list(genuine.rows), genuine) is None


@pytest.mark.slow
def test_every_tamper_is_detected_and_located(genuine: Genuine):
    draw = random.Random(SEED)
    missed, misplaced, harmless = [], [], 0
    for trial in range(TAMPERS):
        tampering = TAMPERINGS[trial % len(TAMPERINGS)]
        at = draw.randrange(SIGNED if tampering in (drop, drop_and_renumber) else RECORDS - 1)
        tampered = tampering(list(genuine.rows), at, draw)
        if tampered.rows == list(genuine.rows):
            harmless += 1
            continue
        found = finding(tampered.rows, genuine)
        if found is None:
            missed.append((tampering.__name__, at))
        elif found.seq not in tampered.suspects:
            misplaced.append((tampering.__name__, at, tampered.suspects, found))

    print(*misplaced[:20], sep="\n")
    print(f"{TAMPERS} tampers, seed {SEED}: {len(missed)} missed, {len(misplaced)} misplaced, {harmless} changed nothing")
    assert (missed, misplaced, harmless) == ([], [], 0)


def test_a_log_that_was_rewritten_from_the_start_is_not_the_one_that_was_signed(genuine: Genuine):
    rows = rechained([forged(row) for row in genuine.rows], 0)

    assert finding(rows, genuine) == Finding(1, "rewritten: records 1 to 10 are not those that checkpoint 1 signed", last=10)


def test_a_record_that_was_written_under_another_number_is_found_even_where_nothing_is_signed_yet(genuine: Genuine):
    rows = list(genuine.rows)
    rows[34] = replace(rows[34], record=canonical({**json.loads(rows[34].record), "seq": 99}))

    assert finding(rechained(rows, 34), genuine) == Finding(35, "missing: the record in its place has the number 99")


@pytest.mark.parametrize(
    ("lines", "seq"),
    [
        pytest.param(lambda lines: [lines[0], lines[2]], 11, id="one missing"),
        pytest.param(lambda lines: lines[1:], 1, id="the first missing"),
        pytest.param(lambda lines: [lines[1], lines[0], lines[2]], 1, id="two exchanged"),
        pytest.param(lambda lines: [lines[0], lines[0], *lines[1:]], 11, id="one twice"),
        pytest.param(lambda lines: [lines[0].replace('"seq":10', '"seq":11'), *lines[1:]], 1, id="another number"),
        pytest.param(lambda lines: [lines[0].upper(), *lines[1:]], 1, id="written in another way"),
        pytest.param(lambda lines: [lines[0].replace(",", ", ", 1), *lines[1:]], 1, id="with a space"),
        pytest.param(lambda _lines: [], 1, id="all of them missing"),
        pytest.param(lambda lines: [*lines, "{}"], 31, id="one that is none"),
    ],
)
def test_checkpoints_that_were_tampered_with_are_found_out(genuine: Genuine, lines: Callable[[list[str]], list[str]], seq: int):
    found = finding(list(genuine.rows), genuine, lines(list(genuine.checkpoints)))

    assert found is not None
    assert found.seq == seq


def test_another_key_signed_none_of_these_checkpoints(genuine: Genuine, tmp_path: Path):
    other = bytes.fromhex(public_key(signing_key(tmp_path / "other.pem")))

    assert finding(list(genuine.rows), replace(genuine, key=other)) is not None


def test_a_flipped_bit_in_an_exported_file_is_found(genuine: Genuine, tmp_path: Path):
    """Flipped anywhere: in a name, a number, a hash's case or the end of a line."""
    draw = random.Random(SEED)
    (tmp_path / "checkpoints.jsonl").write_text("\n".join(genuine.checkpoints) + "\n")
    whole = "".join(exported(row) for row in genuine.rows).encode()
    signed = len("".join(exported(row) for row in genuine.rows[:SIGNED]).encode())
    missed = []
    for _ in range(TAMPERS // 10):
        at, bit = draw.randrange(signed), draw.randrange(8)
        (tmp_path / "log.jsonl").write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
        verdict = verify_place(str(tmp_path / "log.jsonl"), tmp_path / "checkpoints.jsonl", genuine.key.hex())
        line = whole[:at].count(b"\n") + 1
        if verdict.finding is None or verdict.finding.seq not in (line, line + 1):
            missed.append((at, bit, line, verdict.finding))

    assert missed == []


def exported(row: Row) -> str:
    said = {"seq": row.seq, "prev_hash": row.prev_hash.hex(), "hash": row.hash.hex(), "record": row.record}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def test_the_verifier_runs_alone_and_ends_with_a_code_that_scripts_can_tell_apart(genuine: Genuine, tmp_path: Path):
    (tmp_path / "checkpoints.jsonl").write_text("\n".join(genuine.checkpoints) + "\n")
    copy = tmp_path / "verifier.py"
    copy.write_bytes(Path(audit_verify.__file__).read_bytes())

    def run(rows: tuple[Row, ...], log: str = "log.jsonl") -> tuple[int, str]:
        (tmp_path / "log.jsonl").write_text("".join(exported(row) for row in rows))
        command = [sys.executable, "-I", str(copy), str(tmp_path / log), "--checkpoints", str(tmp_path / "checkpoints.jsonl")]
        done = subprocess.run([*command, "--public-key", genuine.key.hex()], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    assert run(genuine.rows) == (0, "The audit log is whole: 40 records, 30 of them under signed checkpoints.\n")
    assert run(genuine.rows[:12] + genuine.rows[13:]) == (1, "TAMPERED at record 13: missing: 14 comes in its place\n")
    assert run(genuine.rows, log="absent.jsonl")[0] == 2


def test_the_verifier_shares_no_code_with_the_writer():
    tree = ast.parse(Path(audit_verify.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) == {"cryptography", "psycopg"}


_SAID = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1), inner),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1), _SAID))
def test_records_are_spelt_as_rfc_8785_spells_them(record: dict[str, object]):
    assert canonical(record).encode() == rfc8785.dumps(record)
