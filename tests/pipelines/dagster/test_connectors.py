"""Databases and repositories from registration to what readers see, through Dagster."""

import pytest

from retrieval.domain.documents import QuarantineCode
from retrieval.domain.ingestion import FAILED
from retrieval.domain.sources import SourceSpec
from tests.pipelines.connectors.worlds.rows import SqliteTable
from tests.pipelines.connectors.worlds.trees import GitRepository
from tests.pipelines.dagster.conftest import allow, metadata_of


@pytest.fixture
def registered(plant, request, tmp_path):
    """Makes a world, and registers it under the name of its kind."""

    def make(world_type, **location):
        world = world_type(tmp_path, request)
        world.location |= location
        kind = world.plugin.kind.name
        spec = SourceSpec(f"the-{kind}", kind, "Title", "user:dana", world.location, (allow("**", "everyone"),))
        plant.catalog.sources.register(spec, by="user:dana")
        return world, spec.id

    return make


def test_rows_of_a_database_become_documents_and_only_changed_ones_are_read_again(plant, registered):
    world, source = registered(SqliteTable, allowed_column="readers", named_as="group", format="markdown")
    world.run("ALTER TABLE articles ADD COLUMN readers TEXT")
    world.run("INSERT INTO articles VALUES ('a', 'Leave is long.', 1, 'staff'), ('b', 'Travel is paid.', 1, NULL), ('c', 'Old.', 1, 'x')")
    assert plant.ingest(source).success
    first = plant.current(source)

    world.run("UPDATE articles SET body = 'Leave is longer.', version = 2 WHERE name = 'a'")
    world.run("UPDATE articles SET readers = 'staff' WHERE name = 'b'")
    world.remove("c")
    again = plant.ingest(source)
    second = plant.current(source)
    world.break_off()

    assert set(first) == {"a.md", "b.md", "c.md"}
    assert set(second) == {"a.md", "b.md"}
    assert (second["a.md"] != first["a.md"], second["b.md"] == first["b.md"]) == (True, True)
    assert metadata_of(again, "source_listing")["policy_changed"] == 1
    assert metadata_of(again, "documents")["parsed"] == 1
    assert not plant.ingest(source).success
    assert (plant.last_run(source).outcome, plant.current(source)) == (FAILED, second), "an outage withdraws nothing"


def test_a_repository_becomes_documents_with_the_readers_of_its_permission_files(plant, registered):
    world, source = registered(GitRepository, history="10")
    (world.root / "hr").mkdir()
    (world.root / "hr" / ".permissions.yaml").write_text("default: {allow: [group:hr]}")
    (world.root / "hr" / "pay.md").write_text("# Pay\n\nPay is on the first.")
    (world.root / "film.mp4").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    commit = world.commit("Write down when pay is")

    run = plant.ingest(source)

    assert set(plant.current(source)) == {"hr/pay.md", f".git/commits/{commit}.md"}
    [refused] = plant.catalog.staging.quarantined(source)
    assert (refused.key, refused.code) == ("film.mp4", QuarantineCode.UNSUPPORTED.value)
    assert metadata_of(run, "source_listing")["listed"] == 3
