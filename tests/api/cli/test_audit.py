"""archivist audit."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cli.failures import FAILED, INVALID, UNAVAILABLE
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.audit import AuditAction, AuditedDocument, AuditEntry
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist

QUESTION = "Who is Nightingale?"


@pytest.fixture
def recorded(tmp_path: Path) -> None:
    """Ann and, through the intranet, Bob were shown documents."""
    catalog = open_catalog(Settings(data_directory=tmp_path))
    for actor, act_for, documents in (("user:ann", None, ("doc_a", "doc_b")), ("app:intranet", "user:bob", ("doc_b",))):
        named = tuple(AuditedDocument(document, f"ver_{document}", 1, passages=(("p", "h"),)) for document in documents)
        catalog.audit.record(AuditEntry(AuditAction.RETRIEVE, actor, act_for, documents=named, query=QUESTION))
    catalog.close()


def shown(archivist: Archivist, *arguments: str) -> list[dict]:
    done = archivist("audit", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("recorded")
def test_who_saw_a_document(archivist: Archivist):
    rows = shown(archivist, "who-saw", "--document", "doc_b")

    assert [(row["actor"], row["act_for"], row["document"]) for row in rows] == [
        ("app:intranet", "user:bob", "doc_b"),
        ("user:ann", None, "doc_b"),
    ]


@pytest.mark.usefixtures("recorded")
def test_what_a_person_saw(archivist: Archivist):
    assert [row["document"] for row in shown(archivist, "who-saw", "--person", "user:ann")] == ["doc_a", "doc_b"]
    assert [row["document"] for row in shown(archivist, "who-saw", "--person", "user:bob")] == ["doc_b"]
    assert shown(archivist, "who-saw", "--person", "user:bob", "--to", "2020-01-01") == []
    assert archivist("audit", "who-saw").exit_code == INVALID
    assert archivist("audit", "who-saw", "--person", "bob").exit_code == INVALID


@pytest.mark.usefixtures("recorded")
def test_looking_is_recorded(archivist: Archivist):
    shown(archivist, "who-saw", "--document", "doc_b")

    [newest] = shown(archivist, "show", "--last", "1")
    assert (newest["actor"], newest["action"], newest["details"]["document"]) == ("app:cli", "audit.read", "doc_b")


@pytest.mark.usefixtures("recorded")
def test_queries_are_shown_to_whoever_asks_for_them_by_name(archivist: Archivist):
    assert QUESTION not in archivist("audit", "show").stdout

    assert archivist("audit", "show", "--decrypt").stdout.count(QUESTION) == 2

    assert "queries.decrypted" in archivist("audit", "show").stdout


@pytest.mark.usefixtures("recorded")
def test_forgotten_queries_are_forgotten_and_the_log_is_whole(archivist: Archivist):
    assert archivist("audit", "forget-queries", "--yes").exit_code == 0

    assert QUESTION not in archivist("audit", "show", "--decrypt").stdout
    archivist("audit", "checkpoint")
    assert archivist("audit", "verify").exit_code == 0


@pytest.mark.usefixtures("recorded")
def test_a_log_is_verified_with_the_key_that_was_noted_down(archivist: Archivist, tmp_path: Path):
    key = archivist("audit", "public-key").stdout.strip()
    archivist("audit", "checkpoint")

    whole = archivist("audit", "verify", "--public-key", key)
    other = archivist("audit", "verify", "--public-key", "00" * 32)

    assert (whole.exit_code, whole.stdout) == (0, "The audit log is whole: 2 records, 2 of them under signed checkpoints.\n")
    assert other.exit_code == FAILED
    assert int(key, 16) > 0
    assert (tmp_path / "audit" / "signing-key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("recorded")
def test_a_log_that_was_tampered_with_fails_and_says_where(archivist: Archivist, tmp_path: Path):
    archivist("audit", "checkpoint")
    with sqlite3.connect(tmp_path / "catalog.db") as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET record = replace(record, 'user:bob', 'user:eve') WHERE seq = 2")
    connection.close()

    verified = archivist("audit", "verify")

    assert verified.exit_code == FAILED
    assert verified.stdout.startswith("TAMPERED at record 2: changed")


@pytest.mark.usefixtures("recorded")
def test_a_log_that_nobody_signed_is_not_called_whole(archivist: Archivist):
    verified = archivist("audit", "verify")

    assert (verified.exit_code, "no checkpoint" in verified.stdout) == (FAILED, True)


@pytest.mark.usefixtures("recorded")
def test_an_exported_log_can_be_verified_elsewhere(archivist: Archivist, tmp_path: Path):
    file = tmp_path / "log.jsonl"
    archivist("audit", "checkpoint")

    exported = archivist("audit", "export", str(file))
    whole = archivist("audit", "verify", "--export", str(file))
    file.write_text(file.read_text().replace("doc_a", "doc_z"))
    changed = archivist("audit", "verify", "--export", str(file))

    assert exported.exit_code == 0
    assert (file.stat().st_mode & 0o777, whole.exit_code) == (0o600, 0)
    assert (changed.exit_code, changed.stdout.split(":")[0]) == (FAILED, "TAMPERED at record 1")
    assert QUESTION not in file.read_text()


def test_a_log_that_is_not_there_cannot_be_verified(archivist: Archivist):
    assert archivist("audit", "verify").exit_code == UNAVAILABLE


def test_records_are_shown_by_moment(archivist: Archivist, recorded: None):
    today = datetime.now(UTC).strftime("%Y-%m-%d")

    assert len(shown(archivist, "show", "--from", today, "--action", "retrieve")) == 2
