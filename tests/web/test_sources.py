"""The page of sources: theirs alone who answer for them, how each stands, what changed when, and the way to Dagster."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from retrieval.domain.roles import Role
from retrieval.domain.source_kinds import KINDS
from retrieval.domain.sources import Classification, SourceSpec, SourceState
from tests.api.conftest import World
from tests.api.identity.conftest import key_of
from tests.web.desk import browser, signed_in
from tests.web.test_pages import INLINE

OWNER = Role.DATA_OWNER
MINUTES = SourceSpec("minutes", "files", "Minutes of the board", "user:erin", {"root": "/srv/minutes"})


@pytest.fixture
def owned(world: World) -> World:
    world.catalog.sources.register(MINUTES, by="user:erin")
    return world


def links(page: str) -> dict[str, str]:
    """Address by words."""
    return {unescape(said): unescape(address) for address, said in re.findall(r'<a [^>]*href="([^"]+)"[^>]*>([^<]+)</a>', page)}


@pytest.mark.permissions
def test_who_answers_for_a_source_sees_it_and_nobody_else_that_there_is_one(owned: World):
    dana, erin = (signed_in(owned, f"user:{name}", OWNER) for name in ("dana", "erin"))

    assert "Handbook" in dana.open("/console/sources").text
    assert "Minutes" not in dana.text
    assert "Minutes of the board" in erin.open("/console/sources").text
    assert "Handbook" not in erin.text
    others = [re.sub(r"[0-9a-f]{16}", "", dana.open(f"/console/sources/{id_}").text) for id_ in ("minutes", "absent", "a%20b")]
    assert len(set(others)) == 1
    assert dana.page is not None
    assert dana.page.status_code == 404


@pytest.mark.permissions
def test_a_group_answers_for_its_sources_and_a_key_for_one_source_shows_no_other(owned: World):
    owned.catalog.sources.register(replace(MINUTES, owner="group:board"), by="user:erin")
    owned.catalog.directory.set_groups("user:gus", ["group:board"])

    assert "Minutes of the board" in signed_in(owned, "user:gus", OWNER).open("/console/sources").text
    assert signed_in(owned, "user:erin", OWNER).open("/console/sources/minutes").status_code == 404
    narrow = browser(owned)
    narrow.send("/console/sign-in", {"key": key_of(owned, "user:gus", OWNER, sources=frozenset({"handbook"})), "next": "/console"})
    assert "Minutes" not in narrow.open("/console/sources").text
    assert narrow.open("/console/sources/minutes").status_code == 404


def test_an_owner_begins_at_the_sources_and_other_roles_have_no_such_page(owned: World):
    erin, dana = signed_in(owned, "user:erin", OWNER), signed_in(owned, "user:dana", Role.USER, Role.REVIEWER)

    assert erin.open("/console").url.path == "/console/sources"
    assert 'href="/console/sources"' not in dana.open("/console").text
    assert dana.open("/console/sources").status_code == 403


def test_each_source_says_how_it_stands(owned: World):
    page = signed_in(owned, "user:dana", OWNER).open("/console/sources").text
    row = " ".join(unescape(re.sub(r"<[^>]+>", " ", page[page.index("<tbody>") : page.index("</tbody>")])).split())

    assert row.startswith("Handbook handbook · files active")
    assert re.search(r"ago \d+ \d+ without a reader, 0 in quarantine holds", row)
    never = signed_in(owned, "user:erin", OWNER).open("/console/sources").text
    assert "<td>never</td>" in never


def test_registrations_are_told_with_who_when_and_what_changed(owned: World):
    changed = replace(MINUTES, classification=Classification.CONFIDENTIAL, location={"root": "/srv/board"}, schedule="0 3 * * *")
    owned.catalog.sources.register(changed, by="user:frank")

    page = unescape(signed_in(owned, "user:erin", OWNER).open("/console/sources/minutes").text)

    assert re.search(r"version 2, <time[^>]+>[^<]+</time>, by user:frank", page)
    assert "<code>classification</code>: internal → confidential" in page
    assert "<code>location.root</code>: /srv/minutes → /srv/board" in page
    assert "<code>schedule</code>: nothing → 0 3 * * *" in page
    assert "<code>title</code>" not in page
    assert re.search(r"version 1, <time[^>]+>[^<]+</time>, by user:erin", page)


def test_links_open_dagster_with_forms_that_are_filled_in(owned: World):
    at = signed_in(owned, "user:erin", OWNER)
    register = links(at.open("/console/sources").text)
    change = links(at.open("/console/sources/minutes").text)

    for kind in KINDS:
        assert urlsplit(register[kind]).path == f"/locations/pipelines.definitions/jobs/register_{kind}_source/playground/setup"
    form = yaml.safe_load(parse_qs(urlsplit(change["Change the registration"]).query)["config"][0])
    assert (form["id"], form["title"], form["owner"], form["root"]) == ("minutes", "Minutes of the board", "user:erin", "/srv/minutes")
    assert "Pause" in change
    assert "Resume" not in change
    paused = yaml.safe_load(parse_qs(urlsplit(change["Pause"]).query)["config"][0])
    assert paused == {"source": "minutes"}
    back = yaml.safe_load(parse_qs(urlsplit(change["Go back to earlier versions"]).query)["config"][0])
    assert back == {"source": "minutes", "time": "", "dry_run": True}
    last_run = owned.catalog.runs.runs("minutes", limit=1)
    undo = change.get("Take back what the last run changed")
    assert (undo is None) == (not last_run)
    assert {urlsplit(link).netloc for link in change.values() if link.startswith("http")} == {"127.0.0.1:3000"}

    owned.catalog.sources.set_state("minutes", SourceState.PAUSED, by="user:erin")
    assert {"Resume"} <= links(at.open("/console/sources/minutes").text).keys()
    owned.catalog.publishing.retire("minutes", by="user:erin")
    assert not {"Pause", "Resume"} & links(at.open("/console/sources/minutes").text).keys()


def test_what_an_owner_typed_is_text_and_the_page_holds_nothing_inline(owned: World):
    attack = '"><script>alert(1)</script>'
    owned.catalog.sources.register(replace(MINUTES, title=attack), by="user:erin")
    at = signed_in(owned, "user:erin", OWNER)

    for address in ("/console/sources", "/console/sources/minutes"):
        response = at.open(address)
        assert not INLINE.search(response.text)
        assert "<script>alert" not in response.text
        assert "&lt;script&gt;alert" in response.text
        assert "form-action 'self'" in response.headers["content-security-policy"]


def test_many_sources_come_in_pages(owned: World):
    for number in range(owned.settings.list_page_entries + 1):
        owned.catalog.sources.register(replace(MINUTES, id=f"minutes-{number:03d}"), by="user:erin")
    at = signed_in(owned, "user:erin", OWNER)

    first = links(at.open("/console/sources").text)
    rest = at.open(first["More →"]).text

    assert 'href="/console/sources/minutes"' not in rest
    assert f'href="/console/sources/minutes-{owned.settings.list_page_entries:03d}"' in rest
