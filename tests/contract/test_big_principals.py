"""Principals in 10,000 groups and catalogs of 20,000 classes: the same rule, resolved in one statement."""

import random

import pytest
from sqlalchemy import insert

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.engine import next_revision
from retrieval.adapters.catalog.tables import access_classes, grants
from retrieval.domain.permissions import AccessPolicy, Principal
from retrieval.domain.sources import SourceSpec

pytestmark = [pytest.mark.contract, pytest.mark.permissions, pytest.mark.slow]

GROUPS, MEMBERSHIPS, CLASSES = 30_000, 10_000, 20_000
BIG = Principal("big")


@pytest.fixture
def policies(catalog: Catalog) -> dict[int, AccessPolicy]:
    """20,000 classes of a few groups each, one in ten with a denial."""
    drawn = random.Random(20_000)
    made = {}
    for number in range(1, CLASSES + 1):
        denied = [f"group:{drawn.randrange(GROUPS)}"] if drawn.random() < 0.1 else []
        made[number] = AccessPolicy.of([f"group:{drawn.randrange(GROUPS)}" for _ in range(3)], denied)
    catalog.sources.register(SourceSpec(id="wiki", kind="files", title="Wiki", owner="user:dana"), by="user:dana")
    with catalog.database.write() as connection:
        next_revision(connection)
        rows = [{"id": number, "source": "wiki", "fingerprint": str(number), "passages": 5} for number in made]
        connection.execute(insert(access_classes), rows)
        allowed = [{"access_class": n, "effect": "allow", "subject": s} for n, policy in made.items() for s in policy.allow]
        denied = [{"access_class": n, "effect": "deny", "subject": s} for n, policy in made.items() for s in policy.deny]
        connection.execute(insert(grants), allowed + denied)
    return made


def test_ten_thousand_groups_read_exactly_what_the_rule_says(catalog: Catalog, policies: dict[int, AccessPolicy]):
    direct = frozenset(f"group:{number}" for number in random.Random(1).sample(range(GROUPS), MEMBERSHIPS))
    nested = {f"group:{number}": f"group:{number + 1}" for number in range(0, 1_000, 2)}
    catalog.directory.set_groups(BIG.subject, direct)
    for member, group in nested.items():
        catalog.directory.set_groups(member, {group})

    scope = catalog.gate.scope(BIG)

    acts_as = direct | {nested[group] for group in direct & nested.keys()} | {BIG.subject, "everyone"}
    expected = {number for number, policy in policies.items() if policy.readable_by(acts_as)}
    assert set(scope.classes) == expected
    assert scope.readable_passages == 5 * len(expected)
    assert 5_000 < len(expected) < CLASSES


def test_one_lost_group_of_ten_thousand_counts(catalog: Catalog, policies: dict[int, AccessPolicy]):
    direct = frozenset(f"group:{number}" for number in range(MEMBERSHIPS))
    catalog.directory.set_groups(BIG.subject, direct)
    before = set(catalog.gate.scope(BIG).classes)

    catalog.directory.set_groups(BIG.subject, direct - {"group:17"})

    acts_as = (direct - {"group:17"}) | {BIG.subject, "everyone"}
    expected = {number for number, policy in policies.items() if policy.readable_by(acts_as)}
    assert set(catalog.gate.scope(BIG).classes) == expected != before
