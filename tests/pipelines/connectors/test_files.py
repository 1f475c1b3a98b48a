"""The `files` connector over a local folder: what it lists, who may read it, what it fetches."""

import os
import sys
from pathlib import Path

import pytest

from pipelines.connectors.port import PROBE_MAX_FILES, FileRefused
from pipelines.connectors.registry import connect
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode, SourceFile
from retrieval.domain.errors import SourceUnavailable
from retrieval.domain.permissions import AccessPolicy
from tests.pipelines.connectors.folders import keys, listed, write


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
