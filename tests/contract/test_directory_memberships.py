"""What the directory promises of memberships, on SQLite and on PostgreSQL."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.directory import (
    Entry,
    Manager,
    MembersChange,
)
from retrieval.domain.directory_import import DirectoryImport
from tests.slack import within
from tests.story import ANN, Story, allow

pytestmark = pytest.mark.contract


@pytest.fixture
def story(catalog: Catalog) -> Story:
    story = Story(catalog)
    story.sync({"a.md": ("Board.", allow("group:board")), "b.md": ("Ann.", allow("user:ann"))})
    return story


def test_a_membership_acts_at_once_by_member_and_by_group(catalog: Catalog, story: Story):
    catalog.directory.set_groups("user:ann", ["group:board"])
    by_member = story.visible(ANN)
    catalog.directory.change_members("group:board", MembersChange(remove=frozenset({"user:ann"})))

    assert (by_member, story.visible(ANN)) == ({"Ann.", "Board."}, {"Ann."})
    catalog.directory.change_members("group:board", MembersChange.to(["user:ann"]))
    assert story.visible(ANN) == {"Ann.", "Board."}


@pytest.mark.parametrize(
    ("change", "after"),
    [
        pytest.param(MembersChange(add=frozenset({"user:c"})), {"user:a", "user:b", "user:c"}, id="add"),
        pytest.param(MembersChange(remove=frozenset({"user:a", "user:x"})), {"user:b"}, id="remove"),
        pytest.param(MembersChange.to(["user:b", "user:c"]), {"user:b", "user:c"}, id="replace"),
        pytest.param(MembersChange.to([]), set(), id="clear"),
        pytest.param(MembersChange().then_remove(["user:a"]).then_add(["user:a"]), {"user:a", "user:b"}, id="removed and added"),
        pytest.param(MembersChange().then_add(["user:c"]).then_remove(["user:c"]), {"user:a", "user:b"}, id="added and removed"),
        pytest.param(MembersChange.to(["user:c"]).then_remove(["user:c"]), set(), id="replaced and removed"),
    ],
)
def test_members_change_in_the_order_they_are_told(catalog: Catalog, change: MembersChange, after: set[str]):
    catalog.directory.change_members("group:g", MembersChange.to(["user:a", "user:b"]))

    catalog.directory.change_members("group:g", change)

    assert {member.subject for member in catalog.directory.members(["group:g"])["group:g"]} == after


def test_joining_and_leaving_leave_the_other_groups_alone(catalog: Catalog):
    catalog.directory.set_groups("user:ann", ["group:a", "group:b"])

    catalog.directory.change_groups("user:ann", add=["group:c"], remove=["group:a", "group:never"])

    assert catalog.directory.groups("user:ann") == {"group:b", "group:c"}


def test_groups_nest_and_cycles_end(catalog: Catalog):
    catalog.directory.set_groups("user:ann", ["group:a"])
    catalog.directory.set_groups("group:a", ["group:b"])
    catalog.directory.set_groups("group:b", ["group:c", "group:a"])
    catalog.directory.set_groups("group:x", ["group:y"])

    assert catalog.directory.groups("user:ann") == {"group:a"}
    assert catalog.directory.effective_groups("user:ann") == {"group:a", "group:b", "group:c"}


def test_a_deleted_group_is_gone_with_its_memberships_both_ways(catalog: Catalog, story: Story):
    catalog.directory.add(Entry("group:finance", "Finance"), members=["user:ann"])
    catalog.directory.set_groups("group:finance", ["group:board"])
    before = story.visible(ANN)

    catalog.directory.delete("group:finance")

    assert (before, story.visible(ANN)) == ({"Ann.", "Board."}, {"Ann."})
    assert catalog.directory.find("group:finance") is None
    assert catalog.directory.groups("group:finance") == frozenset()


def test_changes_of_one_group_at_the_same_time_all_take_effect(catalog: Catalog):
    catalog.directory.add(Entry("group:a", "A"))

    def join(number: int) -> None:
        catalog.directory.update("group:a", lambda e: replace(e, name=e.name + "."), members=MembersChange().then_add([f"user:{number}"]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(join, range(40)))

    group = catalog.directory.find("group:a")
    assert len(catalog.directory.members(["group:a"])["group:a"]) == 40
    assert (len(group.name), group.version) == (41, 41)


def test_ten_thousand_groups_of_one_principal_are_set_at_once(catalog: Catalog):
    groups = [f"group:{number}" for number in range(10_000)]

    with within(2):
        catalog.directory.set_groups("user:ann", groups)

    assert catalog.directory.groups("user:ann") == set(groups)
    catalog.directory.set_groups("user:ann", groups[:1])
    assert catalog.directory.groups("user:ann") == {"group:0"}


def test_nested_groups_agree_with_a_walk_over_random_memberships(catalog: Catalog):
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    names = [f"group:{n}" for n in range(12)]
    held = {name: set(chance.sample(names, chance.randrange(4))) for name in [*names, "user:ann"]}
    for member, groups in held.items():
        catalog.directory.set_groups(member, groups)

    reached: set[str] = set()
    waiting = list(held["user:ann"])
    while waiting:
        group = waiting.pop()
        if group not in reached:
            reached.add(group)
            waiting += held[group]

    assert catalog.directory.effective_groups("user:ann") == reached


@pytest.mark.parametrize("first", [Manager.CSV, Manager.SCIM, Manager.CLI])
def test_a_membership_ends_with_a_file_only_if_nobody_above_files_gave_it_too(catalog: Catalog, first: Manager):
    stated = DirectoryImport({}, frozenset({("user:ann", "group:a"), ("user:bob", "group:a")}), groups_stated=frozenset({"group:a"}))
    given = MembersChange().then_add(["user:ann"])
    if first is Manager.CSV:
        catalog.directory.take(stated)
    catalog.directory.change_members("group:a", given, managed_by=Manager.CLI if first is Manager.CLI else Manager.SCIM)
    catalog.directory.take(stated)

    counts = catalog.directory.take(replace(stated, memberships=frozenset()))

    assert counts.memberships_removed == (2 if first is Manager.CLI else 1)
    assert catalog.directory.groups("user:bob") == frozenset()
    assert catalog.directory.groups("user:ann") == (frozenset() if first is Manager.CLI else {"group:a"})
