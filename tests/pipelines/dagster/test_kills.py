"""A run is killed at random moments. What the next run leaves behind is what an undisturbed one would have left."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from retrieval.bootstrap import open_catalog
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings
from tests.pipelines.dagster.conftest import allow, touch_later

KILLS = int(os.environ.get("ARCHIVIST_TEST_KILLS", "3"))
DOCUMENTS = 24
WINDOW = 4
CHECKOUT = Path(__file__).parents[3]


@dataclass
class Site:
    """A data directory of its own over a shared folder of documents."""

    directory: Path
    root: Path
    kills: int = 0
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings(
            data_directory=self.directory / "archivist",
            embed_window_passages=WINDOW,
            publish_batch_documents=5,
            chunk_max_tokens=40,
            index_wait_seconds=0,
        )
        self.directory.mkdir()
        catalog = open_catalog(self.settings)
        catalog.sources.register(
            SourceSpec("handbook", "files", "The handbook", "user:dana", {"root": str(self.root)}, (allow("**", "everyone"),)),
            by="user:dana",
        )
        catalog.close()

    def sync(self, *, kill_after_seconds: float | None = None) -> tuple[bool, float]:
        """Run to the end, or kill. Returns whether it came to its end, and the seconds it took from its beginning."""
        environment = self.settings.as_environment() | {"PYTHONPATH": str(CHECKOUT)}
        command = [sys.executable, "-m", "tests.pipelines.dagster.sync_process", str(self.directory / "journal"), "handbook"]
        with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            began = time.monotonic()
            try:
                _, problem = process.communicate(timeout=kill_after_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                self.kills += 1
                return False, time.monotonic() - began
        assert process.returncode == 0, problem.decode()
        return True, time.monotonic() - began

    def sync_with_kills(self, kills: int, *, within_seconds: float, moments: random.Random) -> None:
        """Kill `kills` runs, looking after each that nothing is half published; then let one come to its end."""
        for _ in range(kills):
            self.sync(kill_after_seconds=moments.uniform(0, within_seconds))
            assert not self.rows(_HALF_PUBLISHED)
        self.sync()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        catalog = open_catalog(self.settings)
        try:
            with catalog.database.read() as connection:
                return [tuple(row) for row in connection.exec_driver_sql(query)]
        finally:
            catalog.close()

    def contents(self) -> dict[str, list[tuple[object, ...]]]:
        return {name: self.rows(query) for name, query in _CONTENTS.items()}

    def embedded(self) -> Counter[str]:
        return Counter((self.directory / "journal").read_text().split())


@pytest.mark.slow
@pytest.mark.e2e
def test_killed_runs_leave_what_an_undisturbed_run_leaves(tmp_path: Path) -> None:
    root = tmp_path / "documents"
    root.mkdir()
    moments = random.Random(os.environ.get("ARCHIVIST_TEST_SEED", "kills"))
    for number in range(DOCUMENTS):
        (root / f"{number:02}.md").write_text(_text(number, "first"))
    undisturbed, disturbed = Site(tmp_path / "undisturbed", root), Site(tmp_path / "disturbed", root)
    _, seconds = undisturbed.sync()

    disturbed.sync_with_kills((KILLS + 1) // 2, within_seconds=seconds, moments=moments)
    first = undisturbed.contents(), disturbed.contents()
    _edit(root)
    undisturbed.sync()
    disturbed.sync_with_kills(KILLS // 2, within_seconds=seconds, moments=moments)

    assert first[1] == first[0]
    assert disturbed.contents() == undisturbed.contents()
    assert disturbed.kills > 0
    assert set(undisturbed.embedded().values()) == {1}
    again = disturbed.embedded().total() - undisturbed.embedded().total()
    assert 0 <= again <= disturbed.kills * WINDOW
    assert not disturbed.rows("SELECT id FROM document_versions WHERE state = 'staged'")


def _edit(root: Path) -> None:
    """A third of the documents changes, two go, two come."""
    for number in range(0, DOCUMENTS, 3):
        path = root / f"{number:02}.md"
        path.write_text(_text(number, "second"))
        touch_later(path)
    for number in (1, 2):
        (root / f"{number:02}.md").unlink()
        (root / f"new-{number}.md").write_text(_text(number, "new"))


def _text(number: int, edition: str) -> str:
    paragraphs = [f"Paragraph {part} of document {number}, {edition} edition. " + "It says something. " * 8 for part in range(3)]
    return f"# Document {number}\n\n" + "\n\n".join(paragraphs) + "\n"


_HALF_PUBLISHED = """
    SELECT v.id FROM document_versions v WHERE v.state = 'current' AND (
      v.passages != (SELECT count(*) FROM passages p JOIN embeddings e ON e.text_hash = p.embedded_hash WHERE p.version = v.id)
      OR NOT EXISTS (SELECT 1 FROM documents d WHERE d.current_version = v.id))
    UNION ALL SELECT document FROM document_versions WHERE state = 'current' GROUP BY document HAVING count(*) > 1"""
_CONTENTS = {
    "documents": "SELECT id, key, current_version, content_hash, listed_run IS NULL FROM documents ORDER BY id",
    "versions": "SELECT id, document, number, state, content_hash, passages FROM document_versions ORDER BY id",
    "passages": "SELECT id, version, ordinal, span_start, span_end, embedded_hash FROM passages ORDER BY id",
    "embeddings": "SELECT model, text_hash, vector FROM embeddings ORDER BY text_hash",
    "quarantine": "SELECT document FROM quarantine",
    "classes": "SELECT * FROM access_classes ORDER BY 1",
    "facts": "SELECT document, version, extractor FROM graph_documents ORDER BY 1",
    "entities": "SELECT id FROM entities ORDER BY 1",
    "mentions": "SELECT m.passage, m.ordinal, e.id, n.name, m.kind, m.span_start, m.span_end FROM mentions m "
    "JOIN entity_names n ON n.number = m.name JOIN entities e ON e.number = n.entity ORDER BY 1, 2",
    "relations": "SELECT r.passage, r.ordinal, r.kind, s.id, o.id FROM relations r "
    "JOIN entities s ON s.number = r.subject JOIN entities o ON o.number = r.object ORDER BY 1, 2",
}
