"""The product and the oracle, which share no code, agree on who reads what: 40,000 random cases here, 1,000,000 in `make leaks`."""

import ast
import os
from pathlib import Path

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.permissions import AccessPolicy
from tests.permissions import oracle
from tests.permissions.agreement import SIZE, agree
from tests.permissions.oracle import Asking, State
from tests.permissions.worlds import Author

pytestmark = pytest.mark.permissions

CASES = int(os.environ.get("ARCHIVIST_TEST_ORACLE_CASES", "40000"))


def test_the_oracle_shares_no_code_with_the_product():
    tree = ast.parse(Path(oracle.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported <= {"collections.abc", "dataclasses"}


@pytest.mark.slow
def test_the_catalog_and_the_oracle_agree(catalog: Catalog):
    wanted = CASES if catalog.database.is_sqlite else CASES // 5

    agreement = agree(catalog, seed=1, cases=wanted)

    assert agreement.disagreements == []
    assert agreement.cases >= wanted
    assert 0.05 < agreement.readable / agreement.cases < 0.6  # neither answer is the answer to everything


def test_the_pure_rule_and_the_oracle_agree():
    cases = 0
    for seed in range(1, 40):
        author = Author(seed, SIZE)
        state = author.state()
        for user in author.users[:10]:
            acts_as = frozenset(oracle.identities(state, user, frozenset()))
            plain = State({name: oracle.Folder() for name in state.folders}, state.papers, {}, state.groups)
            for paper in state.papers.values():
                mine = AccessPolicy(paper.allowed, paper.denied).readable_by(acts_as)
                assert mine is oracle.may_read(plain, Asking(user), paper.name), f"seed {seed}, {user}, {paper}"
                cases += 1
    assert cases > 100_000
