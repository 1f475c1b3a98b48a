"""The `sql` connector: what becomes of rows, who reads them, and what a query cannot do."""

import json

import pytest
import sqlalchemy

from pipelines.connectors import sql
from pipelines.connectors.port import FileRefused
from retrieval.domain.documents import Gone
from retrieval.domain.errors import InvalidInput, SourceUnavailable
from retrieval.domain.permissions import NOBODY, AccessPolicy
from retrieval.domain.sources import PermissionRule, SourceSpec
from tests.pipelines.connectors.folders import keys, listed
from tests.pipelines.connectors.worlds.rows import VARIABLE, PostgresTable, SqliteTable

ENDLESS = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT count(*) AS name, 'x' AS body FROM n"


@pytest.fixture(params=[SqliteTable, pytest.param(PostgresTable, marks=pytest.mark.postgres)], ids=lambda world: world.__name__)
def world(request, tmp_path):
    made = request.param(tmp_path, request)
    yield made
    for connector in made.connectors:
        connector.close()
    made.close()


@pytest.fixture
def sqlite(request, tmp_path):
    made = SqliteTable(tmp_path, request)
    yield made
    for connector in made.connectors:
        connector.close()


def add_column(world, name: str, **values: str | None) -> None:
    world.run(f"ALTER TABLE articles ADD COLUMN {name} TEXT")
    for row, value in values.items():
        world.run(f"UPDATE articles SET {name} = :value WHERE name = :row", value=value, row=row)


def with_rows(world, *names: str) -> None:
    for name in names:
        world.put(name, f"the text of {name}")


@pytest.mark.permissions
def test_a_row_names_its_readers_in_any_common_way_and_nobody_where_it_does_not(world):
    written = {
        "commas": "finance, hr",
        "json": json.dumps(["finance", "hr"]),
        "one": "finance",
        "empty": "",
        "null": None,
        "broken": '["finance", ',
        "number": '["finance", 3]',
        "spaces": "human resources",
        "nested": '{"finance": true}',
    }
    with_rows(world, *written)
    add_column(world, "readers", **written)
    world.location |= {"allowed_column": "readers", "named_as": "group"}

    found = {file.key.removesuffix(".txt"): file for file in world.connect().list()}

    both = AccessPolicy.of(["group:finance", "group:hr"])
    assert found["commas"].policy == found["json"].policy == both
    assert found["one"].policy == AccessPolicy.of(["group:finance"])
    assert {name for name, file in found.items() if file.policy == NOBODY} == {"empty", "null", "broken", "number", "spaces", "nested"}
    assert all(file.policy_problem and "finance" not in file.policy_problem for file in found.values() if file.policy == NOBODY)


@pytest.mark.permissions
def test_a_row_and_every_matching_rule_deny_and_an_unreadable_denial_closes_the_row(world):
    with_rows(world, "a", "b", "c")
    add_column(world, "readers", a="everyone", b="everyone", c="user:ann")
    add_column(world, "blocked", a="user:bob", b="user:bob, bob smith", c=None)
    world.location |= {"allowed_column": "readers", "denied_column": "blocked"}
    rule = PermissionRule("**", AccessPolicy.of(["group:all"], ["user:eve"]))
    spec = SourceSpec("test-source", "sql", "Test", "user:dana", location=world.location, rules=(rule,))

    connector = sql.PLUGIN.open(spec, world.settings)
    found = {file.key: file.policy for file in connector.list()}
    connector.close()

    assert found == {
        "a.txt": AccessPolicy.of(["everyone"], ["user:bob", "user:eve"]),
        "b.txt": NOBODY,
        "c.txt": AccessPolicy.of(["user:ann"], ["user:eve"]),
    }


@pytest.mark.postgres
@pytest.mark.permissions
def test_an_array_of_the_database_names_readers(request, tmp_path):
    world = PostgresTable(tmp_path, request)
    with_rows(world, "a")
    world.location |= {"query": "SELECT name, body, array['user:ann', 'group:hr'] AS r FROM articles", "allowed_column": "r"}
    del world.location["table"], world.location["updated_column"]

    connector = world.connect()
    [file] = connector.list()
    connector.close()
    world.close()

    assert file.policy == AccessPolicy.of(["user:ann", "group:hr"])


def test_a_row_is_found_by_several_ids_of_any_type_in_a_table_and_in_a_query(world):
    world.run("CREATE TABLE parts (chapter INTEGER, lang VARCHAR(20), body TEXT)")
    for chapter, lang in ((1, "de"), (1, "en"), (12, "../x"), (2, ".hidden")):
        world.run("INSERT INTO parts VALUES (:chapter, :lang, :body)", chapter=chapter, lang=lang, body=f"{chapter} in {lang}")
    try:
        for place in ({"table": "parts"}, {"query": "SELECT chapter, lang, body FROM parts -- all of them"}):
            world.location = {"database": f"env:{VARIABLE}", "id_columns": ("chapter", "lang"), "text_columns": "body", **place}
            connector = world.connect()

            texts = {file.key: connector.fetch(file, known=None).content.decode() for file in connector.list()}

            assert texts == {
                "1/de.txt": "1 in de",
                "1/en.txt": "1 in en",
                "2/%2Ehidden.txt": "2 in .hidden",
                "12/%2E.%2Fx.txt": "12 in ../x",
            }
    finally:
        world.run("DROP TABLE parts")


def test_ids_that_the_database_holds_for_equal_are_two_documents(sqlite):
    sqlite.run("CREATE TABLE notes (id TEXT COLLATE NOCASE, body TEXT)")
    sqlite.run("INSERT INTO notes VALUES ('a', 'small'), ('A', 'capital')")
    sqlite.location = {"database": f"env:{VARIABLE}", "table": "notes", "id_columns": "id", "text_columns": "body"}
    connector = sqlite.connect()

    assert {file.key: connector.fetch(file, known=None).content for file in connector.list()} == {"a.txt": b"small", "A.txt": b"capital"}


def test_numbers_that_a_query_makes_are_found_again(world):
    world.put("a", "text")
    world.location |= {"query": "SELECT version * 10 AS name, body || '50%' AS body FROM articles WHERE ':x' <> '::'"}
    del world.location["table"], world.location["updated_column"]
    connector = world.connect()

    [file] = connector.list()

    assert (file.key, connector.fetch(file, known=None).content) == ("10.txt", b"text50%")


def test_title_and_texts_make_one_document_in_the_format_that_is_said(sqlite):
    sqlite.run("CREATE TABLE pages (id INTEGER, head TEXT, one TEXT, two TEXT, url TEXT)")
    sqlite.run("INSERT INTO pages VALUES (1, 'Fish & <chips>', 'first', NULL, 'https://a.test/1'), (2, NULL, 'a', 'b', 'javascript:x()')")
    sqlite.location = {
        "database": f"env:{VARIABLE}", "table": "pages", "id_columns": "id", "title_column": "head", "text_columns": ("one", "two"),
        "link_column": "url",
    }  # fmt: skip
    made = {}
    for format_ in ("plain", "markdown", "html"):
        sqlite.location["format"] = format_
        connector = sqlite.connect()
        made[format_] = [(file.uri, connector.fetch(file, known=None)) for file in connector.list()]

    assert [fetched.content for _, fetched in made["plain"]] == [b"Fish & <chips>\n\nfirst", b"a\n\nb"]
    assert [fetched.title for _, fetched in made["plain"]] == ["Fish & <chips>", None]
    assert made["markdown"][0][1].content == b"# Fish & <chips>\n\nfirst"
    assert b"<h1>Fish &amp; &lt;chips&gt;</h1>\nfirst\n</body>" in made["html"][0][1].content
    assert [uri for uri, _ in made["markdown"]] == ["https://a.test/1", "sql:test-source/2.md"], "only what people may follow is a link"
    assert [fetched.media_type for fetched in (made[name][0][1] for name in made)] == ["text/plain", "text/markdown", "text/html"]


@pytest.mark.parametrize(
    "options",
    [
        {"table": "articles", "query": "SELECT 1"}, {}, {"table": "articles; DROP TABLE articles"}, {"table": 'a"b'},
        {"query": "DELETE FROM articles"}, {"query": "SELECT 1; DELETE FROM articles"}, {"query": "SELECT 1\0"}, {"query": "selected"},
    ],
)  # fmt: skip
def test_anything_but_one_table_or_one_select_is_refused_before_it_is_reached(sqlite, options):
    sqlite.location = {"database": f"env:{VARIABLE}", "id_columns": "name", "text_columns": "body", **options}

    with pytest.raises(InvalidInput, match=r"location\.(table|query)"):
        sqlite.connect()


def test_a_credential_is_a_reference_and_never_repeated(sqlite):
    sqlite.location["database"] = "postgresql://dana:open-sesame@db.example/kb"

    with pytest.raises(InvalidInput, match=r"location\.database: .*never the credential itself") as refused:
        sqlite.connect()

    assert "open-sesame" not in str(refused.value)


def test_a_misspelt_column_is_said_to_be_missing_and_is_no_text(sqlite):
    """SQLite takes an unknown name in double quotes for a text, which would make everybody of that name a reader."""
    with_rows(sqlite, "a")
    sqlite.location["allowed_column"] = "everyone"

    assert sqlite.connect().probe().problem == "the database cannot be read: there is no such column"


@pytest.mark.parametrize("rows", ["('a', 'x'), ('a', 'y')", "(NULL, 'x')", "('', 'x')", f"('{'i' * 201}', 'x')"])
def test_rows_that_cannot_be_told_apart_stop_the_listing(sqlite, rows):
    sqlite.run(f"INSERT INTO articles (name, body) VALUES {rows}")

    with pytest.raises(SourceUnavailable, match=r"two rows have the same id|a row has no id"):
        list(sqlite.connect().list())


def test_a_row_that_does_not_say_when_it_changed_is_compared_by_its_text(sqlite):
    with_rows(sqlite, "a")
    sqlite.run("UPDATE articles SET version = NULL")
    connector = sqlite.connect()
    file = listed(connector, "a.txt")
    known = connector.fetch(file, known=None).validator

    sqlite.run("UPDATE articles SET body = 'new'")

    assert file.fingerprint is None
    assert connector.fetch(file, known=known).content == b"new"


def test_other_columns_for_the_text_are_seen_though_no_row_changed(sqlite):
    with_rows(sqlite, "a")
    before = listed(sqlite.connect(), "a.txt").fingerprint

    sqlite.location["text_columns"] = ("body", "name")

    assert listed(sqlite.connect(), "a.txt").fingerprint != before


def test_a_file_that_is_not_there_is_not_made(sqlite, monkeypatch):
    missing = sqlite.folder / "missing.db"
    monkeypatch.setenv(VARIABLE, f"sqlite:///{missing}")

    assert sqlite.connect().probe().problem == "the database cannot be read: it cannot be reached"
    assert not missing.exists()


def test_a_statement_that_takes_too_long_is_stopped(world):
    world.location |= {"query": ENDLESS}
    del world.location["table"], world.location["updated_column"]

    assert world.connect(sql_statement_seconds=1).probe().problem == "the database cannot be read: a statement took too long"


@pytest.mark.postgres
def test_a_query_that_writes_is_stopped_by_the_database(request, tmp_path):
    world = PostgresTable(tmp_path, request)
    world.put("a", "text")
    world.run("CREATE SEQUENCE IF NOT EXISTS counter")
    world.location |= {"query": "SELECT name, body, nextval('counter') AS n FROM articles", "title_column": "n"}
    del world.location["table"], world.location["updated_column"]
    connector = world.connect()

    problem = connector.probe().problem

    connector.close()
    world.close()
    assert problem == "the database cannot be read: the query tries to write"


@pytest.mark.parametrize(
    ("url", "settings", "problem"),
    [
        ("postgresql+psycopg://dana:open-sesame@169.254.169.254/kb", {}, "reserved network"),
        ("postgresql+psycopg://dana:open-sesame@[fd00:ec2::254]/kb", {}, "reserved network"),
        ("postgresql+psycopg://dana:open-sesame@localhost/kb", {"sql_hosts": "db.example, other.example"}, "sql_hosts"),
        ("postgresql+psycopg://dana:open-sesame@/kb?host=/var/run/postgresql", {}, "must name one host"),
        ("postgresql+psycopg://dana:open-sesame@db.example/kb?hostaddr=169.254.169.254", {}, "must name one host"),
        ("postgresql+psycopg://dana:open-sesame@localhost:1/kb", {"sql_connect_seconds": 2}, "cannot be read"),
        ("nosuchdatabase://dana:open-sesame@localhost/kb", {}, "no driver"),
        ("open-sesame", {}, "not the URL of a database"),
    ],
)  # fmt: skip
def test_hosts_that_may_not_be_reached_are_refused_without_telling_the_credential(sqlite, monkeypatch, url, settings, problem):
    monkeypatch.setenv(VARIABLE, url)

    told = sqlite.connect(**settings).probe().problem

    assert problem in told
    assert "open-sesame" not in told
    assert "dana" not in told


@pytest.mark.postgres
def test_a_wrong_password_is_said_and_not_told(request, tmp_path, monkeypatch):
    world = PostgresTable(tmp_path, request)
    monkeypatch.setenv(VARIABLE, world.url.replace("archivist@", "nobody-of-that-name:open-sesame@"))
    connector = world.connect()

    problem = connector.probe().problem

    connector.close()
    world.close()
    assert "nobody-of-that-name" not in problem
    assert "open-sesame" not in problem


def test_a_row_that_is_excluded_is_neither_listed_nor_fetched(sqlite):
    with_rows(sqlite, "a", "b")
    everything = sqlite.connect()
    file = listed(everything, "b.txt")
    sqlite.location["exclude"] = "b*"
    connector = sqlite.connect()

    assert keys(connector) == ["a.txt"]
    with pytest.raises(FileRefused):
        connector.fetch(file, known=None)
    assert everything.fetch(type(file)("c.txt", "sql:test-source/c.txt"), known=None) == Gone()


def test_a_credential_that_is_not_there_is_a_problem_of_the_source_not_of_the_service(sqlite, monkeypatch):
    monkeypatch.delenv(VARIABLE)

    assert sqlite.connect().probe().problem == "the credential is not where its reference says, or is empty"


def test_a_table_of_several_portions_is_read_whole(sqlite):
    with sqlite.engine.begin() as connection:
        connection.execute(
            sqlalchemy.text("INSERT INTO articles VALUES (:name, :body, 1)"), [{"name": f"{n:05}", "body": "x"} for n in range(2_000)]
        )

    assert len(keys(sqlite.connect(sql_fetch_rows=100))) == 2_000
