"""What a killed pool leaves behind is removed by the next; what a living one uses is not."""

import os
import tempfile
from pathlib import Path

import pytest

from pipelines.parsing.scratch import Scratch


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_of_a_dead_process_is_removed_and_that_of_a_living_one_is_not(temporary: Path):
    child = os.fork()
    if child == 0:
        (Scratch().path / "document").write_text("secret")
        os._exit(0)
    os.waitpid(child, 0)
    [left] = temporary.iterdir()

    mine, another = Scratch(), Scratch()

    assert not left.exists()
    assert mine.path.exists()
    mine.remove()
    another.remove()
    assert list(temporary.iterdir()) == []


def test_a_folder_without_a_lock_is_removed_only_when_it_is_old(temporary: Path):
    for name in ("archivist-parse-old", "archivist-parse-new", "somebody-else"):
        (temporary / name).mkdir()
    os.utime(temporary / "archivist-parse-old", (0, 0))
    os.utime(temporary / "somebody-else", (0, 0))

    Scratch().remove()

    assert sorted(path.name for path in temporary.iterdir()) == ["archivist-parse-new", "somebody-else"]


def test_a_link_is_not_followed(temporary: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept").write_text("kept")
    (temporary / "archivist-parse-link").symlink_to(elsewhere)
    os.utime(elsewhere, (0, 0))

    Scratch().remove()

    assert (elsewhere / "kept").exists()
