"""Tables in SQLite and PostgreSQL."""

from urllib.parse import quote

import sqlalchemy

from pipelines.connectors import sql
from tests.pipelines.connectors.worlds.world import World

VARIABLE = "ARCHIVIST_SOURCE_TEST_DATABASE"


class Table(World):
    """One table; a row has a version that grows with it."""

    plugin = sql.PLUGIN

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self.url = self.database(request)
        request.getfixturevalue("monkeypatch").setenv(VARIABLE, self.url)
        self.engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        self.run("CREATE TABLE articles (name VARCHAR(200), body TEXT, version INTEGER)")
        self.location = {
            "database": f"env:{VARIABLE}",
            "table": "articles",
            "id_columns": "name",
            "text_columns": "body",
            "updated_column": "version",
        }
        self.settings = self.settings.model_copy(update={"sql_fetch_rows": 1})

    def database(self, request) -> str:
        return f"sqlite:///{self.folder / 'test.db'}"

    def run(self, statement: str, **parameters: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement), parameters)

    def put(self, name: str, text: str) -> None:
        with self.engine.begin() as connection:
            version = connection.scalar(sqlalchemy.text("SELECT coalesce(max(version), 0) + 1 FROM articles"))
        self.remove(name)
        self.run("INSERT INTO articles VALUES (:name, :body, :version)", name=name, body=text, version=version)

    def remove(self, name: str) -> None:
        self.run("DELETE FROM articles WHERE name = :name", name=name)

    def break_off(self) -> None:
        self.run("ALTER TABLE articles RENAME TO elsewhere")

    def mend(self) -> None:
        self.run("ALTER TABLE elsewhere RENAME TO articles")

    def key(self, name: str) -> str:
        return quote(name, safe="@:+,=!$()'") + ".txt"


class SqliteTable(Table):
    breaks_after = 0


class PostgresTable(Table):
    """Its sessions can be ended in the middle of a listing."""

    def database(self, request) -> str:
        return str(request.getfixturevalue("postgres_server")) + "/postgres"

    def close(self) -> None:
        """The table alone: a database of its own for each test would take longer than all of them."""
        self.run("DROP TABLE IF EXISTS articles, elsewhere")

    def break_off(self) -> None:
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        super().break_off()


class TableWithoutTimes(SqliteTable):
    """Nothing but the text tells that a row changed."""

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        del self.location["updated_column"]
