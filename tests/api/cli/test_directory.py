"""archivist directory."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.failures import FAILED, INVALID, REFUSED
from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.domain.directory import Entry, Manager
from retrieval.domain.sources import Classification
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist

PEOPLE = "id,name,clearance,regions,groups\nann,Ann Archer,confidential,eu;us,board;staff\nbob,,,,staff\n"
GROUPS = "id,name,members\nboard,The board,group:directors\ndirectors,Directors,cyd\n"


@pytest.fixture
def catalog(tmp_path: Path):
    opened = open_catalog(Settings(data_directory=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def write(tmp_path: Path):
    def file(name: str, text: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return file


def shown(archivist: Archivist, subject: str) -> Any:
    return json.loads(archivist("directory", "show", subject, "--json").stdout)


def counts(result: Any) -> dict[str, int]:
    assert result.exit_code == 0, result.stderr
    return {name: count for name, count in json.loads(result.stdout).items() if count}


def test_a_person_is_entered_cleared_limited_and_put_in_groups(archivist: Archivist):
    archivist("directory", "add", "user:ann", "--name", "Ann Archer", "--group", "board", "--group", "group:staff")
    archivist("directory", "clearance", "user:ann", "confidential")
    archivist("directory", "regions", "user:ann", "eu", "us")
    archivist("directory", "add", "group:board", "--group", "all")

    assert shown(archivist, "user:ann") == {
        "subject": "user:ann",
        "name": "Ann Archer",
        "state": "active",
        "clearance": "confidential",
        "regions": ["eu", "us"],
        "managed_by": "cli",
        "groups": ["group:board", "group:staff"],
        "through_groups": ["group:all"],
        "members": [],
    }
    assert "Ann Archer" in archivist("directory", "people").stdout
    assert json.loads(archivist("directory", "groups", "--json").stdout) == [
        {"subject": "group:board", "name": "board", "members": 1, "managed_by": "cli"}
    ]


def test_limits_are_lifted_again(archivist: Archivist, catalog: Catalog):
    archivist("directory", "add", "user:ann")
    archivist("directory", "clearance", "user:ann", "public")
    archivist("directory", "regions", "user:ann", "--none")
    limited = catalog.directory.find("user:ann")

    archivist("directory", "clearance", "user:ann", "default")
    archivist("directory", "regions", "user:ann", "--all")

    lifted = catalog.directory.find("user:ann")
    assert (limited.clearance, limited.regions) == (Classification.PUBLIC, frozenset())
    assert (lifted.clearance, lifted.regions) == (None, None)


def test_anybody_is_locked_out_at_once_and_let_in_again(archivist: Archivist, catalog: Catalog):
    stranger = "user:https://login.example|7f3a"

    archivist("directory", "deactivate", stranger, "user:bob")
    out = [catalog.directory.is_active(subject) for subject in (stranger, "user:bob")]
    archivist("directory", "activate", stranger)

    assert out == [False, False]
    assert catalog.directory.is_active(stranger)


def test_somebody_leaves_a_group_or_the_directory(archivist: Archivist, catalog: Catalog):
    archivist("directory", "add", "user:ann", "--group", "board", "--group", "staff")

    archivist("directory", "remove", "user:ann", "--group", "board")
    left = catalog.directory.groups("user:ann")
    archivist("directory", "remove", "user:ann")

    assert left == {"group:staff"}
    assert shown(archivist, "user:ann")["state"] == "deleted"
    assert not catalog.directory.is_active("user:ann")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(("add", "ann"), INVALID, id="no kind"),
        pytest.param(("add", "everyone"), INVALID, id="everyone"),
        pytest.param(("clearance", "user:nobody", "public"), REFUSED, id="nobody"),
        pytest.param(("clearance", "user:ann", "cosmic"), INVALID, id="no clearance"),
        pytest.param(("clearance", "group:board", "public"), INVALID, id="a group cleared"),
        pytest.param(("regions", "user:ann"), INVALID, id="no region"),
        pytest.param(("regions", "user:ann", "EU"), INVALID, id="ill-written region"),
        pytest.param(("regions", "user:ann", "eu", "--all"), INVALID, id="regions and all"),
        pytest.param(("remove", "user:nobody"), REFUSED, id="nobody removed"),
        pytest.param(("add", "user:ann"), INVALID, id="there already"),
    ],
)
def test_wrong_input_ends_with_one_clear_line(archivist: Archivist, arguments: tuple[str, ...], code: int):
    archivist("directory", "add", "user:ann")
    archivist("directory", "add", "group:board")

    refused = archivist("directory", *arguments)

    assert refused.exit_code == code
    assert refused.stderr.startswith("archivist: ")
    assert "Traceback" not in refused.output


def test_files_are_imported_whole(archivist: Archivist, write, catalog: Catalog):
    people, groups = write("people.csv", "\ufeff" + PEOPLE), write("groups.csv", GROUPS)

    first = counts(archivist("directory", "import", people, groups, "--json"))
    revision = catalog.revision()
    again = counts(archivist("directory", "import", people, groups, "--json"))

    assert first == {"added": 4, "memberships_added": 5}
    assert again == {"unchanged": 4}
    assert catalog.revision() == revision
    ann = catalog.directory.find("user:ann")
    assert (ann.name, ann.clearance, ann.regions, ann.managed_by) == ("Ann Archer", Classification.CONFIDENTIAL, {"eu", "us"}, Manager.CSV)
    assert catalog.directory.find("user:bob").name == "bob"
    assert catalog.directory.groups("user:ann") == {"group:board", "group:staff"}
    assert catalog.directory.effective_groups("user:cyd") == {"group:directors", "group:board"}


def test_a_dry_run_counts_and_changes_nothing(archivist: Archivist, write, catalog: Catalog):
    people = write("people.csv", PEOPLE)

    result = archivist("directory", "import", people, "--dry-run")

    assert "This would be: 2 added, 0 changed, 0 deleted" in result.stderr
    assert (catalog.directory.find("user:ann"), catalog.directory.groups("user:ann"), catalog.revision()) == (None, frozenset(), 0)
    with catalog.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM audit").scalar_one() == 0


def test_a_changed_file_changes_what_it_says_and_nothing_else(archivist: Archivist, write, catalog: Catalog):
    archivist("directory", "import", write("people.csv", PEOPLE))
    archivist("directory", "add", "user:ann", "--group", "by-hand")
    archivist("directory", "clearance", "user:bob", "public")

    changed = counts(archivist("directory", "import", write("people.csv", "id,groups\nann,staff\nbob,staff;new\n"), "--json"))

    assert changed == {"changed": 1, "unchanged": 1, "memberships_added": 1, "memberships_removed": 1}
    assert catalog.directory.groups("user:ann") == {"group:staff", "group:by-hand"}
    assert catalog.directory.find("user:ann").clearance is Classification.CONFIDENTIAL
    assert catalog.directory.find("user:bob").clearance is Classification.PUBLIC


def test_who_is_missing_goes_with_the_flag_only_and_comes_back(archivist: Archivist, write, catalog: Catalog):
    archivist("directory", "import", write("people.csv", PEOPLE))
    archivist("directory", "add", "user:by-hand")
    only_bob = write("only.csv", "id,groups\nbob,staff\n")

    kept = counts(archivist("directory", "import", only_bob, "--json"))
    stayed = catalog.directory.is_active("user:ann")
    deleted = counts(archivist("directory", "import", only_bob, "--delete-missing", "--json"))

    assert (kept, stayed) == ({"unchanged": 1, "missing": 1}, True)
    assert deleted == {"unchanged": 1, "deleted": 1, "memberships_removed": 2}
    assert not catalog.directory.is_active("user:ann")
    assert catalog.directory.is_active("user:by-hand")
    assert archivist("directory", "import", write("people.csv", PEOPLE)).exit_code == 0
    assert catalog.directory.is_active("user:ann")


def test_who_was_locked_out_by_hand_stays_out_whatever_the_file_says(archivist: Archivist, write, catalog: Catalog):
    people = write("people.csv", PEOPLE)
    archivist("directory", "import", people)
    archivist("directory", "deactivate", "user:ann")
    again = archivist("directory", "import", people)
    locked_out = not catalog.directory.is_active("user:ann")
    archivist("directory", "remove", "user:bob")

    refused = archivist("directory", "import", people)

    assert (again.exit_code, locked_out) == (0, True)
    assert refused.exit_code == FAILED
    assert "people.csv, line 3: was deleted by hand" in refused.stderr


def test_what_scim_manages_is_not_touched(archivist: Archivist, write, catalog: Catalog):
    catalog.directory.add(Entry("user:bob", "bob", scim_id="1", managed_by=Manager.SCIM))
    catalog.directory.add(Entry("group:staff", "Staff", scim_id="2", managed_by=Manager.SCIM))

    person = archivist("directory", "import", write("people.csv", PEOPLE))
    group = archivist("directory", "import", write("others.csv", "id,groups\nann,staff\n"))

    assert (person.exit_code, group.exit_code) == (FAILED, FAILED)
    assert "people.csv, line 3: SCIM manages this entry" in person.stderr
    assert "group:staff: SCIM manages this group" in group.stderr
    assert catalog.directory.find("user:ann") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "line 1: is not a header", id="empty"),
        pytest.param("id,name\nann,Ann\n", "line 1: is not a header", id="people or groups"),
        pytest.param("id,groups,colour\n", "line 1: is not a header", id="unknown column"),
        pytest.param("id,groups,groups\n", "line 1: is not a header", id="a column twice"),
        pytest.param("id,groups,members\n", "line 1: is not a header", id="people and groups"),
        pytest.param("id;groups\nann;x\n", "line 1: is not a header", id="semicolons"),
        pytest.param("id,groups\nann\n", "line 2: has more or fewer cells than the header (limit: 2 cells)", id="few cells"),
        pytest.param("id,groups\n,board\n", "line 2, id: is required", id="no id"),
        pytest.param("id,groups\nann,\nann,\n", "line 3, id: is in the files twice", id="twice"),
        pytest.param("id,groups\nuser:ann,\n", "line 2, id: is written without its kind", id="a subject"),
        pytest.param("id,groups\nann,a;;b\n", "line 2, groups: has an empty value", id="empty group"),
        pytest.param("id,groups\nann,a b\n", "line 2, groups: a subject is written", id="ill-written group"),
        pytest.param("id,clearance\nann,s3cret\n", "line 2, clearance: not a clearance (limit: one of public", id="clearance"),
        pytest.param("id,regions\nann,EU\n", "line 2, regions: lower-case letters", id="region"),
        pytest.param('id,groups\nann,"a\n', "line 2: is not CSV", id="open quote"),
        pytest.param(b"id,groups\n\xff,\n", "is not UTF-8", id="encoding"),
        pytest.param("id,groups\nhttps://x|ann,\n", "line 2, id: holds a '|'", id="a forged issuer"),
        pytest.param(f"id,name,groups\nann,{'x' * 257},\n", "line 2, name: is too long (limit: 256 characters)", id="a long name"),
        pytest.param("id,name,groups\nann,a\x07b,\n", "line 2, name: holds a character that cannot be shown", id="a bell"),
    ],
)
def test_a_file_with_anything_wrong_changes_nothing_and_says_where(
    archivist: Archivist, write, catalog: Catalog, text: str | bytes, said: str
):
    good = write("groups.csv", GROUPS)

    refused = archivist("directory", "import", good, write("bad.csv", text))

    assert refused.exit_code == INVALID
    assert said in refused.stderr
    assert "s3cret" not in refused.stderr
    assert json.loads(archivist("directory", "groups", "--json").stdout) == []


def test_every_problem_is_named_at_once_up_to_a_limit(archivist: Archivist, write):
    refused = archivist("directory", "import", write("bad.csv", "id,clearance\n" + "".join(f"user{n},x\n" for n in range(100))))

    assert refused.stderr.count("not a clearance") == 20


def test_a_file_without_rows_deletes_nobody(archivist: Archivist, write, catalog: Catalog):
    archivist("directory", "import", write("people.csv", PEOPLE))

    people, groups = write("empty.csv", "id,groups\n"), write("groups.csv", GROUPS)
    refused = archivist("directory", "import", people, groups, "--delete-missing")

    assert refused.exit_code == INVALID
    assert "a file holds no rows" in refused.stderr
    assert catalog.directory.is_active("user:ann")


def test_a_file_that_is_too_large_is_refused(archivist: Archivist, write):
    refused = archivist("directory", "import", write("people.csv", PEOPLE), ARCHIVIST_DIRECTORY_CSV_MAX_BYTES="10")

    assert (refused.exit_code, "10 bytes" in refused.stderr) == (INVALID, True)


def test_people_live_under_the_configured_issuer(archivist: Archivist, write, catalog: Catalog):
    archivist("directory", "import", write("people.csv", "id,groups\n7f3a,board\n"), ARCHIVIST_DIRECTORY_ISSUER="https://login.example")

    assert catalog.directory.groups("user:https://login.example|7f3a") == {"group:https://login.example|board"}


def test_a_group_of_ten_thousand_is_one_cell(archivist: Archivist, write, catalog: Catalog):
    members = ";".join(f"member-number-{n}" for n in range(10_000))

    imported = counts(archivist("directory", "import", write("groups.csv", f"id,members\nall,{members}\n"), "--json"))

    assert imported == {"added": 1, "memberships_added": 10_000}
