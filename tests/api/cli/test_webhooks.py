"""archivist webhooks."""

import json

import pytest

from api.cli.failures import INVALID
from retrieval.adapters.delivery.signing import secret_bytes
from tests.api.cli.conftest import Archivist

URL = "https://intranet.example/hooks"


def test_a_secret_is_made_and_shown_once(archivist: Archivist):
    added = archivist("webhooks", "add", "intranet", URL)

    assert len(secret_bytes(added.stdout.strip())) == 32
    (listed,) = json.loads(archivist("webhooks", "list", "--json").stdout)
    assert (listed["application"], listed["url"], listed["secret"]) == ("app:intranet", URL, "kept")


def test_a_reference_is_kept_as_it_is(archivist: Archivist, tmp_path):
    (tmp_path / "secret").write_text(archivist("webhooks", "add", "other", URL).stdout)

    added = archivist("webhooks", "add", "intranet", URL, "--secret", f"file:{tmp_path / 'secret'}")

    assert (added.exit_code, added.stdout) == (0, "")
    assert f"file:{tmp_path / 'secret'}" in archivist("webhooks", "list").stdout


@pytest.mark.parametrize(
    ("url", "secret", "field"),
    [
        ("http://intranet.example/", "", "url"),
        ("ftp://intranet.example/", "", "url"),
        ("https://user:word@intranet.example/", "", "url"),
        (URL, "whsec_plain", "secret"),
        (URL, "env:ARCHIVIST_WEBHOOK_ABSENT", "secret"),
        (URL, "file:/absent", "secret"),
    ],
)
def test_what_cannot_be_is_named(archivist: Archivist, url: str, secret: str, field: str):
    refused = archivist("webhooks", "add", "intranet", url, "--secret", secret)

    assert refused.exit_code == INVALID
    assert field in refused.stderr


def test_a_removed_webhook_is_gone(archivist: Archivist):
    archivist("webhooks", "add", "intranet", URL)

    assert archivist("webhooks", "remove", "intranet").exit_code == 0
    assert json.loads(archivist("webhooks", "list", "--json").stdout) == []
    assert archivist("webhooks", "remove", "intranet").exit_code == INVALID
