"""PUT, DELETE and GET /sources/{id}/documents/{key}: what an application may send, when it counts, and that what was accepted stays."""

import base64
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from retrieval.adapters.blobs import FsspecBlobs
from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.ids import content_hash
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.roles import Role
from retrieval.domain.sources import SourceSpec
from retrieval.settings import MIB, Settings
from tests.api.conftest import World
from tests.api.identity.conftest import bearer, key_of
from tests.story import ANN, Story, allow

ADDRESS = "/sources/crm/documents/"
OFFER = {"text": "Offers hold for 30 days. Then they end.", "allow": ["user:ann"]}


@dataclass
class Crm:
    """An application that fills the source `crm`, and the service as it sees it."""

    world: World
    api: TestClient
    headers: dict[str, str]

    def put(self, key: str = "4711.txt", **said: Any) -> httpx.Response:
        return self.api.put(ADDRESS + key, json=OFFER | said, headers=self.headers)

    def get(self, key: str = "4711.txt") -> httpx.Response:
        return self.api.get(ADDRESS + key, headers=self.headers)

    def delete(self, key: str = "4711.txt", **parameters: Any) -> httpx.Response:
        return self.api.delete(ADDRESS + key, params=parameters, headers=self.headers)


@pytest.fixture
def crm(world: World, api: TestClient) -> Crm:
    world.catalog.sources.register(SourceSpec("crm", "push", "Offers", "user:dana"), by="user:dana")
    key = key_of(world, "app:crm", Role.PUBLISHER, sources=frozenset({"crm", "handbook", "absent"}))
    return Crm(world, api, bearer(key))


def test_a_document_is_kept_with_its_readers_under_a_key_with_slashes(crm: Crm) -> None:
    answer = crm.put("offers/2026/Ünïcode & 50%.txt", title="Offer", uri="https://crm.example.com/4711", modified_at="2026-03-01T09:00:00Z")

    kept = crm.world.catalog.pushed.find("crm", "offers/2026/Ünïcode & 50%.txt")
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"request_id": "", "pushed_at": ""} == {
        "request_id": "",
        "source": "crm",
        "key": "offers/2026/Ünïcode & 50%.txt",
        "state": "accepted",
        "sequence": 1,
        "changed": True,
        "reason": None,
        "pushed_at": "",
        "published_at": None,
    }
    assert kept is not None
    assert (kept.title, kept.uri, kept.policy) == ("Offer", "https://crm.example.com/4711", AccessPolicy.of(["user:ann"]))
    assert FsspecBlobs(crm.world.settings.resolved_blob_url).get(kept.content_hash) == OFFER["text"].encode()


def test_bytes_come_in_base64_and_the_same_again_changes_nothing(crm: Crm) -> None:
    content = base64.b64encode(b"%PDF-1.7\n\xff").decode()

    first = crm.put("a.pdf", text=None, content=content)
    again = crm.put("a.pdf", text=None, content=content)

    assert (first.json()["changed"], again.json()["changed"]) == (True, False)
    assert crm.get("a.pdf").json()["sequence"] == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"text": None}, "body"),
        ({"content": "YQ=="}, "body"),
        ({"text": None, "content": "YQ"}, "content"),
        ({"text": None, "content": "Ünï="}, "content"),
        ({"text": ""}, "content"),
        ({"text": "x" * (8 * MIB + 1)}, "content"),
        ({"allow": ["finance"]}, "subject"),
        ({"deny": ["user:a b"]}, "subject"),
        ({"allow": [f"user:{n}" for n in range(1001)]}, "allow"),
        ({"title": "x" * 501}, "title"),
        ({"uri": "javascript:alert(1)"}, "uri"),
        ({"uri": "https://a b"}, "uri"),
        ({"media_type": "text/plain; charset=utf-8"}, "media_type"),
        ({"sequence": -1}, "sequence"),
        ({"sequence": 2**53}, "sequence"),
        ({"modified_at": "yesterday"}, "modified_at"),
        ({"readers": ["everyone"]}, "readers"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(crm: Crm, said: dict[str, Any], field: str) -> None:
    answer = crm.put(**said)

    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert crm.get().status_code == 404


@pytest.mark.parametrize("key", ["a//b", "a/%2E%2E/b.txt", "mail.eml%231/a.txt", "a%00b", "/a", "a/", "x" * 1001])
def test_a_key_is_names_joined_by_slashes(crm: Crm, key: str) -> None:
    assert crm.api.put(ADDRESS + key, json=OFFER, headers=crm.headers).status_code in {404, 422}
    assert crm.world.catalog.pushed.listed("crm", after="", count=9) == []


def test_a_body_above_the_limit_of_documents_is_refused_before_it_is_read(crm: Crm) -> None:
    body = b"x" * (crm.world.settings.push_max_document_bytes * 2)

    answer = crm.api.put(ADDRESS + "a.txt", content=body, headers=crm.headers | {"Content-Type": "application/json"})

    assert answer.status_code == 413


def test_readers_and_deletions_count_with_the_answer(crm: Crm) -> None:
    story = Story(crm.world.catalog, source="crm", kind="push")
    crm.put()
    story.sync({"4711.txt": (str(OFFER["text"]), allow("user:ann"))})
    published = crm.get().json()

    def reads() -> bool:
        return any("Offers" in text for text in story.visible(ANN))

    seen = [reads()]
    for readers in (["user:bob"], ["user:ann"]):
        assert crm.put(allow=readers).json()["changed"]
        seen.append(reads())
    deleted = crm.delete()

    assert (published["state"], published["published_at"] is None) == ("published", False)
    assert [*seen, reads()] == [True, False, True, False]
    assert (deleted.status_code, deleted.json()["state"]) == (200, "deleted")
    assert crm.delete().json()["changed"] is False
    assert crm.get().json()["state"] == "deleted"


def test_what_comes_too_late_is_refused(crm: Crm) -> None:
    crm.put(sequence=7)

    assert crm.put(sequence=6, text="Late.").status_code == 409
    assert crm.delete(sequence=6).status_code == 409
    assert crm.delete(sequence=8).json()["sequence"] == 8
    assert crm.delete("never.txt").status_code == 404


def test_a_credential_fills_only_what_it_names(crm: Crm) -> None:
    Story(crm.world.catalog, source="other", kind="push")
    everywhere = key_of(crm.world, "app:crm", Role.APP)
    elsewhere = key_of(crm.world, "app:crm", Role.PUBLISHER, sources=frozenset({"other"}))
    crm.put()

    refused = [
        crm.api.put(f"/sources/{source}/documents/a.txt", json=OFFER, headers=crm.headers) for source in ("other", "handbook", "absent")
    ]
    refused += [crm.api.request(method, ADDRESS + "4711.txt", headers=bearer(elsewhere)) for method in ("GET", "DELETE")]

    assert [answer.status_code for answer in refused] == [404] * 5
    assert len({answer.text.replace(answer.json()["request_id"], "") for answer in refused}) == 1
    assert crm.api.get(ADDRESS + "4711.txt", headers=bearer(everywhere)).status_code == 403
    assert crm.api.post("/retrieve", json={"query": "offers"}, headers=crm.headers).status_code == 403


@pytest.fixture
def serving(world: World, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.HTTPTransport]]:
    socket = tmp_path / "api"
    command = [sys.executable, "-m", "tests.api.push_process", str(world.settings.data_directory), str(socket)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(Path.cwd())}) as process:
        while not socket.exists():
            assert process.poll() is None
            time.sleep(0.05)
        yield process, httpx.HTTPTransport(uds=str(socket))
        process.kill()


def test_what_was_accepted_outlasts_the_death_of_the_service(
    crm: Crm, serving: tuple[subprocess.Popen[bytes], httpx.HTTPTransport]
) -> None:
    process, transport = serving
    accepted: list[str] = []
    enough = threading.Event()

    def push() -> None:
        with httpx.Client(transport=transport, base_url="http://archivist", headers=crm.headers, timeout=30) as client:
            for number in range(10_000):
                try:
                    answer = client.put(f"{ADDRESS}{number}.txt", json={"text": f"Offer {number}.", "allow": ["everyone"]})
                except httpx.HTTPError:
                    return
                assert answer.status_code == 200, answer.text
                accepted.append(f"{number}.txt")
                if len(accepted) == 20:
                    enough.set()

    pushing = threading.Thread(target=push)
    pushing.start()
    assert enough.wait(60)
    process.send_signal(signal.SIGKILL)
    pushing.join()

    after = open_catalog(Settings(data_directory=crm.world.settings.data_directory))
    blobs = FsspecBlobs(crm.world.settings.resolved_blob_url)
    kept = {document.key: document for document in after.pushed.listed("crm", after="", count=10_000)}
    [outlook] = [each for each in after.automation.outlooks() if each.source == "crm"]
    after.close()
    assert set(accepted) <= set(kept)
    assert len(kept) - len(accepted) <= 1
    assert outlook.waiting_pushes == len(kept)
    assert all(content_hash(blobs.get(document.content_hash)) == document.content_hash for document in kept.values())
