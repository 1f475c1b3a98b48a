"""What the directory promises of people, groups, clearances and memberships, on SQLite and on PostgreSQL."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.directory.entries import CatalogDirectory
from retrieval.domain.directory import (
    AlreadyEntered,
    DirectoryLimits,
    Entry,
    EntryKind,
    EntryQuery,
    Manager,
    MembersChange,
    VersionMoved,
)
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.sources import Classification
from tests.story import ANN, Story, allow

pytestmark = pytest.mark.contract

SHORT = DirectoryLimits(groups=3, members=4, name_characters=10, attributes_bytes=40)


def ann(**fields: object) -> Entry:
    return replace(Entry("user:ann", "Ann"), **fields)


def revisions_taken(catalog: Catalog, act: Callable[[], object]) -> int:
    before = catalog.revision()
    act()
    return catalog.revision() - before


@pytest.fixture
def story(catalog: Catalog) -> Story:
    story = Story(catalog)
    story.sync({"a.md": ("Board.", allow("group:board")), "b.md": ("Ann.", allow("user:ann"))})
    return story


def test_an_entry_is_found_as_it_was_entered(catalog: Catalog):
    entry = ann(clearance=Classification.CONFIDENTIAL, regions=frozenset({"eu", "us"}), external_id="7", attributes={"title": "CEO"})

    made = catalog.directory.add(entry)

    found = catalog.directory.find("user:ann")
    assert found == made
    assert replace(made, created_at="", updated_at="") == entry
    assert (made.version, made.created_at, made.kind) == (1, made.updated_at, EntryKind.USER)


def test_a_subject_is_entered_once(catalog: Catalog):
    catalog.directory.add(ann())

    with pytest.raises(AlreadyEntered):
        catalog.directory.add(ann(name="Another Ann"))

    assert catalog.directory.find("user:ann").name == "Ann"


def test_subjects_compare_byte_by_byte(catalog: Catalog):
    for id_ in ("ann", "Ann", "änn", "a\u0308nn", "ann "[:3] + "."):
        catalog.directory.add(Entry(f"user:{id_}", "Ann"))

    assert catalog.directory.find("user:ANN") is None
    assert catalog.directory.search(EntryQuery()).total == 5


def test_a_deactivated_person_reads_nothing_and_an_active_one_again(catalog: Catalog, story: Story):
    catalog.directory.add(ann())
    before = story.visible(ANN)

    catalog.directory.update("user:ann", lambda entry: replace(entry, active=False))

    assert (before, story.visible(ANN)) == ({"Ann."}, set())
    assert not catalog.directory.is_active("user:ann")
    catalog.directory.revive("user:ann")
    assert story.visible(ANN) == {"Ann."}


def test_who_is_not_in_the_directory_is_active(catalog: Catalog):
    assert catalog.directory.is_active("user:nobody-knows")


def test_a_clearance_and_regions_act_at_once(catalog: Catalog, story: Story):
    catalog.directory.add(ann())

    catalog.directory.update("user:ann", lambda entry: replace(entry, clearance=Classification.PUBLIC))

    assert story.visible(ANN) == set()
    catalog.directory.update("user:ann", lambda entry: replace(entry, clearance=None))
    assert story.visible(ANN) == {"Ann."}


def test_only_what_changes_reading_takes_a_revision(catalog: Catalog):
    directory = catalog.directory
    steps = {
        "enter": lambda: directory.add(ann()),
        "rename": lambda: directory.update("user:ann", lambda e: replace(e, name="Anna")),
        "clear": lambda: directory.update("user:ann", lambda e: replace(e, clearance=Classification.PUBLIC)),
        "clear again": lambda: directory.update("user:ann", lambda e: replace(e, clearance=Classification.PUBLIC)),
        "limit": lambda: directory.update("user:ann", lambda e: replace(e, regions=frozenset())),
        "join": lambda: directory.set_groups("user:ann", ["group:a"]),
        "join again": lambda: directory.change_groups("user:ann", add=["group:a"]),
        "join again by SCIM": lambda: directory.change_members("group:a", MembersChange.to(["user:ann"]), managed_by=Manager.SCIM),
        "leave what one is not in": lambda: directory.change_groups("user:ann", remove=["group:z"]),
        "leave": lambda: directory.change_groups("user:ann", remove=["group:a"]),
        "deactivate": lambda: directory.update("user:ann", lambda e: replace(e, active=False)),
        "delete the inactive": lambda: directory.delete("user:ann"),
        "revive": lambda: directory.revive("user:ann"),
        "enter an empty group": lambda: directory.add(Entry("group:e", "E")),
        "delete an empty group": lambda: directory.delete("group:e"),
        "enter somebody cleared": lambda: directory.add(Entry("user:bob", "Bob", clearance=Classification.PUBLIC)),
        "enter a full group": lambda: directory.add(Entry("group:f", "F"), members=["user:bob"]),
        "delete a full group": lambda: directory.delete("group:f"),
    }

    taken = [name for name, step in steps.items() if revisions_taken(catalog, step)]

    assert taken == [
        *("clear", "limit", "join", "leave", "deactivate", "revive"),
        *("enter somebody cleared", "enter a full group", "delete a full group"),
    ]


def test_an_unchanged_entry_keeps_its_version_and_a_changed_one_counts(catalog: Catalog):
    catalog.directory.add(Entry("group:a", "A"))

    versions = [
        catalog.directory.update("group:a", lambda entry: entry).version,
        catalog.directory.update("group:a", lambda entry: replace(entry, name="B")).version,
        catalog.directory.update("group:a", lambda entry: entry, members=MembersChange.to(["user:ann"])).version,
        catalog.directory.update("group:a", lambda entry: entry, members=MembersChange.to(["user:ann"])).version,
    ]
    catalog.directory.set_groups("user:ann", [])

    assert versions == [1, 2, 3, 3]
    assert catalog.directory.find("group:a").version == 4


def test_a_change_of_another_version_is_refused(catalog: Catalog):
    catalog.directory.add(ann())

    with pytest.raises(VersionMoved):
        catalog.directory.update("user:ann", lambda entry: replace(entry, name="B"), expected=2)
    with pytest.raises(VersionMoved):
        catalog.directory.delete("user:ann", expected=2)

    assert catalog.directory.find("user:ann").name == "Ann"


def test_what_identifies_an_entry_is_not_its_edits_to_change(catalog: Catalog):
    catalog.directory.add(ann())

    catalog.directory.update("user:ann", lambda entry: replace(entry, subject="user:bob", version=9, name="B"))

    assert catalog.directory.find("user:bob") is None
    assert catalog.directory.find("user:ann").version == 2


def test_a_deleted_person_reads_nothing_and_the_subject_is_never_given_again(catalog: Catalog, story: Story):
    catalog.directory.add(ann())
    catalog.directory.set_groups("user:ann", ["group:board"])

    catalog.directory.delete("user:ann")

    assert story.visible(ANN) == set()
    assert catalog.directory.groups("user:ann") == frozenset()
    for manager in Manager:
        with pytest.raises(AlreadyEntered, match="deleted"):
            catalog.directory.add(ann(managed_by=manager))
    with pytest.raises(NotReadable):
        catalog.directory.update("user:ann", lambda entry: replace(entry, active=True))
    with pytest.raises(InvalidInput, match="deleted"):
        catalog.directory.set_groups("user:ann", ["group:board"])
    assert catalog.directory.search(EntryQuery()).total == 0


def test_scims_user_names_are_unique_in_whatever_case_while_their_owners_are_there(catalog: Catalog):
    catalog.directory.add(ann(name="Ann@Example.com", scim_id="1", managed_by=Manager.SCIM))
    other = Entry("user:7", "aNN@example.COM", scim_id="2", managed_by=Manager.SCIM)

    with pytest.raises(AlreadyEntered, match="user name"):
        catalog.directory.add(other)
    catalog.directory.add(replace(other, name="bob"))
    with pytest.raises(AlreadyEntered, match="user name"):
        catalog.directory.update("user:7", lambda entry: replace(entry, name="ANN@example.com"))
    catalog.directory.delete("user:ann")

    assert catalog.directory.update("user:7", lambda entry: replace(entry, name="ann@example.com")).name == "ann@example.com"
    with pytest.raises(AlreadyEntered, match="user name"):
        catalog.directory.revive("user:ann")


def test_what_the_command_line_said_in_advance_stays_in_force_when_scim_enters_the_person(catalog: Catalog):
    catalog.directory.add(ann(active=False, clearance=Classification.INTERNAL, regions=frozenset({"eu"})))

    taken = catalog.directory.add(ann(name="ann@example.com", scim_id="1", managed_by=Manager.SCIM))

    assert (taken.active, taken.clearance, taken.regions) == (False, Classification.INTERNAL, {"eu"})
    assert (taken.managed_by, taken.scim_id, taken.version) == (Manager.SCIM, "1", 2)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param(EntryQuery(), ["app:wiki", "group:a", "user:ann", "user:bob"], id="all"),
        pytest.param(EntryQuery(frozenset({EntryKind.USER})), ["user:ann", "user:bob"], id="kind"),
        pytest.param(EntryQuery(name="ANN"), ["user:ann"], id="name in another case"),
        pytest.param(EntryQuery(external_id="x1"), ["user:bob"], id="external id"),
        pytest.param(EntryQuery(external_id="X1"), [], id="external id in another case"),
        pytest.param(EntryQuery(scim_id="s1"), ["user:bob"], id="scim id"),
        pytest.param(EntryQuery(member_scim_id="s1"), ["group:a"], id="member"),
        pytest.param(EntryQuery(known_to_scim=True), ["user:bob"], id="known to scim"),
        pytest.param(EntryQuery(skip=1, limit=2), ["group:a", "user:ann"], id="page"),
        pytest.param(EntryQuery(limit=0), [], id="count only"),
    ],
)
def test_entries_are_searched(catalog: Catalog, query: EntryQuery, found: list[str]):
    catalog.directory.add(ann())
    catalog.directory.add(Entry("user:bob", "Bob", external_id="x1", scim_id="s1"))
    catalog.directory.add(Entry("app:wiki", "Wiki"))
    catalog.directory.add(Entry("group:a", "A"), members=["user:bob"])

    page = catalog.directory.search(query)

    assert [entry.subject for entry in page.entries] == found
    assert page.total == (4 if query.limit != 100 or query == EntryQuery() else len(found))


@pytest.mark.parametrize(
    ("act", "named"),
    [
        pytest.param(lambda d: d.set_groups("user:a", [f"group:{n}" for n in range(4)]), "groups", id="groups"),
        pytest.param(lambda d: d.change_members("group:a", MembersChange.to(f"user:{n}" for n in range(5))), "members", id="members"),
        pytest.param(lambda d: d.add(Entry("user:a", "x" * 11)), "name", id="name"),
        pytest.param(lambda d: d.add(Entry("user:a", "A", attributes={"title": "x" * 40})), "attributes", id="attributes"),
        pytest.param(lambda d: d.set_groups("everyone", ["group:a"]), "subject", id="everyone as a member"),
        pytest.param(lambda d: d.set_groups("user:a", ["user:b"]), "group", id="a user as a group"),
        pytest.param(lambda d: d.change_members("user:b", MembersChange.to(["user:a"])), "group", id="members of a user"),
        pytest.param(lambda d: d.change_members("group:b", MembersChange.to(["a b"])), "subject", id="an ill-formed member"),
    ],
)
def test_what_breaks_a_limit_or_a_rule_changes_nothing(catalog: Catalog, act: Callable[[CatalogDirectory], object], named: str):
    directory = CatalogDirectory(catalog.database, SHORT)

    with pytest.raises(InvalidInput) as refused:
        act(directory)

    assert refused.value.problems[0].field == named
    assert directory.search(EntryQuery()).total == 0
    assert directory.members(["group:a"])["group:a"] == ()
    assert catalog.revision() == 0


def test_every_change_and_nothing_else_is_in_the_audit_log_and_names_nobody_by_name(catalog: Catalog):
    directory = catalog.directory
    directory.add(ann(name="Secret Name"), by="app:okta")
    directory.update("user:ann", lambda entry: replace(entry, clearance=Classification.PUBLIC), by="app:okta")
    directory.update("user:ann", lambda entry: entry, by="app:okta")
    directory.set_groups("user:ann", ["group:board"])
    directory.set_groups("user:ann", ["group:board"])
    directory.delete("user:ann")

    with catalog.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT actor, action, record FROM audit ORDER BY seq").all()

    assert [(row.actor, row.action) for row in rows] == [
        ("app:okta", "directory.changed"),
        ("app:okta", "directory.changed"),
        ("app:cli", "memberships.changed"),
        ("app:cli", "memberships.changed"),
        ("app:cli", "directory.changed"),
    ]
    assert [json.loads(row.record)["revision"] for row in rows] == [0, 1, 2, 3, 3]
    assert not any("Secret" in row.record for row in rows)
