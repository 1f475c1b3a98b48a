"""The `git` connector: what of a repository is a document, and what a hostile one cannot do."""

import hashlib
import shutil
import subprocess
import zlib
from datetime import UTC, datetime

import pytest

from pipelines.connectors import git
from pipelines.connectors.port import FileRefused
from retrieval.domain.documents import NotModified, QuarantineCode
from retrieval.domain.errors import InvalidInput, SourceUnavailable
from retrieval.domain.permissions import NOBODY, AccessPolicy
from tests.certificates import self_signed
from tests.git_server import serving_git
from tests.pipelines.connectors.folders import keys, listed, write
from tests.pipelines.connectors.worlds.trees import repository_in

VARIABLE = "ARCHIVIST_SOURCE_TEST_TOKEN"


@pytest.fixture
def world(tmp_path):
    made = repository_in(tmp_path)
    yield made
    for connector in made.connectors:
        connector.close()


@pytest.fixture
def remote(world, tmp_path):
    """The world's repository behind an https address, and its host."""
    world.put("a", "first")
    with serving_git(world.root, self_signed(tmp_path)) as host:
        world.location = {"repository": host.url}
        world.settings = world.settings.model_copy(
            update={"private_source_hosts": "localhost", "source_ca_file": str(tmp_path / "site.pem"), "git_timeout_seconds": 60}
        )
        yield world, host
        for connector in world.connectors:
            connector.close()
        world.connectors.clear()


def copy_of(world):
    return world.settings.data_directory / "repositories" / "test-source"


@pytest.mark.permissions
def test_permission_files_hold_as_in_any_folder_tree(world):
    write(world.root, "open/a.md", "hr/salaries.md", "hr/deep/b.md", "broken/c.md")
    write(world.root, "hr/.permissions.yaml", content="default: {allow: [group:hr]}")
    write(world.root, "broken/.permissions.yaml", content="defualt: {}")
    world.commit()

    found = {file.key: file.policy for file in world.connect().list()}

    hr = AccessPolicy.of(["group:hr"])
    assert found == {"broken/c.md": NOBODY, "hr/deep/b.md": hr, "hr/salaries.md": hr, "open/a.md": AccessPolicy.of(["everyone"])}


@pytest.mark.permissions
def test_a_permissions_file_that_is_a_link_closes_its_folder(world):
    write(world.root, "a.md", "elsewhere.yaml", content="default: {allow: [everyone]}")
    (world.root / ".permissions.yaml").symlink_to("elsewhere.yaml")
    world.commit()
    world.location["history"] = "5"

    files = list(world.connect().list())

    assert len(files) == 3
    assert {file.policy for file in files} == {NOBODY}, "messages too"


def test_links_submodules_pointers_and_hidden_files_are_no_documents(world):
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    write(world.root, "a.md", ".github/workflow.md", ".hidden.md", "draft.md~")
    write(world.root, "film.mp4", content=pointer)
    (world.root / "passwd.md").symlink_to("/etc/passwd")
    commit = world.commit()
    world.run("update-index", "--add", "--cacheinfo", f"160000,{commit},module")
    world.run("commit", "--quiet", "--message", "a submodule")
    connector = world.connect()

    assert keys(connector) == ["a.md", "film.mp4"]
    with pytest.raises(FileRefused, match="Git LFS pointer") as refused:
        connector.fetch(listed(connector, "film.mp4"), known=None)
    assert refused.value.rejection.code is QuarantineCode.UNSUPPORTED


def test_names_that_no_file_system_would_take_lead_nowhere(world):
    """Trees as no git makes them: names with slashes, of other folders, and of git's own."""
    blob = subprocess.run(["git", "hash-object", "-w", "--stdin"], cwd=world.root, input=b"text", capture_output=True, check=True).stdout
    raw = bytes.fromhex(blob.decode().strip())
    names = (b"..", b".", b".git", b"../../etc/passwd", b"/etc/passwd", b"good.md", b"a/b.md", b"nul\\x.md", b"\xff.md")
    content = b"".join(b"100644 " + name + b"\0" + raw for name in names)
    made = ["git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"]
    tree = subprocess.run(made, cwd=world.root, input=content, capture_output=True, check=True).stdout.decode().strip()
    world.run("update-ref", "refs/heads/main", world.run("commit-tree", tree, "-m", "hostile"))
    connector = world.connect()

    found = {file.key: connector.fetch(file, known=None).content for file in connector.list()}

    assert found == {"a/b.md": b"text", "good.md": b"text", "nul\\x.md": b"text", "\\xff.md": b"text"}


def test_times_are_those_of_the_last_commit_that_touched_a_file(world):
    moments = [datetime(year, 1, 2, 3, 4, 5, tzinfo=UTC) for year in (2020, 2021, 2022)]
    for name, moment in zip(("@1.md", "b.md", "b.md"), moments, strict=True):
        write(world.root, name, content=str(moment))
        world.run("add", "--all")
        world.run("commit", "--quiet", "--message", "x", at=moment)

    found = {file.key: file.modified_at for file in world.connect().list()}
    short = {file.key: file.modified_at for file in world.connect(git_history_commits=1).list()}

    assert found == {"@1.md": moments[0], "b.md": moments[2]}
    assert short == {"@1.md": None, "b.md": moments[2]}, "what is older than the history that is read has no time"


def test_a_branch_or_tag_is_read_and_nothing_that_is_not_a_name(world):
    world.put("a", "of the tag")
    world.run("tag", "v1")
    world.put("a", "of main")
    texts = {}
    for ref in ("v1", "main", "HEAD", world.run("rev-parse", "v1")):
        world.location["ref"] = ref
        connector = world.connect()
        texts[ref] = connector.fetch(listed(connector, "a.txt"), known=None).content

    assert list(texts.values()) == [b"of the tag", b"of main", b"of main", b"of the tag"]
    world.location["ref"] = "nope"
    assert world.connect().probe().problem == "the repository has no branch, tag or commit of that name"
    for ref in ("--upload-pack=touch /tmp/x", "main:a.txt", "main..v1", "HEAD@{1}", "a b", "main^", "../x"):
        world.location["ref"] = ref
        with pytest.raises(InvalidInput, match=r"location\.ref"):
            world.connect()


@pytest.mark.permissions
def test_messages_are_documents_only_where_that_is_said_and_name_no_files(world):
    write(world.root, "hr/salaries.md")
    write(world.root, ".permissions.yaml", content="default: {allow: [group:staff]}")
    first = world.commit("Raise the allowance\n\nThe board agreed.")
    second = world.commit("Correct a typo")
    assert keys(world.connect()) == ["hr/salaries.md"]

    world.location["history"] = "5"
    connector = world.connect()
    messages = {file.key: file for file in connector.list() if file.key.startswith(git.COMMITS)}

    assert list(messages) == [f".git/commits/{second}.md", f".git/commits/{first}.md"]
    assert {file.policy for file in messages.values()} == {AccessPolicy.of(["group:staff"])}
    file = messages[f".git/commits/{first}.md"]
    fetched = connector.fetch(file, known=None)
    assert fetched.content.startswith(b"# Raise the allowance\n\nCommit " + first[:12].encode() + b" by Dana on ")
    assert b"The board agreed." in fetched.content
    assert b"salaries" not in fetched.content
    assert connector.fetch(file, known=fetched.validator) == NotModified()
    with pytest.raises(FileRefused):
        connector.fetch(type(file)(f"{git.COMMITS}--output=x.md", "x"), known=None)


def test_a_repository_cannot_make_anything_run(world, tmp_path):
    world.put("a", "text")
    ran = tmp_path / "ran"
    script = tmp_path / "script.sh"
    script.write_text(f"#!/bin/sh\ntouch {ran}\n")
    script.chmod(0o755)
    hooks = world.root / ".git" / "hooks"
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        shutil.copy(script, hooks / hook)
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "gpg.program", "diff.external", "credential.helper"):
        world.run("config", name, f"!{script}" if name == "credential.helper" else str(script))
    for name, value in {
        "log.showSignature": "true", "filter.x.smudge": str(script), "filter.x.clean": str(script), "diff.x.textconv": str(script),
        "extensions.partialClone": "origin", "remote.origin.url": f"ext::{script}", "remote.origin.promisor": "true",
        "protocol.ext.allow": "always", "core.repositoryFormatVersion": "1", "alias.ls-tree": f"!{script}",
    }.items():  # fmt: skip
        world.run("config", name, value)
    write(world.root, ".gitattributes", content="* filter=x diff=x\n")
    world.location["history"] = "5"
    connector = world.connect()

    files = list(connector.list())
    assert connector.fetch(files[0], known=None).content == b"text"
    blob = files[0].fingerprint
    (world.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceUnavailable):
        world.connect().fetch(files[0], known=None)

    assert not ran.exists()


@pytest.mark.parametrize("trick", ["alternates", "gitdir", "objects", "commondir", "nothing"])
def test_a_repository_that_borrows_from_another_is_refused(world, tmp_path, trick):
    other = repository_in_folder(tmp_path / "other")
    other.put("secret", "of another repository")
    world.put("a", "text")
    directory = world.root / ".git"
    (directory / "refs" / "heads" / "main").write_text(other.run("rev-parse", "HEAD"))
    if trick == "alternates":
        (directory / "objects" / "info" / "alternates").write_text(str(other.root / ".git" / "objects"))
    elif trick == "gitdir":
        shutil.rmtree(directory)
        directory.write_text(f"gitdir: {other.root / '.git'}")
    elif trick == "objects":
        shutil.rmtree(directory / "objects")
        (directory / "objects").symlink_to(other.root / ".git" / "objects")
    elif trick == "commondir":
        (directory / "commondir").write_text(str(other.root / ".git"))
    else:
        shutil.rmtree(directory)

    problem = world.connect().probe().problem

    assert problem is not None
    assert ("no git repository" in problem) == (trick == "nothing")


def repository_in_folder(folder):
    folder.mkdir()
    return repository_in(folder)


def test_a_large_blob_is_never_read_into_memory(world):
    """Many megabytes of nothing, packed into a few kilobytes."""
    world.put("a", "text")
    content = b"blob %d\0" % 60_000_000 + bytes(60_000_000)
    blob = hashlib.sha1(content).hexdigest()
    path = world.root / ".git" / "objects" / blob[:2] / blob[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(content, 1))
    world.run("update-index", "--add", "--cacheinfo", f"100644,{blob},bomb.txt")
    world.run("commit", "--quiet", "--message", "a bomb")
    connector = world.connect(source_max_file_bytes=1_000_000)
    bomb = listed(connector, "bomb.txt")

    with pytest.raises(FileRefused, match="larger than the limit"):
        connector.fetch(bomb, known=None)

    assert bomb.size_bytes == 60_000_000
    assert world.connect(git_memory_bytes=1_000_000).probe().problem is not None, "git has no more memory than it is given"
    assert connector.fetch(listed(connector, "a.txt"), known=None).content == b"text"


def test_a_repository_behind_https_is_copied_once_and_then_brought_up_to_date(remote):
    world, host = remote
    connector = world.connect()
    before = listed(connector, "a.txt")
    known = connector.fetch(before, known=None).validator
    copy = copy_of(world)
    marker = copy / "made-once"
    marker.touch()

    world.put("b", "second")
    asked = len(host.requests)
    later = world.connect()

    assert keys(later) == ["a.txt", "b.txt"]
    assert later.fetch(listed(later, "a.txt"), known=known) == NotModified()
    assert marker.exists()
    assert len(host.requests) > asked
    asked = len(host.requests)
    fresh = world.connect()
    assert fresh.fetch(before, known=None).content == b"first"
    assert len(host.requests) == asked, "what is fetched is of the commit that was listed, wherever that was"
    shutil.rmtree(copy)
    assert world.connect().fetch(before, known=None).content == b"first"


def test_of_a_history_that_is_cut_off_no_time_is_made_up(remote):
    world, _ = remote
    newest = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    for name in ("b.txt", "c.txt"):
        write(world.root, name)
        world.run("add", "--all")
        world.run("commit", "--quiet", "--message", "x", at=newest)

    copies = {count: {file.key: file.modified_at for file in world.connect(git_history_commits=count).list()} for count in (1, 2)}

    assert copies == {1: {"a.txt": None, "b.txt": None, "c.txt": newest}, 2: {"a.txt": None, "b.txt": newest, "c.txt": newest}}


def test_a_copy_of_another_address_is_made_anew(remote):
    world, host = remote
    list(world.connect().list())
    marker = copy_of(world) / "of-the-first-address"
    marker.touch()

    world.location["repository"] = host.url + "/"
    world.connect().probe()

    assert not marker.exists()


def test_a_token_is_given_to_the_host_and_kept_nowhere(remote, monkeypatch):
    world, host = remote
    host.token = "open-sesame"
    assert world.connect().probe().problem == "the repository cannot be fetched: it does not take the token"

    monkeypatch.setenv(VARIABLE, "open-sesame")
    world.location["token"] = f"env:{VARIABLE}"

    assert keys(world.connect()) == ["a.txt"]
    kept = [path.read_bytes() for path in copy_of(world).rglob("*") if path.is_file()]
    assert not any(b"open-sesame" in content or b"Authorization" in content for content in kept)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"private_source_hosts": ""}, "private_source_hosts"),
        ({"private_source_hosts": "other.example"}, "private_source_hosts"),
        ({"source_ca_file": ""}, "certificate"),
        ({"git_max_bytes": 4_096}, "git_max_bytes"),
    ],
)
def test_a_host_that_may_not_be_reached_or_trusted_is_refused_in_words(remote, settings, problem):
    world, _ = remote
    (world.root / "large.bin").write_bytes(b"".join(zlib.crc32(b"%d" % n).to_bytes(4) for n in range(20_000)))
    world.commit()

    told = world.connect(**settings).probe().problem

    assert problem in told
    assert not list(copy_of(world).glob("objects/pack/tmp_*"))


def test_redirects_are_not_followed(remote):
    world, host = remote
    host.redirects_to = f"https://localhost:{host.port}/elsewhere"

    problem = world.connect().probe().problem

    assert problem.startswith("the repository cannot be fetched")
    assert not any("elsewhere" in request for request in host.requests)


@pytest.mark.parametrize(
    "repository",
    ["http://git.example/x.git", "ssh://git.example/x", "git@git.example:x.git", "ext::sh -c true", "file://other/x", "relative/x",
     "/a/../b", "https://dana:open-sesame@git.example/x", "https://0x7f.1/x", "/", "https://git.example/x y"],
)  # fmt: skip
def test_only_paths_and_https_addresses_are_repositories(world, repository):
    world.location = {"repository": repository}

    with pytest.raises(InvalidInput, match=r"location\.repository") as refused:
        world.connect()

    assert "open-sesame" not in str(refused.value)
