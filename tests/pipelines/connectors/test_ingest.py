"""The `ingest` connector over unstructured-ingest's own `local` connector, and over permissions as the library's connectors write them."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.connectors.globs import Glob
from pipelines.connectors.ingest import IngestConnector
from pipelines.connectors.ingest_options import Made
from pipelines.connectors.ingest_permissions import DENIED, NO_READER, NOT_TOLD, NOT_UNDERSTOOD, PermissionsFromSystem
from pipelines.connectors.permissions import Found, Rules
from pipelines.connectors.port import Connector, FileRefused
from pipelines.connectors.registry import check_location, connect
from pipelines.connectors.selection import Selection
from retrieval.domain.documents import Fetched, Gone, NotModified, SourceFile
from retrieval.domain.errors import InvalidInput, SourceUnavailable
from retrieval.domain.permissions import NOBODY, AccessPolicy
from retrieval.domain.sources import PermissionRule, SourceSpec
from retrieval.settings import Settings

file_data = pytest.importorskip("unstructured_ingest.data_types.file_data")
PUBLIC = PermissionRule("**", AccessPolicy.of(["everyone"]))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_directory=tmp_path / "archivist", ingest_connectors="local, confluence,sharepoint", source_max_file_bytes=1000)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {"a.txt": "One.", "finance/b.md": "# Two", "finance/c#d.txt": "Three."}.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text)
    return tmp_path / "tree"


@pytest.fixture
def opened(settings: Settings) -> Iterator[Callable[..., Connector]]:
    """Connectors of sources, closed at the end."""
    with ExitStack() as closing_all:
        yield lambda of, by=settings: closing_all.enter_context(closing(connect(of, by)))


def spec(root: Path, *rules: PermissionRule, **location: str) -> SourceSpec:
    given = {"connector": "local", "indexer": f"{{input_path: {root}, recursive: true}}", "permissions": "rules"} | location
    return SourceSpec("share", "ingest", "The share", "user:dana", given, rules or (PUBLIC,))


def test_a_real_connector_is_listed_fetched_and_leaves_nothing_behind(
    root: Path, settings: Settings, opened: Callable[..., Connector]
) -> None:
    connector = opened(spec(root, PermissionRule("finance/**", AccessPolicy.of(["group:finance"])), PUBLIC))
    files = {file.key: file for file in connector.list()}
    found = {key: connector.fetch(file, known=None) for key, file in files.items()}
    connector.close()

    assert {key: file.policy.allow for key, file in files.items()} == {
        "a.txt": {"everyone"},
        "finance/b.md": {"group:finance"},
        "finance/c%23d.txt": {"group:finance"},
    }
    assert {key: answer.content for key, answer in found.items() if isinstance(answer, Fetched)} == {
        "a.txt": b"One.",
        "finance/b.md": b"# Two",
        "finance/c%23d.txt": b"Three.",
    }
    assert files["a.txt"].modified_at.timestamp() == pytest.approx((root / "a.txt").stat().st_mtime)
    assert files["a.txt"].uri == "ingest:share/a.txt"
    assert (root / "a.txt").exists()


def test_only_what_changed_is_fetched_again_also_by_a_connector_that_has_not_listed(
    root: Path, settings: Settings, opened: Callable[..., Connector]
) -> None:
    connector = opened(spec(root))
    files = {file.key: file for file in connector.list()}
    fetched = connector.fetch(files["a.txt"], known=None)
    connector.close()
    (root / "finance/b.md").unlink()
    os.utime(root / "finance/c#d.txt", (1, 1))

    later = opened(spec(root))

    assert isinstance(fetched, Fetched)
    assert isinstance(later.fetch(files["a.txt"], known=fetched.validator), NotModified)
    assert isinstance(later.fetch(files["finance/b.md"], known=None), Gone)
    again = {file.key: file.fingerprint for file in later.list()}
    assert again["a.txt"] == files["a.txt"].fingerprint
    assert again["finance/c%23d.txt"] != files["finance/c%23d.txt"].fingerprint


def test_limits_and_patterns_hold(root: Path, settings: Settings, opened: Callable[..., Connector]) -> None:
    (root / "large.txt").write_text("x" * 1001)
    connector = opened(spec(root, include="**/*.txt", exclude="finance/**"))

    assert [file.key for file in connector.list()] == ["a.txt", "large.txt"]
    with pytest.raises(FileRefused, match="1000 bytes"):
        connector.fetch(SourceFile("large.txt", ""), known=None)
    with pytest.raises(SourceUnavailable, match="more than 1 files"):
        list(opened(spec(root), settings.model_copy(update={"source_max_files": 1})).list())


def test_what_the_system_does_not_tell_nobody_reads_unless_the_rules_are_to_say_it(
    root: Path, settings: Settings, opened: Callable[..., Connector]
) -> None:
    [first, *_] = opened(
        spec(root, permissions="source"),
    ).list()

    assert (first.policy, first.policy_problem) == (NOBODY, NOT_UNDERSTOOD)
    assert opened(spec(root, permissions="source")).probe().without_permission == 3


@pytest.mark.parametrize(
    ("location", "field"),
    [
        ({"connector": "slack"}, "location.connector"),
        ({"connector": "../local"}, "location.connector"),
        ({"indexer": "{recursive: true}"}, "location.indexer.input_path"),
        ({"indexer": "{input_path: /srv, depth: 2}"}, "location.indexer.depth"),
        ({"indexer": "[a, b"}, "location.indexer"),
        ({"indexer": "plain"}, "location.indexer"),
        ({"downloader": "{download_dir: /etc}"}, "location.downloader.download_dir"),
        ({"connection": "{access_config: {}}"}, "location.connection.access_config"),
        ({"connector": "confluence", "indexer": "{}", "connection": "{url: https://w.example.com}", "access": "{token: 'hunter2'}"}, None),
        ({"permissions": "everyone"}, "location.permissions"),
    ],
)
def test_options_are_checked_before_anything_is_reached_and_secrets_are_references(
    root: Path, settings: Settings, opened: Callable[..., Connector], location: dict[str, str], field: str | None
) -> None:
    with pytest.raises(InvalidInput) as error:
        check_location(spec(root, **location), settings)

    assert (field or "location.access.token") in [problem.field for problem in error.value.problems]
    assert "hunter2" not in str(error.value)


def test_a_secret_reaches_the_library_by_reference(
    settings: Settings, opened: Callable[..., Connector], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "connector": "confluence",
        "connection": "{url: 'http://127.0.0.1:9', username: dana, cloud: true}",
        "indexer": "{spaces: [HR]}",
    }
    wiki = SourceSpec("wiki", "ingest", "Wiki", "user:dana", given | {"access": "{api_token: env:ARCHIVIST_SOURCE_WIKI}"}, (PUBLIC,))
    monkeypatch.setenv("ARCHIVIST_SOURCE_WIKI", "s3cret")
    check_location(wiki, settings)

    problem = opened(wiki).probe().problem

    assert problem is not None
    assert problem.startswith("the connector failed (")
    assert "s3cret" not in problem


def listed(path: str, id_: str, permissions: Any = None, **metadata: Any) -> Any:
    identifiers = file_data.SourceIdentifiers(filename=path.rpartition("/")[2], fullpath=path, rel_path=path)
    told = file_data.FileDataSourceMetadata(permissions_data=permissions, **metadata)
    return file_data.FileData(identifier=id_, connector_type="test", source_identifiers=identifiers, metadata=told)


class Broken:
    """An indexer that says more of its failure than may leave."""

    def is_async(self) -> bool:
        return False

    def precheck(self) -> None:
        raise RuntimeError("token s3cret refused")


class Listing:
    """An indexer that lists asynchronously what it is given."""

    def __init__(self, files: list[Any]) -> None:
        self._files = files

    def is_async(self) -> bool:
        return True

    def precheck(self) -> None:
        pass

    async def run_async(self) -> Any:
        for each in self._files:
            yield each


def over(indexer: Any, policy_of: Callable[[str, object], Found] | None = None) -> IngestConnector:
    decide = policy_of or PermissionsFromSystem(Rules([]), issuer="").policy_of
    making = lambda _folder: Made(indexer, None)  # noqa: E731
    return IngestConnector("drive", making, policy_of=decide, selection=Selection((Glob("**"),), ()), max_files=10, max_file_bytes=10)


def test_two_files_of_one_path_have_two_keys_and_each_its_own_readers() -> None:
    reads = [[{"read": {"users": [who], "groups": []}}] for who in ("ann", "bob")]
    files = [listed("plans/q1.txt", f"id{n}", reads[n], url="https://drive.example.com/x", version="7") for n in range(2)]

    with closing(over(Listing(files))) as connector, closing(over(Listing(files[::-1]))) as turned:
        found, again = list(connector.list()), list(turned.list())

    assert len({file.key for file in found}) == 2
    assert {next(iter(file.policy.allow)) for file in found} == {"user:ann", "user:bob"}
    assert {file.key for file in again} == {file.key for file in found}
    assert found[0].uri == "https://drive.example.com/x"


def test_what_the_library_says_of_its_failures_stays_inside() -> None:
    with closing(over(Broken())) as connector:
        assert connector.probe().problem == "the connector failed (RuntimeError)"


def google(*permissions: dict[str, str]) -> Any:
    from unstructured_ingest.processes.connectors.google_drive import GoogleDriveIndexer  # noqa: PLC0415

    return GoogleDriveIndexer.extract_permissions(object.__new__(GoogleDriveIndexer), list(permissions))


def microsoft(*permissions: dict[str, Any]) -> Any:
    from unstructured_ingest.processes.connectors.sharepoint import SharepointIndexer  # noqa: PLC0415

    return SharepointIndexer.extract_permissions(object.__new__(SharepointIndexer), list(permissions))


def confluence(page: dict[str, Any], space: list[dict[str, Any]]) -> Any:
    from unstructured_ingest.processes.connectors.confluence import _parse_permissions  # noqa: PLC0415

    return [{name: readers} for name, readers in _parse_permissions(page, space, 250).items()]


def in_space(kind: str, id_: str) -> dict[str, Any]:
    return {"operation": {"key": "read", "targetType": "space"}, "principal": {"type": kind, "id": id_}}


RESTRICTED = {"read": {"restrictions": {"user": {"results": [{"accountId": "u1"}]}, "group": {"results": []}}}}
OPEN = {"read": {"restrictions": {"user": {"results": []}, "group": {"results": []}}}}
TOLD = [
    (
        lambda: google({"type": "user", "role": "reader", "id": "p1"}, {"type": "group", "role": "writer", "id": "p2"}),
        {"user:p1", "group:p2"},
    ),
    (lambda: google({"type": "anyone", "role": "reader", "id": "anyoneWithLink"}), NO_READER),
    (google, NOT_TOLD),
    (lambda: microsoft({"roles": ["read"], "grantedToV2": {"user": {"id": "u1"}}}), {"user:u1"}),
    (lambda: microsoft({"roles": ["write"], "grantedToIdentitiesV2": [{"group": {"id": "g1"}}]}), {"group:g1"}),
    (lambda: microsoft({"roles": ["strange"], "grantedToV2": {"user": {"id": "u1"}}}), NO_READER),
    (microsoft, NO_READER),
    (lambda: confluence(RESTRICTED, [in_space("group", "staff")]), {"user:u1"}),
    (lambda: confluence(OPEN, [in_space("group", "staff"), in_space("access-class", "ALL_LICENSED_USERS")]), {"group:staff"}),
    (lambda: confluence(OPEN, [in_space("access-class", "ALL_LICENSED_USERS")]), NO_READER),
    (lambda: None, NOT_TOLD),
    (list, NOT_TOLD),
    (lambda: [{"mode": 33188}], NOT_UNDERSTOOD),
    (lambda: {"read": {"users": ["u1"]}}, NOT_UNDERSTOOD),
    (lambda: [{"read": {"users": ["u1"]}}, {"read": {"users": ["u2"]}}], NOT_UNDERSTOOD),
    (lambda: [{"read": {"users": ["u1"]}}, {"deny": {"users": ["u1"]}}], NOT_UNDERSTOOD),
    (lambda: [{"read": {"users": ["u1"], "roles": ["admin"]}}], NOT_UNDERSTOOD),
    (lambda: [{"read": {"users": "u1"}}], NOT_UNDERSTOOD),
    (lambda: [{"read": {"users": ["https://other|u1"]}}], NOT_UNDERSTOOD),
    (lambda: [{"read": {"users": ["a b"]}}], NOT_UNDERSTOOD),
    (lambda: [{"update": {"users": ["u1"]}}], NOT_UNDERSTOOD),
    (lambda: "everyone", NOT_UNDERSTOOD),
]


@pytest.mark.parametrize(("told", "expected"), TOLD)
def test_readers_are_whom_the_system_names_and_nobody_where_it_is_not_understood(told: Callable[[], Any], expected: set[str] | str) -> None:
    found = PermissionsFromSystem(Rules([PUBLIC]), issuer="").policy_of("a.txt", told())

    assert (found.problem or found.policy.allow) == expected
    assert (found.policy == NOBODY) == isinstance(expected, str)


def test_rules_deny_what_the_system_lets_read_and_ids_are_of_their_issuer() -> None:
    rules = Rules([PermissionRule("secret/**", AccessPolicy.of(["everyone"], ["user:https://login.example|u1"]))])
    decide = PermissionsFromSystem(rules, issuer="https://login.example").policy_of
    told = [{"read": {"users": ["u1"], "groups": ["g1"]}}]

    assert decide("a.txt", told).policy == AccessPolicy.of(["user:https://login.example|u1", "group:https://login.example|g1"])
    assert decide("secret/a.txt", told).policy.deny == {"user:https://login.example|u1"}
    assert decide("secret/a.txt", [{"read": {"users": ["u1"]}}]).problem == DENIED
