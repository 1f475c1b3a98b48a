"""What documents said before, in the order anonymous, wrong principal, hidden, absent, valid."""

import json

import pytest
from fastapi.testclient import TestClient

from retrieval.domain.audit import AuditAction
from retrieval.domain.diffs import differences
from retrieval.domain.documents import Span
from retrieval.domain.versions import RollbackRequest
from tests.api.conftest import FILES, World
from tests.story import MODEL, PUBLIC


@pytest.fixture
def changed(world: World) -> World:
    """travel.txt in three versions: as it was, with a line more, with another line; nightingale.txt in two."""
    for second in ("Second line.\n", "Another line.\n"):
        files = FILES | {"travel.txt": (f"First line.\n{second}", PUBLIC), "nightingale.txt": (second, FILES["nightingale.txt"][1])}
        world.story.sync(files)
    return world


def body(api: TestClient, path: str, who: dict[str, str], status: int = 200) -> dict[str, object]:
    response = api.get(path, headers=who)
    assert response.status_code == status, response.text
    said = response.json()
    said.pop("request_id")
    return said


@pytest.mark.permissions
def test_hidden_absent_and_ill_formed_are_one_404_and_nothing_of_them_is_told(api: TestClient, changed: World, ann: dict[str, str]):
    hidden, absent = changed.document("nightingale.txt"), changed.document("nothing")
    assert api.get(f"/documents/{hidden}/versions").status_code == 401

    for rest in ("versions", "diff?from=1&to=2", "diff?from=1&to=99"):
        said = [body(api, f"/documents/{id_}/{rest}", ann, 404) for id_ in (hidden, absent, "%00")]

        assert said[0] == said[1] == said[2]


def test_the_versions_of_a_document_are_told_newest_first_with_their_times(api: TestClient, changed: World, ann: dict[str, str]):
    said = body(api, f"/documents/{changed.document('travel.txt')}/versions", ann)

    versions = said["versions"]
    assert [(each["number"], each["state"]) for each in versions] == [(3, "current"), (2, "superseded"), (1, "superseded")]
    assert versions[0]["current"][0]["until"] is None
    assert versions[1]["current"][0]["until"] == versions[0]["current"][0]["since"]


def test_a_diff_tells_the_lines_that_differ_and_where_they_stand(api: TestClient, changed: World, ann: dict[str, str]):
    document = changed.document("travel.txt")

    said = body(api, f"/documents/{document}/diff?from=2&to=3", ann)

    place = {"start": 12, "end": 25}
    assert said["changes"] == [
        {"before": place, "after": place | {"end": 26}, "removed": "Second line.\n", "added": "Another line.\n"},
    ]
    assert said["is_whole"] is True
    assert body(api, f"/documents/{document}/diff?from=3&to=3", ann)["changes"] == []
    with changed.catalog.database.read() as connection:
        read = f"SELECT record FROM audit WHERE action = '{AuditAction.VERSIONS_READ.value}' ORDER BY seq"
        recorded = [json.loads(row[0])["documents"] for row in connection.exec_driver_sql(read)]
    assert [len(documents) for documents in recorded] == [2, 1]


@pytest.mark.permissions
def test_a_version_that_was_taken_back_and_one_that_is_withdrawn_are_not_told(api: TestClient, changed: World, ann: dict[str, str]):
    document = changed.document("travel.txt")
    changed.catalog.rollback.roll_back(RollbackRequest(source="handbook", document=document, version=2), model=MODEL, by="user:dana")

    assert [each["number"] for each in body(api, f"/documents/{document}/versions", ann)["versions"]] == [2, 1]
    body(api, f"/documents/{document}/diff?from=2&to=3", ann, 404)
    changed.story.sync({key: file for key, file in FILES.items() if key != "travel.txt"})
    body(api, f"/documents/{document}/versions", ann, 404)


def test_a_text_that_is_too_long_to_compare_is_named_as_such(api: TestClient, changed: World, ann: dict[str, str]):
    changed.settings = changed.settings.model_copy(update={"diff_max_characters": 10})

    said = body(api, f"/documents/{changed.document('travel.txt')}/diff?from=2&to=3", ann, 422)

    assert said["errors"][0]["limit"] == "10 characters"


def test_changed_places_are_told_up_to_their_limits():
    before, after = "a\nb\nc\nd\n", "a\nBBBB\nc\nDDDD\n"

    whole, few, short = (differences(before, after, max_hunks=most, max_hunk_characters=long) for most, long in ((9, 9), (1, 9), (9, 3)))

    assert [(hunk.before, hunk.added) for hunk in whole.hunks] == [(Span(2, 4), "BBBB\n"), (Span(6, 8), "DDDD\n")]
    assert (whole.is_whole, few.is_whole, short.is_whole) == (True, False, False)
    assert len(few.hunks) == 1
    assert short.hunks[0].added == "BBB"
