"""The gates have no side doors: one package asks the engine, one function mints scopes, and filters are built in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.permissions

ROOT = Path(__file__).parents[2]
ASKING = {
    "query_points",
    "query_batch_points",
    "query_batch",
    "query",
    "search",
    "search_batch",
    "scroll",
    "recommend",
    "discover",
    "facet",
}
"""Methods of the engine's shard and of qdrant-client that give points."""


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for package in ("api", "pipelines", "retrieval"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield path.relative_to(ROOT).as_posix(), node


def _callers(name: str) -> set[str]:
    """Files that call a function, class or method of this name."""
    return {
        path
        for path, call in _calls()
        if name == (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""))
    }


def test_only_the_catalog_mints_scopes():
    assert _callers("AccessScope") == {"retrieval/adapters/catalog/authority.py", "retrieval/evaluation/corpus_index.py"}


def test_only_the_adapters_shards_ask_the_engine_for_points():
    engine = {
        path
        for path, call in _calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ASKING
        and ast.unparse(call.func.value) in {"self._shard", "self._client"}
    }

    assert engine == {"retrieval/adapters/qdrant/edge_shard.py", "retrieval/adapters/qdrant/server_collection.py"}


@pytest.mark.parametrize("name", ["query_points", "query_batch_points", "query_batch", "scroll"])
def test_nothing_outside_the_adapter_calls_the_engine(name: str):
    own = [path for path in _callers(name) if not path.startswith("retrieval/evaluation/peers/")]  # other products, over public texts
    assert all(path.startswith("retrieval/adapters/qdrant/") for path in own)


def test_a_filter_on_the_access_class_is_built_in_one_place():
    on_the_class = {path for path, call in _calls() if any(ast.unparse(argument) == "ACCESS_CLASS" for argument in call.args)}

    assert on_the_class == {"retrieval/adapters/qdrant/filters.py"}


def test_every_reading_port_takes_the_principal_or_the_scope_first():
    tree = ast.parse((ROOT / "retrieval/ports/reading.py").read_text(encoding="utf-8"))
    protocols = [
        node for node in tree.body if isinstance(node, ast.ClassDef) and any(getattr(base, "id", "") == "Protocol" for base in node.bases)
    ]
    methods = [(cls.name, m) for cls in protocols for m in cls.body if isinstance(m, ast.FunctionDef) and len(m.args.args) > 1]

    assert methods
    for name, method in methods:
        first = method.args.args[1]
        assert ast.unparse(first.annotation or ast.Name("")) in {"Principal", "AccessScope"}, f"{name}.{method.name}"
