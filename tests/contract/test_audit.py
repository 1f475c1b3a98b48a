"""What the audit log promises, on SQLite and on PostgreSQL."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from api.cli.audit_verify import Finding, Verdict, verify_place
from retrieval.adapters.catalog.audit.chain import append
from retrieval.adapters.catalog.audit.checkpoints import Checkpoints
from retrieval.adapters.catalog.audit.signing import public_key, signing_key
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.tables import audit, revision, secrets
from retrieval.domain.audit import OPERATOR, AuditAction, AuditedDocument, AuditEntry, AuditFilter, canonical
from retrieval.domain.errors import ArchivistError, CatalogUnavailable, Conflict
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.sources import SourceSpec, SourceState
from tests.story import ANN, PUBLIC, Story, allow

pytestmark = pytest.mark.contract

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUESTION = "Who is Nightingale?"


class Ticking:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def shown(actor: str = "user:ann", *documents: str, query: str = QUESTION, act_for: str | None = None) -> AuditEntry:
    named = tuple(AuditedDocument(document, f"ver_{document}", 1, passages=(("p", "h"),)) for document in documents)
    return AuditEntry(AuditAction.RETRIEVE, actor, act_for, documents=named, revision=1, query=query)


def records(catalog: Catalog) -> list[dict]:
    with catalog.database.read() as connection:
        return [json.loads(record) for record in connection.scalars(select(audit.c.record).order_by(audit.c.seq))]


def actions(catalog: Catalog) -> list[str]:
    return [record["action"] for record in records(catalog)]


def checkpoints_of(catalog: Catalog, directory: Path) -> Checkpoints:
    return Checkpoints(catalog.database, directory / "checkpoints.jsonl", signing_key(directory / "key.pem"))


def verdict(catalog: Catalog, directory: Path) -> Verdict:
    url = catalog.database.engine.url.render_as_string(hide_password=False)
    key = public_key(signing_key(directory / "key.pem"))
    return verify_place(url.removeprefix("sqlite:///"), directory / "checkpoints.jsonl", key)


def test_every_record_holds_on_to_the_one_before(catalog: Catalog, tmp_path: Path):
    for person in ("user:ann", "user:bob", "user:ann"):
        catalog.audit.record(shown(person, "doc_a"))
    checkpoints_of(catalog, tmp_path).add()

    assert [record["seq"] for record in records(catalog)] == [1, 2, 3]
    assert verdict(catalog, tmp_path) == Verdict(3, 3, None)


def test_a_record_says_what_was_shown_and_not_what_was_asked(catalog: Catalog):
    catalog.audit.record(shown("app:intranet", "doc_a", act_for="user:ann"))

    [record] = records(catalog)
    assert record["documents"] == [
        {"document": "doc_a", "version": "ver_doc_a", "access_class": 1, "passages": [{"id": "p", "text_hash": "h"}]}
    ]
    assert (record["actor"], record["act_for"], record["decision"], record["revision"]) == ("app:intranet", "user:ann", "allowed", 1)
    assert "Nightingale" not in canonical(record)


def test_equal_queries_have_equal_hashes_and_different_ciphertexts(catalog: Catalog):
    for query in (QUESTION, QUESTION, "Something else"):
        catalog.audit.record(shown(query=query))

    first, again, other = records(catalog)
    assert first["query_hmac"] == again["query_hmac"] != other["query_hmac"]
    assert first["query"] != again["query"]


def test_an_id_asked_for_in_vain_is_kept_as_a_keyed_hash(catalog: Catalog):
    catalog.audit.record(AuditEntry(AuditAction.DOCUMENT_READ, "user:ann", is_allowed=False, asked="doc_hidden"))

    [record] = records(catalog)
    assert record["decision"] == "denied"
    assert len(record["asked_hmac"]) == 64
    assert "doc_hidden" not in canonical(record)


def test_a_state_change_and_its_record_are_one(catalog: Catalog):
    def change() -> None:
        with catalog.database.write() as connection:
            next_revision(connection)
            append(connection, AuditEntry(AuditAction.SOURCE_PAUSED, "user:dana"), at="2026-03-01T12:00:00.000000Z")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()

    with catalog.database.read() as connection:
        assert connection.scalar(select(revision.c.value)) == 0
    assert records(catalog) == []


def test_the_life_of_a_source_is_recorded(catalog: Catalog):
    story = Story(catalog)
    story.sync({"a.md": ("One.", PUBLIC), "b.md": ("Two.", PUBLIC)})
    story.sync({"a.md": ("One.", allow("user:ann"))})
    catalog.sources.set_state("handbook", SourceState.PAUSED, by="user:dana")
    catalog.sources.set_state("handbook", SourceState.ACTIVE, by="user:dana")
    catalog.publishing.retire("handbook", by="user:dana")

    assert actions(catalog) == [
        "source.registered",
        "documents.published",
        "permissions.changed",
        "documents.withdrawn",
        "source.paused",
        "source.resumed",
        "documents.withdrawn",
        "source.retired",
    ]
    said = records(catalog)
    assert {named["document"] for named in said[1]["documents"]} == {story.document("a.md"), story.document("b.md")}
    assert [named["document"] for named in said[2]["documents"]] == [story.document("a.md")]
    assert [named["document"] for named in said[3]["documents"]] == [story.document("b.md")]
    assert said[4]["actor"] == "user:dana"


def test_what_changes_nothing_leaves_no_record(catalog: Catalog):
    story = Story(catalog)
    files = {"a.md": ("One.", PUBLIC)}
    story.sync(files)
    before = actions(catalog)

    story.sync(files)
    catalog.sources.register(SourceSpec(id="handbook", kind="files", title="Handbook", owner="user:dana"), by="user:dana")

    assert actions(catalog) == before


def test_keys_and_memberships_are_recorded_without_the_secret_and_the_label(catalog: Catalog):
    key = ApiKey.generate()
    catalog.keys.add(StoredApiKey(key.id, key.secret_hash, ANN, "Nightingale's key", NOON))
    catalog.directory.set_groups("user:ann", ["group:board"])
    catalog.keys.revoke(key.id, NOON)
    catalog.keys.revoke(key.id, NOON)

    assert actions(catalog) == ["key.created", "memberships.changed", "key.revoked"]
    assert records(catalog)[0]["details"] == {"key": key.id, "subject": "user:ann", "roles": ["user"]}
    assert key.secret not in str(records(catalog))
    assert "Nightingale" not in str(records(catalog))


def test_a_state_change_that_cannot_be_recorded_does_not_happen(catalog: Catalog):
    with catalog.database.write() as connection:
        for table in ("audit_requests", "audit_documents", "audit"):
            connection.execute(text(f"DROP TABLE {table}"))

    key = ApiKey.generate()
    with pytest.raises(ArchivistError):
        catalog.keys.add(StoredApiKey(key.id, key.secret_hash, ANN, "", NOON))

    assert catalog.keys.find(key.id) is None


def test_the_database_refuses_to_change_the_log(catalog: Catalog):
    catalog.audit.record(shown("user:ann", "doc_a"))

    for statement in (
        "UPDATE audit SET actor = 'user:bob'",
        "DELETE FROM audit",
        "UPDATE audit_documents SET document = 'doc_b'",
        "DELETE FROM audit_documents",
        "INSERT OR REPLACE INTO audit SELECT seq, prev_hash, hash, at, 'user:bob', act_for, action, record FROM audit"
        if catalog.database.is_sqlite
        else "TRUNCATE audit CASCADE",
    ):
        with pytest.raises(Conflict), catalog.database.write() as connection:
            connection.execute(text(statement))

    assert [record["actor"] for record in records(catalog)] == ["user:ann"]


def test_records_of_many_threads_make_one_chain(catalog: Catalog, tmp_path: Path):
    def work(person: str) -> None:
        for number in range(20):
            catalog.audit.record(shown(person, f"doc_{number}"))

    threads = [threading.Thread(target=work, args=(f"user:{name}",)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checkpoints_of(catalog, tmp_path).add()

    assert verdict(catalog, tmp_path) == Verdict(160, 160, None)


def test_reads_and_state_changes_of_several_processes_make_one_chain_without_waiting_for_each_other_for_ever(
    make_catalog: Callable[..., Catalog], tmp_path: Path
):
    catalogs = [make_catalog() for _ in range(3)]

    def change(catalog: Catalog, name: str) -> None:
        for number in range(10):
            catalog.directory.set_groups(f"user:{name}", [f"group:{number}"])
            catalog.audit.record(shown(f"user:{name}", "doc_a"))

    threads = [threading.Thread(target=change, args=(catalog, f"ann{n}")) for n, catalog in enumerate(catalogs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    checkpoints_of(catalogs[0], tmp_path).add()

    assert not any(thread.is_alive() for thread in threads)
    assert actions(catalogs[0]).count("retrieve") == 30
    assert actions(catalogs[0]).count("memberships.changed") >= 30
    assert verdict(catalogs[0], tmp_path).finding is None


def test_one_record_that_cannot_be_written_takes_no_other_with_it(catalog: Catalog):
    """A lone surrogate has no encoding, so it can neither be hashed nor stored."""
    together = [shown(actor) for actor in ("user:ann", "user:\ud800", "user:bob")]
    problems: list[Exception | None] = [None] * len(together)

    def record(number: int) -> None:
        try:
            catalog.audit.record(together[number])
        except (ArchivistError, ValueError) as error:
            problems[number] = error

    with catalog.database.write():  # nobody else can write, so that they wait for one commit
        threads = [threading.Thread(target=record, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()

    assert [type(problem) for problem in problems] == [type(None), UnicodeEncodeError, type(None)]
    assert sorted(record["actor"] for record in records(catalog)) == ["user:ann", "user:bob"]


def test_a_record_that_cannot_be_written_is_an_error_that_stops_the_read(catalog: Catalog):
    with catalog.database.write() as connection:
        connection.execute(text("DROP TABLE audit_documents"))

    with pytest.raises(CatalogUnavailable):
        catalog.audit.record(shown("user:ann", "doc_a"))

    assert records(catalog) == []


def test_who_saw_a_document_and_what_a_person_saw(make_catalog: Callable[..., Catalog]):
    catalog = make_catalog(clock=Ticking())
    catalog.audit.record(shown("user:ann", "doc_a", "doc_b"))
    catalog.audit.record(shown("user:bob", "doc_b"))
    catalog.audit.record(shown("app:intranet", "doc_a", act_for="user:bob"))
    catalog.audit.record(AuditEntry(AuditAction.DOCUMENTS_PUBLISHED, "app:dagster", documents=(AuditedDocument("doc_a"),)))

    def found(wanted: AuditFilter) -> list[int]:
        return [record.seq for record in catalog.audit.read(OPERATOR, wanted, limit=100)]

    assert found(AuditFilter(document="doc_a", shown_only=True)) == [3, 1]
    assert found(AuditFilter(document="doc_a")) == [4, 3, 1]
    assert found(AuditFilter(person="user:bob")) == [3, 2]
    assert found(AuditFilter(person="app:intranet")) == [3]
    assert found(AuditFilter(person="user:bob", document="doc_a")) == [3]
    assert found(AuditFilter(action=AuditAction.DOCUMENTS_PUBLISHED)) == [4]
    at = catalog.audit.read(OPERATOR, AuditFilter(action=AuditAction.DOCUMENTS_PUBLISHED), limit=1)[0].fields["at"]
    moment = datetime.fromisoformat(str(at))
    assert found(AuditFilter(until=moment)) == [3, 2, 1]
    assert found(AuditFilter(since=moment, until=moment + timedelta(microseconds=1))) == [4]


def test_reading_the_log_is_recorded_and_reading_on_ends(catalog: Catalog):
    for _ in range(5):
        catalog.audit.record(shown())
    auditor = Principal("eve", PrincipalKind.USER)

    pages, before = [], None
    while page := catalog.audit.read(auditor, AuditFilter(), before=before, limit=2):
        pages.append([record.seq for record in page])
        before = page[-1].seq

    assert pages == [[5, 4], [3, 2], [1]]
    read = [record for record in records(catalog) if record["action"] == "audit.read"]
    assert [record["actor"] for record in read] == ["user:eve"] * 4


def test_queries_are_decrypted_until_their_key_is_destroyed(catalog: Catalog, tmp_path: Path):
    catalog.audit.record(shown())
    kept = catalog.audit.read(OPERATOR, AuditFilter(action=AuditAction.RETRIEVE), limit=10)
    hashed = records(catalog)[0]["query_hmac"]

    before = catalog.audit.decrypt(OPERATOR, kept)
    catalog.audit.forget_queries(OPERATOR)
    after = catalog.audit.decrypt(OPERATOR, kept)
    catalog.audit.record(shown())

    assert (before, after) == ([QUESTION], [None])
    assert actions(catalog)[-4:] == ["queries.decrypted", "queries.forgotten", "queries.decrypted", "retrieve"]
    assert records(catalog)[-1]["query_hmac"] != hashed
    checkpoints_of(catalog, tmp_path).add()
    assert verdict(catalog, tmp_path).finding is None


def test_a_running_process_writes_nothing_more_under_a_destroyed_key(make_catalog: Callable[..., Catalog]):
    serving, operating = make_catalog(), make_catalog()
    serving.audit.record(shown())

    operating.audit.forget_queries(OPERATOR)
    serving.audit.record(shown())

    [new] = operating.audit.read(OPERATOR, AuditFilter(action=AuditAction.RETRIEVE), limit=1)
    assert operating.audit.decrypt(OPERATOR, [new]) == [QUESTION]


def test_a_destroyed_key_is_not_left_in_the_files_of_sqlite(make_catalog: Callable[..., Catalog], tmp_path: Path, catalog_url: str):
    if not catalog_url.startswith("sqlite"):
        pytest.skip("PostgreSQL's files are not ours to read; VACUUM frees the row")
    catalog = make_catalog()
    catalog.audit.record(shown())
    with catalog.database.read() as connection:
        key = connection.scalar(select(secrets.c.value).where(secrets.c.name == "audit query text"))

    catalog.audit.forget_queries(OPERATOR)

    assert not any(key in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_checkpoint_goes_on_from_the_last_one(catalog: Catalog, tmp_path: Path):
    checkpoints = checkpoints_of(catalog, tmp_path)
    signed = []
    for count in (3, 1, 5):
        for _ in range(count):
            catalog.audit.record(shown())
        signed.append(checkpoints.add())
    signed.append(checkpoints.add())
    catalog.audit.record(shown())
    signed.append(checkpoints.add(least_records=2))

    lines = [json.loads(line) for line in (tmp_path / "checkpoints.jsonl").read_text().splitlines()]
    assert signed == [3, 1, 5, 0, 0]
    assert [(line["first"], line["seq"]) for line in lines] == [(1, 3), (4, 4), (5, 9)]
    assert verdict(catalog, tmp_path) == Verdict(10, 9, None)


def test_a_checkpoint_that_a_crash_cut_short_is_taken_away(catalog: Catalog, tmp_path: Path):
    checkpoints = checkpoints_of(catalog, tmp_path)
    catalog.audit.record(shown())
    checkpoints.add()
    with (tmp_path / "checkpoints.jsonl").open("a") as file:
        file.write('{"at":"2026')
    catalog.audit.record(shown())

    checkpoints.add()

    assert verdict(catalog, tmp_path) == Verdict(2, 2, None)


def test_a_chain_that_does_not_go_on_is_not_signed(catalog: Catalog, tmp_path: Path):
    checkpoints = checkpoints_of(catalog, tmp_path)
    for _ in range(3):
        catalog.audit.record(shown())
    checkpoints.add()
    for _ in range(3):
        catalog.audit.record(shown())
    drop_triggers(catalog)
    with catalog.database.write() as connection:
        connection.execute(text("DELETE FROM audit WHERE seq = 5"))

    with pytest.raises(Conflict, match="5"):
        checkpoints.add()

    assert verdict(catalog, tmp_path).finding == Finding(5, "missing: 6 comes in its place")


def test_the_signing_key_is_made_once_and_is_its_owners_alone(tmp_path: Path):
    file = tmp_path / "audit" / "key.pem"

    first, second = signing_key(file), signing_key(file)

    assert public_key(first) == public_key(second)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["key.pem"]
    file.chmod(0o640)
    with pytest.raises(Conflict, match="others"):
        signing_key(file)


@pytest.mark.parametrize(
    ("tamper", "seq"),
    [
        pytest.param("UPDATE audit SET actor = 'user:bob' WHERE seq = 3", 3, id="a column"),
        pytest.param("UPDATE audit SET record = replace(record, 'user:ann', 'user:bob') WHERE seq = 3", 3, id="a record"),
        pytest.param("DELETE FROM audit_documents WHERE seq = 4", 4, id="who saw what"),
        pytest.param("INSERT INTO audit_documents VALUES ('doc_z', 2)", 2, id="who did not see what"),
        pytest.param("DELETE FROM audit WHERE seq >= 5", 5, id="the end"),
        pytest.param("DELETE FROM audit WHERE seq = 1", 1, id="the beginning"),
        pytest.param("UPDATE audit SET seq = seq + 1 WHERE seq >= 6", 6, id="a gap"),
        pytest.param("DELETE FROM audit", 1, id="everything"),
    ],
)
def test_whoever_changes_the_database_behind_its_triggers_is_found_out(catalog: Catalog, tmp_path: Path, tamper: str, seq: int):
    for _ in range(6):
        catalog.audit.record(shown("user:ann", "doc_a"))
    checkpoints_of(catalog, tmp_path).add()
    drop_triggers(catalog)

    with catalog.database.write() as connection:
        if not catalog.database.is_sqlite:
            connection.execute(text("ALTER TABLE audit_documents DROP CONSTRAINT fk_audit_documents_seq"))
        else:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(text(tamper))
        if catalog.database.is_sqlite:
            connection.execute(text("DELETE FROM audit_documents WHERE seq NOT IN (SELECT seq FROM audit)"))

    found = verdict(catalog, tmp_path).finding
    assert found is not None
    assert found.seq == seq


def test_an_end_that_no_checkpoint_covers_yet_cannot_be_cut_off_alone(catalog: Catalog, tmp_path: Path):
    for _ in range(3):
        catalog.audit.record(shown())
    checkpoints_of(catalog, tmp_path).add()
    for _ in range(3):
        catalog.audit.record(shown())
    drop_triggers(catalog)

    with catalog.database.write() as connection:
        connection.execute(text("DELETE FROM audit WHERE seq > 4"))

    found = verdict(catalog, tmp_path).finding
    assert found is not None
    assert (found.seq, found.what[:9]) == (5, "truncated")


def test_the_log_of_an_old_catalog_starts_empty_and_whole(catalog: Catalog, tmp_path: Path):
    signing_key(tmp_path / "key.pem")
    with catalog.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(audit)) == 0
    assert verdict(catalog, tmp_path) == Verdict(0, 0, None)


def drop_triggers(catalog: Catalog) -> None:
    """What an administrator of the database can do."""
    with catalog.database.write() as connection:
        if catalog.database.is_sqlite:
            for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in ("audit", "audit_documents"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
