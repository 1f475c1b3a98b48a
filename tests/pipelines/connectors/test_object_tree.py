"""The `files` connector over an object store, here fsspec's store in memory."""

import sys
import uuid

import fsspec
import pytest

from pipelines.connectors.port import FileRefused
from pipelines.connectors.registry import check_location, connect
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode, SourceFile
from retrieval.domain.errors import InvalidInput, SourceUnavailable
from retrieval.domain.permissions import NOBODY


@pytest.fixture
def bucket():
    """A bucket of its own, so that tests do not see each other's objects."""
    name = f"/bucket-{uuid.uuid4().hex}"
    store = fsspec.filesystem("memory")
    yield lambda key, content: store.pipe_file(f"{name}/docs/{key}", content), name
    if store.exists(name):
        store.rm(name, recursive=True)


@pytest.fixture
def put(bucket):
    return bucket[0]


@pytest.fixture
def connector(bucket, make_spec, settings):
    return connect(make_spec("files", root=f"memory:/{bucket[1]}/docs", allow={"**": ["everyone"]}), settings)


def test_objects_are_listed_and_fetched(put, connector):
    put("a.txt", b"one")
    put("sub/b c.txt", b"two")
    put(".hidden/x.txt", b"no")

    files = list(connector.list())
    contents = {file.key: connector.fetch(file, known=None).content for file in files}

    assert contents == {"a.txt": b"one", "sub/b c.txt": b"two"}
    assert files[1].uri.startswith("memory://bucket-")
    assert files[1].uri.endswith("/docs/sub/b c.txt")


def test_a_fetched_object_has_the_listings_fingerprint(put, connector):
    put("a.txt", b"one")
    file = next(connector.list())

    fetched = connector.fetch(file, known=None)
    again = connector.fetch(file, known=file.fingerprint)

    assert isinstance(fetched, Fetched)
    assert fetched.validator == file.fingerprint
    assert again == NotModified()


def test_a_replaced_object_has_another_fingerprint(put, connector):
    put("a.txt", b"one")
    before = next(connector.list())
    put("a.txt", b"two")

    after = connector.fetch(before, known=before.fingerprint)

    assert isinstance(after, Fetched)
    assert after.content == b"two"
    assert next(connector.list()).fingerprint != before.fingerprint


def test_a_removed_object_is_gone_and_a_removed_root_is_not(bucket, put, connector):
    put("a.txt", b"one")
    put("b.txt", b"two")
    file = next(connector.list())
    store = fsspec.filesystem("memory")
    store.rm(f"{bucket[1]}/docs/a.txt")

    answer = connector.fetch(file, known=None)
    store.rm(f"{bucket[1]}", recursive=True)

    assert answer == Gone()
    with pytest.raises(SourceUnavailable, match="root"):
        connector.fetch(file, known=None)
    with pytest.raises(SourceUnavailable, match="root"):
        list(connector.list())


def test_a_root_that_is_an_object_is_no_folder(put, bucket, make_spec, settings):
    put("a.txt", b"one")
    connector = connect(make_spec("files", root=f"memory:/{bucket[1]}/docs/a.txt"), settings)

    with pytest.raises(SourceUnavailable, match="not a folder"):
        list(connector.list())


@pytest.mark.permissions
def test_permissions_beside_objects_hold(put, connector):
    put("a.txt", b"one")
    put("hr/b.txt", b"two")
    put("hr/.permissions.yaml", b"default: {allow: [group:hr]}")
    put("broken/c.txt", b"three")
    put("broken/.permissions.yaml", b"default: {alow: [group:hr]}")

    files = {file.key: file for file in connector.list()}

    assert {key: file.policy.allow for key, file in files.items()} == {
        "a.txt": {"everyone"},
        "hr/b.txt": {"group:hr"},
        "broken/c.txt": set(),
    }
    assert files["broken/c.txt"].policy == NOBODY
    assert "default.alow" in (files["broken/c.txt"].policy_problem or "")


def test_an_object_over_the_limit_is_refused(put, bucket, make_spec, settings):
    put("a.txt", b"x" * 101)
    limited = connect(make_spec("files", root=f"memory:/{bucket[1]}/docs"), settings.model_copy(update={"source_max_file_bytes": 100}))

    with pytest.raises(FileRefused) as refused:
        limited.fetch(SourceFile("a.txt", next(limited.list()).uri), known=None)

    assert refused.value.rejection.code is QuarantineCode.TOO_LARGE


def test_a_store_that_breaks_off_midway_is_never_a_short_listing(put, bucket, connector, monkeypatch):
    put("a.txt", b"one")
    put("sub/b.txt", b"two")
    store = fsspec.get_filesystem_class("memory")
    whole = store.ls
    monkeypatch.setattr(store, "ls", lambda self, path, **options: _break(path) if path.endswith("sub") else whole(self, path, **options))

    with pytest.raises(SourceUnavailable, match="'sub'"):
        list(connector.list())


def _break(_path):
    raise RuntimeError("throttled")


@pytest.mark.parametrize("key", ["../secret.txt", "a/../../secret.txt", "", ".permissions.yaml", "a//b"])
def test_no_key_leads_out_of_the_prefix(put, bucket, connector, key):
    put("a.txt", b"one")
    fsspec.filesystem("memory").pipe_file(f"{bucket[1]}/secret.txt", b"outside")

    with pytest.raises(FileRefused):
        connector.fetch(SourceFile(key, f"memory:/{bucket[1]}/docs/{key}"), known=None)


@pytest.mark.parametrize(("extra", "library"), [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs")])
def test_a_store_whose_extra_is_missing_says_which(make_spec, settings, monkeypatch, extra, library):
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(InvalidInput) as refused:
        check_location(make_spec("files", root=f"{extra}://bucket/folder"), settings)

    assert str(refused.value) == f"location.root: {extra}:// needs the extra '{extra}': pip install 'archivist[{extra}]'"
