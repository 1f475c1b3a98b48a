"""What every connector promises, over every place that documents come from."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipelines.connectors.port import FileRefused
from retrieval.domain.documents import Fetched, Gone, NotModified, QuarantineCode
from retrieval.domain.errors import SourceUnavailable
from retrieval.domain.permissions import NOBODY, AccessPolicy
from tests.pipelines.connectors.folders import keys, listed
from tests.pipelines.connectors.worlds.feed import Feed
from tests.pipelines.connectors.worlds.mail import ImapAccount, MaildirFolder, MboxFile
from tests.pipelines.connectors.worlds.pages import WebSite
from tests.pipelines.connectors.worlds.pushed import IngestedFolder, Pushed
from tests.pipelines.connectors.worlds.rows import PostgresTable, SqliteTable, TableWithoutTimes
from tests.pipelines.connectors.worlds.trees import GitRepository, LocalFolder, ObjectStore
from tests.pipelines.connectors.worlds.world import HOSTILE, World

WORLDS = [
    LocalFolder,
    ObjectStore,
    WebSite,
    SqliteTable,
    TableWithoutTimes,
    pytest.param(PostgresTable, marks=pytest.mark.postgres),
    GitRepository,
    MboxFile,
    MaildirFolder,
    ImapAccount,
    Pushed,
    IngestedFolder,
    Feed,
]

pytestmark = pytest.mark.contract


@pytest.fixture(params=WORLDS, ids=lambda world: world.__name__)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """With the documents a, b and c."""
    made = request.param(tmp_path, request)
    for name in ("a", "b", "c"):
        made.put(name, f"the text of {name}")
    yield made
    for connector in made.connectors:
        connector.close()
    made.close()


def text_of(answer) -> str:
    assert isinstance(answer, Fetched)
    return answer.content.decode()


def test_a_listing_has_each_document_once_in_an_order_that_stays(world):
    connector = world.connect()

    found = keys(connector)

    assert found == [world.key(name) for name in ("a", "b", "c")]
    assert keys(connector) == found == keys(world.connect())


def test_what_is_unchanged_is_not_fetched_again(world):
    first = world.connect()
    file = listed(first, world.key("b"))
    fetched = first.fetch(file, known=None)

    later = world.connect()
    again = listed(later, world.key("b"))

    assert "the text of b" in text_of(fetched)
    assert later.fetch(again, known=fetched.validator) == NotModified()
    assert again.fingerprint == file.fingerprint
    assert (again.fingerprint is not None) == world.has_fingerprints


def test_a_changed_document_is_seen_and_fetched(world):
    connector = world.connect()
    before = listed(connector, world.key("b"))
    known = connector.fetch(before, known=None).validator
    others = {file.key: file.fingerprint for file in connector.list() if file.key != before.key}

    world.put("b", "another text altogether")
    connector = world.connect()
    after = listed(connector, world.key("b"))

    assert "another text altogether" in text_of(connector.fetch(after, known=known))
    assert (after.fingerprint != before.fingerprint) == world.has_fingerprints
    assert {file.key: file.fingerprint for file in connector.list() if file.key != before.key} == others, "nothing else is fetched"


def test_a_deleted_document_disappears_and_is_gone(world):
    connector = world.connect()
    file = listed(connector, world.key("b"))

    world.remove("b")
    later = world.connect()

    assert keys(later) == [world.key("a"), world.key("c")]
    if not isinstance(world, ImapAccount):  # marked as deleted, it can be fetched until the server forgets it
        assert later.fetch(file, known=None) == Gone()


@pytest.mark.permissions
def test_readers_are_those_of_the_rules_and_nobody_where_no_rule_matches(world):
    connector = world.connect({"a": ["group:finance"], "b": ["everyone"]})

    found = {file.key: (file.policy, file.policy_problem is None) for file in connector.list()}

    assert found == {
        world.key("a"): (AccessPolicy.of(["group:finance"]), True),
        world.key("b"): (AccessPolicy.of(["everyone"]), True),
        world.key("c"): (NOBODY, False),
    }


@pytest.mark.permissions
def test_other_permissions_alone_are_seen_without_fetching(world):
    first = world.connect()
    before = listed(first, world.key("a"))
    known = first.fetch(before, known=None).validator

    second = world.connect({"a": ["user:ann"]})
    after = listed(second, world.key("a"))

    assert (before.policy, after.policy) == (AccessPolicy.of(["everyone"]), AccessPolicy.of(["user:ann"]))
    assert after.fingerprint == before.fingerprint
    assert second.fetch(after, known=known) == NotModified()


def test_a_listing_that_breaks_says_so_and_never_ends_early(world):
    connector = world.connect()
    listing = connector.list()
    for _ in range(world.breaks_after):
        next(listing)

    world.break_off()

    with pytest.raises(SourceUnavailable):
        list(listing)
    problem = world.connect().probe().problem
    assert problem
    assert str(world.folder) not in problem


def test_after_a_failure_the_next_listing_is_whole_and_knows_what_it_had(world):
    first = world.connect()
    had = {file.key: (file.fingerprint, first.fetch(file, known=None).validator) for file in first.list()}
    world.break_off()
    with pytest.raises(SourceUnavailable):
        list(first.list())

    world.mend()

    assert keys(first) == list(had), "the same connector goes on"
    later = world.connect()
    for file in later.list():
        fingerprint, validator = had.pop(file.key)
        assert file.fingerprint == fingerprint
        assert later.fetch(file, known=validator) == NotModified()
    assert had == {}


def test_a_first_look_tells_what_is_there_and_whom_it_is_for(world):
    probe = world.connect({"a": ["everyone"]}).probe()

    assert (probe.problem, probe.files, probe.has_more, probe.without_permission) == (None, 3, False, 2)
    assert probe.formats == {Path(world.key("a")).suffix: 3}


def test_hostile_names_are_documents_like_others_and_lead_nowhere(world):
    names = [name for name in HOSTILE if world.takes(name)]
    for name in names:
        world.put(name, f"this is {HOSTILE.index(name)}.")

    connector = world.connect()
    files = {file.key: file for file in connector.list()}

    assert len(names) >= 8
    for name in names:
        file = files[world.key(name)]
        assert f"this is {HOSTILE.index(name)}." in text_of(connector.fetch(file, known=None))
        assert not {"", ".", ".."} & set(file.key.partition("://")[2].split("/") if "://" in file.key else file.key.split("/"))
    assert len(files) == len(names) + 3


def test_more_documents_than_allowed_refuse_the_listing_in_words(world):
    with pytest.raises(SourceUnavailable, match=r"more than 2 .*raise (source_max_files|web_max_urls)"):
        list(world.connect(**{world.limits[0]: 2}).list())


def test_a_document_larger_than_allowed_is_refused_alone(world):
    world.put("b", "x" * 5_000)
    connector = world.connect(**{world.limits[1]: 2_000})

    with pytest.raises(FileRefused, match="larger than the limit of 2000 bytes") as refused:
        connector.fetch(listed(connector, world.key("b")), known=None)

    assert refused.value.rejection.code is QuarantineCode.TOO_LARGE
    assert "the text of a" in text_of(connector.fetch(listed(connector, world.key("a")), known=None))


def test_what_is_not_the_sources_is_refused(world):
    connector = world.connect()
    file = listed(connector, world.key("a"))

    outside = type(file)(key="no/such/../../key", uri="file:///etc/passwd", fingerprint=None)

    with pytest.raises(FileRefused):
        connector.fetch(outside, known=None)


def test_closing_gives_back_files_and_processes(world):
    """A socket that is left open fails the test run by the warning that Python gives."""
    before = _held()
    connector = world.connect()
    connector.fetch(listed(connector, world.key("a")), known=None)

    connector.close()

    assert _held() - before == set()


def _held() -> set[str]:
    targets = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            targets.add(str(descriptor.readlink()))
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {*(target for target in targets if not target.startswith("socket:") and "/proc/" not in target), *children}
