"""A real web site on loopback, and sources made in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.connectors.port import Connector
from pipelines.connectors.registry import connect
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.sources import PermissionRule, SourceSpec
from retrieval.settings import Settings
from tests.web_site import Answer


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def make_spec() -> Callable[..., SourceSpec]:
    """A source; `allow` maps globs to who reads what matches, in the order given."""

    def make(
        kind: str, *, allow: dict[str, list[str]] | None = None, rules: tuple[PermissionRule, ...] = (), **location: str | tuple[str, ...]
    ):
        of_allow = tuple(PermissionRule(glob, AccessPolicy.of(subjects)) for glob, subjects in (allow or {}).items())
        return SourceSpec("test-source", kind, "Test", "user:dana", location=location, rules=of_allow + rules)

    return make


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An empty folder to be a source's root, with a neighbour that must never be read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("outside")
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def connector(tree: Path, make_spec: Callable[..., SourceSpec], settings: Settings) -> Connector:
    """Over `tree`; everyone reads what no `.permissions.yaml` says otherwise of."""
    return connect(make_spec("files", root=str(tree), allow={"**": ["everyone"]}), settings)
