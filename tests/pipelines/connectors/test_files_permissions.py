"""Who may read the documents of a folder tree, and what Archivist itself may not read."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipelines.connectors.registry import connect
from retrieval.domain.permissions import NOBODY
from tests.pipelines.connectors.folders import listed, write

pytestmark = pytest.mark.permissions


def test_a_document_without_permission_is_listed_for_nobody_with_the_reason(tree, make_spec, settings):
    write(tree, "a.txt", "open/b.txt")
    spec = make_spec("files", root=str(tree), allow={"open/**": ["everyone"]})

    files = {file.key: file for file in connect(spec, settings).list()}

    assert files["a.txt"].policy == NOBODY
    assert "no permission found" in (files["a.txt"].policy_problem or "")
    assert files["open/b.txt"].policy_problem is None


def test_permissions_beside_documents_beat_the_rules(tree, connector):
    write(tree, "a.txt", "hr/b.txt", "hr/deep/c.txt", "hr/salary-1.txt")
    write(tree, "hr/.permissions.yaml", content="default: {allow: [group:hr]}\nfiles: {'salary-*': {allow: [user:boss]}}")

    allowed = {file.key: file.policy.allow for file in connector.list()}

    assert allowed == {
        "a.txt": {"everyone"},
        "hr/b.txt": {"group:hr"},
        "hr/deep/c.txt": {"group:hr"},
        "hr/salary-1.txt": {"user:boss"},
    }


def test_changed_permissions_change_the_policy_and_not_the_fingerprint(tree, connector):
    write(tree, "a.txt")
    before = listed(connector, "a.txt")
    write(tree, ".permissions.yaml", content="default: {allow: [group:hr]}")

    after = listed(connector, "a.txt")

    assert after.fingerprint == before.fingerprint
    assert (before.policy.allow, after.policy.allow) == ({"everyone"}, {"group:hr"})


def _link(folder: Path) -> None:
    (folder / ".permissions.yaml").symlink_to(folder.parent / "open.yaml")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: (folder / ".permissions.yaml").write_text("default: {alow: [everyone]}"), id="misspelt field"),
        pytest.param(lambda folder: (folder / ".permissions.yml").write_text("default: {allow: [group:hr]}"), id="misspelt name"),
        pytest.param(lambda folder: (folder / ".permissions.yaml").write_text("#" * 70_000), id="oversized"),
        pytest.param(lambda folder: (folder / ".permissions.yaml").mkdir(), id="a folder"),
        pytest.param(lambda folder: os.mkfifo(folder / ".permissions.yaml"), id="a pipe"),
        pytest.param(_link, id="a symbolic link"),
    ],
)
def test_a_permissions_file_that_cannot_be_trusted_closes_its_folder(tree, connector, damage):
    write(tree, "a.txt", "hr/b.txt", "hr/deep/c.txt")
    write(tree, "open.yaml", content="default: {allow: [everyone]}")
    damage(tree / "hr")

    files = {file.key: file for file in connector.list()}

    assert files["a.txt"].policy.allow == {"everyone"}
    assert (files["hr/b.txt"].policy, files["hr/deep/c.txt"].policy) == (NOBODY, NOBODY)
    assert "hr/.permissions.y" in (files["hr/b.txt"].policy_problem or "")


_AS_NOBODY = """
import os, sys
from pipelines.connectors.files import FilesConnector
from pipelines.connectors.globs import Glob
from pipelines.connectors.local_tree import LocalTree
from pipelines.connectors.permissions import Rules
from pipelines.connectors.selection import Selection
from pathlib import Path
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
connector = FilesConnector(
    LocalTree(Path(sys.argv[1])), selection=Selection((Glob("**"),)), rules=Rules([]), max_files=99, max_file_bytes=99
)
try:
    for file in connector.list():
        print(file.key, file.policy_problem)
        if file.key.startswith("closed"):
            connector.fetch(file, known=None)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        ("sub", "SourceUnavailable Archivist has no permission to read the folder 'sub'"),
        ("", "SourceUnavailable Archivist has no permission to read the source's root"),
        ("closed.txt", "FileRefused Archivist has no permission to read this file or a folder above it"),
        (".permissions.yaml", ".permissions.yaml: cannot be read"),
    ],
    ids=["a folder", "the root", "a file", "a permissions file"],
)
def test_what_archivist_may_not_read_is_never_taken_for_removed(world_readable, closed, expected):
    root = world_readable / "root"
    write(root, "a.txt", "closed.txt", "sub/b.txt", ".permissions.yaml", content="default: {allow: [everyone]}")
    (root / closed).chmod(0)

    seen = subprocess.run([sys.executable, "-c", _AS_NOBODY, str(root)], capture_output=True, text=True, check=True, cwd=Path.cwd())
    (root / closed).chmod(0o755)

    assert expected in seen.stdout


@pytest.fixture
def world_readable():
    """A folder that another user of this machine can reach; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
