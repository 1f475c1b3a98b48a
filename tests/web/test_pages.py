"""What holds for every page: its headers, its files, its errors."""

import hashlib
import re
from pathlib import Path

import pytest

from api.web.assets import FILES
from retrieval.domain.errors import IndexUnavailable
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.web.desk import QUESTION, asks, browser, signed_in

STATIC = Path(__file__).parents[2] / "api/web/static"
INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|javascript:|hx-on|hx-vals=.js", re.IGNORECASE)


def test_every_page_allows_only_our_own_files_and_holds_nothing_inline(world: World):
    escalation = asks(world)
    at = signed_in(world, "user:dana", Role.USER, Role.REVIEWER)
    pages = ["/console", "/console/search", "/console/questions", "/console/reviews", f"/console/reviews/{escalation.id}"]
    pages += ["/console/statistics", "/console/nowhere", "/console/sign-in", f"/console/documents/{world.document('travel.txt')}"]
    for address in pages:
        response = at.open(address)

        assert response.headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert not INLINE.search(response.text), address


def test_the_rest_of_the_api_keeps_its_own_headers(world: World):
    at = browser(world)

    assert at.open("/healthz").headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert at.open("/healthz").headers["referrer-policy"] == "no-referrer"


def test_files_are_kept_by_browsers_under_names_that_change_with_them(world: World):
    at = browser(world)
    linked = re.findall(r'(?:href|src)="(/console/static/[^"]+)"', at.open("/console/sign-in").text)

    assert len(linked) == len(FILES)
    for address in linked:
        response = at.open(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        assert hashlib.blake2b(response.content, digest_size=6).hexdigest() in address
    assert at.open("/console/static/console.css").status_code == 404
    assert at.open("/console/static/..%2fpages.py").status_code == 404


def test_the_vendored_script_is_the_published_one():
    sums = re.findall(r"`(\S+)` \| .*?`([0-9a-f]{64})`", (STATIC / "vendor/README.md").read_text())

    assert [(name, hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest()) for name, _ in sums] == sums
    assert [name for name, _ in sums] == ["htmx.min.js"]


@pytest.mark.permissions
def test_absent_hidden_and_impossible_are_one_page(world: World):
    at = signed_in(world, "user:ann")
    hidden, absent = world.document("nightingale.txt"), "doc_absent"
    pages = {
        re.sub(r"[0-9a-f]{16}", "", at.open(address).text)
        for address in (f"/console/documents/{hidden}", f"/console/documents/{absent}", "/console/documents/a%20b")
    }

    assert len(pages) == 1
    assert at.open("/console/questions/esc_absent").status_code == 404
    assert "There is nothing here that you may read" in pages.pop()


def test_an_error_is_a_page_that_names_its_request(world: World):
    at = signed_in(world, "user:ann")
    response = at.open(f"/console/documents/{world.document('travel.txt')}?start=5&end=2")

    assert response.status_code == 422
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-request-id"] in at.text
    assert "must be greater than" in at.text


def test_an_index_that_does_not_answer_is_told_of_on_a_page(world: World):
    at = signed_in(world, "user:ann")
    world.index.failure = IndexUnavailable("down")
    response = at.send("/console/ask", {"question": QUESTION})

    assert response.status_code == 503
    assert "The search index is not ready" in at.text
    assert response.headers["retry-after"] == "1"


def test_an_empty_question_is_told_of_on_a_page(world: World):
    at = signed_in(world, "user:ann")

    assert at.send("/console/ask", {"question": "  "}).status_code == 422
    assert "must not be empty" in at.text
