"""What an entry of the directory can be."""

from dataclasses import replace

import pytest

from retrieval.domain.directory import (
    Entry,
    EntryKind,
    identify,
)
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import Classification


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"subject": "everyone"}, id="everyone"),
        pytest.param({"name": " "}, id="no name"),
        pytest.param({"name": "a\x00"}, id="a null"),
        pytest.param({"name": "\ud800"}, id="half a character"),
        pytest.param({"regions": frozenset({"EU"})}, id="an ill-written region"),
        pytest.param({"subject": "group:a", "active": False}, id="an inactive group"),
        pytest.param({"subject": "group:a", "clearance": Classification.PUBLIC}, id="a cleared group"),
    ],
)
def test_what_cannot_be_an_entry_is_none(fields: dict[str, object]):
    with pytest.raises(InvalidInput):
        replace(Entry("user:ann", "Ann"), **fields)


def test_an_issuer_cannot_be_forged_in_an_id():
    assert identify(EntryKind.USER, "7", issuer="https://login.example") == "user:https://login.example|7"
    with pytest.raises(InvalidInput):
        identify(EntryKind.USER, "https://login.example|7")
