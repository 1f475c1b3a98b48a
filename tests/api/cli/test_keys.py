"""archivist keys."""

import json

import pytest

from api.cli.failures import INVALID
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.keys import ApiKey
from retrieval.settings import Settings
from tests.api.cli.conftest import Archivist


def test_a_created_key_is_the_only_thing_on_standard_output(archivist: Archivist):
    created = archivist("keys", "create", "--user", "ann", "--group", "board", "--group", "group:staff", "--expires-days", "30")

    assert created.exit_code == 0
    assert ApiKey.parse(created.stdout.strip()) is not None
    assert "user:ann in group:board, group:staff" in created.stderr


def test_the_key_is_kept_as_a_hash_only(archivist: Archivist, settings: Settings, tmp_path):
    written = archivist("keys", "create", "--user", "ann").stdout.strip()
    secret = written.rpartition("_")[2].encode()

    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert written.split("_")[1].encode() in kept
    assert secret not in kept


def test_a_key_made_without_groups_leaves_the_groups_as_they_are(archivist: Archivist, tmp_path):
    archivist("keys", "create", "--user", "ann", "--group", "board")

    again = json.loads(archivist("keys", "create", "--user", "ann", "--json").stdout)

    assert again["groups"] == ["group:board"]
    catalog = open_catalog(Settings(data_directory=tmp_path))
    assert catalog.directory.groups("user:ann") == {"group:board"}
    catalog.close()


def test_the_list_shows_state_and_no_secret(archivist: Archivist):
    live = json.loads(archivist("keys", "create", "--user", "ann", "--label", "laptop", "--json").stdout)
    revoked = json.loads(archivist("keys", "create", "--app", "intranet", "--json").stdout)
    archivist("keys", "revoke", revoked["id"])

    listed = archivist("keys", "list", "--json").stdout

    states = {key["id"]: (key["principal"], key["label"], key["state"]) for key in json.loads(listed)}
    assert states == {live["id"]: ("user:ann", "laptop", "live"), revoked["id"]: ("app:intranet", "", "revoked")}
    assert live["key"].rpartition("_")[2] not in listed + archivist("keys", "list").stdout


def test_the_whole_key_may_be_given_to_revoke_it(archivist: Archivist):
    key = archivist("keys", "create", "--user", "ann").stdout.strip()

    revoked = archivist("keys", "revoke", key)

    assert revoked.exit_code == 0
    assert json.loads(archivist("keys", "list", "--json").stdout)[0]["state"] == "revoked"
    assert key.rpartition("_")[2] not in revoked.stderr


def test_a_key_has_the_roles_and_sources_that_it_was_made_with(archivist: Archivist, tmp_path):
    made = archivist("keys", "create", "--user", "kim", "--role", "auditor", "--role", "user", "--source", "wiki", "--source", "handbook")

    (listed,) = json.loads(archivist("keys", "list", "--json").stdout)
    assert (listed["roles"], listed["sources"]) == (["auditor", "user"], ["handbook", "wiki"])
    assert "auditor, user" in archivist("keys", "list").stdout
    assert "as auditor, user, for handbook, wiki only" in made.stderr
    catalog = open_catalog(Settings(data_directory=tmp_path))
    stored = catalog.keys.find(listed["id"])
    catalog.close()
    assert stored is not None
    assert stored.principal.sources == {"handbook", "wiki"}


def test_a_key_made_without_roles_asks_as_its_principal_does(archivist: Archivist):
    archivist("keys", "create", "--user", "ann")
    archivist("keys", "create", "--app", "intranet")

    listed = json.loads(archivist("keys", "list", "--json").stdout)

    assert {key["principal"]: (key["roles"], key["sources"]) for key in listed} == {
        "user:ann": (["user"], None),
        "app:intranet": (["app"], None),
    }


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("create",), id="nobody"),
        pytest.param(("create", "--user", "ann", "--app", "intranet"), id="two principals"),
        pytest.param(("create", "--user", "a b"), id="a name with a space"),
        pytest.param(("create", "--user", "ann", "--group", "a b"), id="a group with a space"),
        pytest.param(("create", "--user", "ann", "--label", "x" * 201), id="a long label"),
        pytest.param(("create", "--user", "ann", "--expires-days", "0"), id="expired at once"),
        pytest.param(("create", "--user", "ann", "--role", "root"), id="an unknown role"),
        pytest.param(("create", "--user", "ann", "--role", "app"), id="a role for applications"),
        pytest.param(("create", "--app", "intranet", "--role", "user"), id="a role for people"),
        pytest.param(("create", "--user", "ann", "--source", "../x"), id="what is no source"),
        pytest.param(("revoke", "abcdefgh12345678"), id="an unknown key"),
    ],
)
def test_wrong_input_ends_with_one_clear_line_and_makes_no_key(archivist: Archivist, arguments: tuple[str, ...]):
    refused = archivist("keys", *arguments)

    assert refused.exit_code == INVALID
    assert refused.stderr
    assert "Traceback" not in refused.output
    assert json.loads(archivist("keys", "list", "--json").stdout) == []
