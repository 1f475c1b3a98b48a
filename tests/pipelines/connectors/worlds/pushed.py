"""Documents that an application pushed, and a folder that unstructured-ingest reads."""

from fnmatch import fnmatch

from pipelines.connectors import ingest, push
from pipelines.connectors.port import Connector
from retrieval.bootstrap import open_ingestion
from retrieval.domain.permissions import NOBODY, AccessPolicy
from retrieval.domain.pushing import PushedDocument
from retrieval.domain.sources import SourceSpec
from retrieval.ports.pushing import Change
from tests.pipelines.connectors.worlds.trees import LocalFolder
from tests.pipelines.connectors.worlds.world import EVERYBODY, World

SOURCE = "test-source"


class Pushed(World):
    """Readers are pushed with each document, so other readers are another push."""

    plugin = push.PLUGIN
    breaks_after = 0

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self._opened = open_ingestion(self.settings)
        self._parts = self._opened.__enter__()
        self._parts.catalog.sources.register(SourceSpec(SOURCE, "push", "Test", "user:dana"), by="user:dana")
        self._texts: dict[str, str] = {}

    def put(self, name: str, text: str) -> None:
        self._texts[name] = text
        self._push(name, EVERYBODY)

    def remove(self, name: str) -> None:
        del self._texts[name]
        self._parts.catalog.pushed.delete(SOURCE, self.key(name), Change("app:crm"))

    def break_off(self) -> None:
        self._run("ALTER TABLE pushed_documents RENAME TO elsewhere")

    def mend(self) -> None:
        self._run("ALTER TABLE elsewhere RENAME TO pushed_documents")

    def close(self) -> None:
        for connector in self.connectors:
            connector.close()
        self._opened.__exit__(None, None, None)

    def key(self, name: str) -> str:
        return f"{name}.txt"

    def connect(self, readers: dict[str, list[str]] | None = None, **settings: object) -> Connector:
        if readers is not None:
            for name in self._texts:
                self._push(name, readers)
        return super().connect({}, **settings)

    def _push(self, name: str, readers: dict[str, list[str]]) -> None:
        allowed = next((AccessPolicy.of(subjects) for pattern, subjects in readers.items() if fnmatch(name, pattern)), NOBODY)
        content = self._texts[name].encode()
        hash_ = self._parts.blobs.put(content)
        document = PushedDocument(self.key(name), hash_, len(content), "https://crm.example.com", allowed)
        self._parts.catalog.pushed.put(SOURCE, document, Change("app:crm"), max_documents=100)

    def _run(self, statement: str) -> None:
        with self._parts.catalog.database.write() as connection:
            connection.exec_driver_sql(statement)


class IngestedFolder(LocalFolder):
    """By the library's own connector for folders, of which the whole root goes away: it would take that for an empty folder."""

    plugin = ingest.PLUGIN
    breaks_after = 0

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        (self.root / "z").rmdir()
        self.location = {"connector": "local", "indexer": f"{{input_path: '{self.root}', recursive: true}}", "permissions": "rules"}
        self.settings = self.settings.model_copy(update={"ingest_connectors": "local"})

    def break_off(self) -> None:
        self.root.rename(self.folder / "away")

    def mend(self) -> None:
        (self.folder / "away").rename(self.root)

    def close(self) -> None:
        for connector in self.connectors:
            connector.close()
