"""The `files` connector over a local folder: what it lists, who may read it, what it fetches."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipelines.connectors.port import PROBE_MAX_FILES, FileRefused
from pipelines.connectors.registry import connect
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode, SourceFile
from retrieval.domain.errors import SourceUnavailable
from retrieval.domain.permissions import NOBODY, AccessPolicy


@pytest.fixture
def connector(tree, make_spec, settings):
    return connect(make_spec("files", root=str(tree), allow={"**": ["everyone"]}), settings)


def write(root: Path, *names: str, content: str = "text") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def keys(connector) -> list[str]:
    return [file.key for file in connector.list()]


def listed(connector, key: str) -> SourceFile:
    return next(file for file in connector.list() if file.key == key)


def test_every_document_is_listed_once_in_a_stable_order(tree, connector):
    write(tree, "b.txt", "a.txt", "sub/d.txt", "sub/deeper/e.txt", "other/c.txt")

    found = keys(connector)

    assert found == ["a.txt", "b.txt", "other/c.txt", "sub/d.txt", "sub/deeper/e.txt"]


def test_a_listed_file_says_where_it_is_and_what_it_looked_like(tree, connector):
    write(tree, "sub/a file.txt", content="12345")

    file = listed(connector, "sub/a file.txt")

    status = (tree / "sub/a file.txt").stat()
    assert (file.uri, file.size_bytes) == (f"file://{tree}/sub/a%20file.txt", 5)
    assert file.fingerprint == f"5-{status.st_mtime_ns}-{status.st_ino}"
    assert file.modified_at is not None
    assert file.modified_at.timestamp() == pytest.approx(status.st_mtime)
    assert file.policy == AccessPolicy.of(["everyone"])


def test_hidden_and_temporary_files_are_not_documents(tree, connector):
    write(tree, "a.txt", ".permissions.yaml", ".hidden", ".git/config", "~$a.docx", "a.txt~", content="{}")

    found = keys(connector)

    assert found == ["a.txt"]


def test_only_what_is_included_and_not_excluded_is_listed(tree, make_spec, settings):
    write(tree, "a.md", "b.txt", "sub/c.md", "sub/drafts/d.md", "archive/e.md")
    spec = make_spec("files", root=str(tree), include=("**/*.md", "b.txt"), exclude=("archive/**", "**/drafts/*"))

    found = keys(connect(spec, settings))

    assert found == ["a.md", "b.txt", "sub/c.md"]


def test_a_document_without_permission_is_listed_for_nobody_with_the_reason(tree, make_spec, settings):
    write(tree, "a.txt", "open/b.txt")
    spec = make_spec("files", root=str(tree), allow={"open/**": ["everyone"]})

    files = {file.key: file for file in connect(spec, settings).list()}

    assert files["a.txt"].policy == NOBODY
    assert "no permission found" in (files["a.txt"].policy_problem or "")
    assert files["open/b.txt"].policy_problem is None


@pytest.mark.permissions
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


@pytest.mark.permissions
def test_changed_permissions_change_the_policy_and_not_the_fingerprint(tree, connector):
    write(tree, "a.txt")
    before = listed(connector, "a.txt")
    write(tree, ".permissions.yaml", content="default: {allow: [group:hr]}")

    after = listed(connector, "a.txt")

    assert after.fingerprint == before.fingerprint
    assert (before.policy.allow, after.policy.allow) == ({"everyone"}, {"group:hr"})


def _link(folder: Path) -> None:
    (folder / ".permissions.yaml").symlink_to(folder.parent / "open.yaml")


@pytest.mark.permissions
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


def test_a_fetched_file_comes_with_its_fingerprint_as_validator(tree, connector):
    write(tree, "a.txt", content="hello")
    file = listed(connector, "a.txt")

    fetched = connector.fetch(file, known=None)

    assert isinstance(fetched, Fetched)
    assert (fetched.content, fetched.validator, fetched.modified_at) == (b"hello", file.fingerprint, file.modified_at)


def test_an_unchanged_file_is_not_read_again(tree, connector):
    write(tree, "a.txt")
    file = listed(connector, "a.txt")

    answer = connector.fetch(file, known=file.fingerprint)

    assert answer == NotModified()


def test_a_file_replaced_with_the_same_size_and_time_is_read_again(tree, connector):
    write(tree, "a.txt", content="old")
    before = listed(connector, "a.txt")
    status = (tree / "a.txt").stat()
    write(tree, "b.txt", content="new")
    os.utime(tree / "b.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tree / "b.txt").replace(tree / "a.txt")

    answer = connector.fetch(before, known=before.fingerprint)

    assert isinstance(answer, Fetched)
    assert answer.content == b"new"


@pytest.mark.parametrize("removed", ["sub/a.txt", "sub"])
def test_a_removed_file_is_gone(tree, connector, removed):
    write(tree, "sub/a.txt")
    file = listed(connector, "sub/a.txt")
    (tree / "sub/a.txt").unlink()
    if removed == "sub":
        (tree / "sub").rmdir()

    answer = connector.fetch(file, known=None)

    assert answer == Gone()


def test_a_file_over_the_limit_is_refused_and_not_cut(tree, make_spec, settings):
    write(tree, "exact.txt", content="x" * 100)
    write(tree, "over.txt", content="x" * 101)
    limited = connect(make_spec("files", root=str(tree)), settings.model_copy(update={"source_max_file_bytes": 100}))

    exact = limited.fetch(listed(limited, "exact.txt"), known=None)
    with pytest.raises(FileRefused) as refused:
        limited.fetch(SourceFile("over.txt", f"file://{tree}/over.txt"), known=None)

    assert isinstance(exact, Fetched)
    assert refused.value.rejection.code is QuarantineCode.TOO_LARGE
    assert "100 bytes" in refused.value.reason


def test_more_files_than_the_limit_are_an_error_and_not_a_part(tree, make_spec, settings):
    write(tree, *(f"{n}.txt" for n in range(4)))
    limited = connect(make_spec("files", root=str(tree)), settings.model_copy(update={"source_max_files": 3}))

    with pytest.raises(SourceUnavailable, match="more than 3 files"):
        list(limited.list())


@pytest.mark.parametrize("damage", ["missing", "a file"])
def test_a_root_that_is_away_is_never_an_empty_source(tmp_path, tree, connector, damage):
    write(tree, "a.txt")
    file = listed(connector, "a.txt")
    tree.rename(tmp_path / "elsewhere")
    if damage == "a file":
        tree.write_text("not a folder")

    with pytest.raises(SourceUnavailable, match="root"):
        list(connector.list())
    with pytest.raises(SourceUnavailable, match="root"):
        connector.fetch(file, known=None)
    assert connector.probe().is_reachable is False


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


def test_names_that_are_not_utf8_are_listed_and_fetched(tree, connector):
    (Path(os.fsdecode(os.fsencode(tree) + b"/caf\xe9.txt"))).write_text("latin")

    file = listed(connector, "caf\\xe9.txt")
    fetched = connector.fetch(file, known=None)

    assert file.uri.endswith("/caf%E9.txt")
    assert isinstance(fetched, Fetched)
    assert fetched.content == b"latin"


def test_decomposed_names_are_composed_in_keys_and_still_found(tree, connector):
    write(tree, "cafe\u0301/re\u0301sume\u0301.txt")

    file = listed(connector, "caf\u00e9/r\u00e9sum\u00e9.txt")

    assert isinstance(connector.fetch(file, known=None), Fetched)


def test_two_names_that_look_the_same_are_two_documents(tree, connector):
    write(tree, "cafe\u0301.txt", content="decomposed")
    write(tree, "caf\u00e9.txt", content="composed")

    contents = {file.key: connector.fetch(file, known=None).content for file in connector.list()}

    assert contents == {"cafe\u0301.txt": b"decomposed", "caf\u00e9.txt": b"composed"}


def test_folders_nested_without_end_are_an_error(tree, connector):
    deep = tree
    for _ in range(101):
        deep = deep / "d"
        deep.mkdir()

    with pytest.raises(SourceUnavailable, match="nested more than 100"):
        list(connector.list())


def test_a_probe_says_what_is_there(tree, make_spec, settings):
    write(tree, "a.TXT", "b.txt", "open/c.pdf", "open/README", content="1234")
    spec = make_spec("files", root=str(tree), allow={"open/**": ["everyone"]})

    probe = connect(spec, settings).probe()

    assert probe.is_reachable
    assert (probe.files, probe.has_more, probe.size_bytes, probe.without_permission) == (4, False, 16, 2)
    assert probe.formats == {".txt": 2, ".pdf": 1, "": 1}


def test_a_probe_is_bounded(tree, connector):
    write(tree, *(f"{n}.txt" for n in range(PROBE_MAX_FILES + 5)))

    probe = connector.probe()

    assert (probe.files, probe.has_more) == (PROBE_MAX_FILES, True)


@pytest.mark.parametrize("root", ["file://{tree}", "file://localhost{tree}", "{tree}/"])
def test_a_local_root_may_be_written_as_a_url(tree, make_spec, settings, root):
    write(tree, "a.txt")
    connector = connect(make_spec("files", root=root.format(tree=tree), allow={"**": ["everyone"]}), settings)

    answer = connector.fetch(listed(connector, "a.txt"), known=None)

    assert isinstance(answer, Fetched)


_opened: list[str] = []
sys.addaudithook(lambda event, arguments: _opened.append(str(arguments[0])) if event == "open" else None)


def test_listing_opens_no_document(tree, connector):
    write(tree, *(f"{folder}/{n}.txt" for folder in range(5) for n in range(20)))
    _opened.clear()

    files = list(connector.list())
    opened_by_listing = [name for name in _opened if name.endswith(".txt")]
    connector.fetch(files[0], known=None)

    assert len(files) == 100
    assert opened_by_listing == []
    assert [name for name in _opened if name.endswith(".txt")] == ["0.txt"]
