"""Going back, removing and erasing by the command line: shown first, done with --yes."""

import json
from pathlib import Path

import pytest

from pipelines import rollback
from retrieval.bootstrap import open_catalog
from retrieval.domain.retention import RetentionTerms
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist
from tests.story import ANN, PUBLIC, Story


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The id of the embedder that the settings name."""
    from retrieval.bootstrap import open_deferred_embedder  # noqa: PLC0415

    monkeypatch.setenv("ARCHIVIST_DATA_DIRECTORY", str(tmp_path))
    return open_deferred_embedder(Settings()).model


def published(tmp_path: Path, model: str) -> int:
    """Two versions of one document. Returns the revision of the first."""
    catalog = open_catalog(Settings(data_directory=tmp_path))
    story = Story(catalog, model=model)
    story.sync({"a.md": ("Good.", PUBLIC)})
    good = catalog.revision()
    story.sync({"a.md": ("Bad zanzibarquux.", PUBLIC)})
    catalog.close()
    return good


def seen(tmp_path: Path, model: str) -> set[str]:
    catalog = open_catalog(Settings(data_directory=tmp_path))
    try:
        return Story(catalog, model=model).visible(ANN)
    finally:
        catalog.close()


def test_a_source_goes_back_and_is_released(archivist: Archivist, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    good = published(tmp_path, model)

    assert rollback.main(["handbook", "--revision", str(good), "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["counts"]["restored"], planned["revision"]) == (1, None)
    assert seen(tmp_path, model) == {"Bad zanzibarquux."}

    assert rollback.main(["handbook", "--revision", str(good), "--yes", "--by", "user:dana"]) == 0
    assert "restored, version 2 to 1" in capsys.readouterr().out
    assert seen(tmp_path, model) == {"Good."}
    assert rollback.main(["handbook"]) == 1

    assert "content" in archivist("release", "handbook").stdout
    assert "Released 1" in archivist("release", "handbook", "--yes").stderr


def test_old_versions_are_removed_and_documents_erased_with_a_report_that_verifies(archivist: Archivist, model: str, tmp_path: Path):
    published(tmp_path, model)
    terms = {"ARCHIVIST_RETENTION_KEEP_VERSIONS": "0", "ARCHIVIST_RETENTION_KEEP_DAYS": "0"}

    shown = json.loads(archivist("retention", "--json", **terms).stdout)
    done = json.loads(archivist("retention", "--yes", "--json", **terms).stdout)

    assert RetentionTerms().keep_days is None
    assert shown["handbook"]["versions"] == done["handbook"]["versions"] == 1

    asked = ("erasure", "erase", "person", "--word", "Zanzibarquux", "--reason", "asked for")
    assert "--yes does it" in archivist(*asked).stderr
    assert archivist(*asked, "--yes").exit_code == 0
    assert seen(tmp_path, model) == set()
    [report] = (tmp_path / "erasures").iterdir()
    verified = archivist("erasure", "verify", str(report))
    assert (verified.exit_code, "1 documents" in verified.stderr) == (0, True)
    assert report.stem in archivist("erasure", "list").stdout
    report.write_text(report.read_text().replace("asked for", "no reason"))
    assert archivist("erasure", "verify", str(report)).exit_code != 0
