"""Whatever is written into titles, texts, questions, answers and notes is shown as what it is, and nothing of it runs.

All 312 texts as titles and in documents; as questions, answers and notes every fifth, all with ARCHIVIST_TEST_INJECTIONS=all.
"""

import csv
import io
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest

from retrieval.domain.permissions import EVERYONE, Principal
from retrieval.domain.reviews import Amendment, Decision, SubmittedCitation, SubmittedSentence
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.identity.conftest import key_of
from tests.story import allow
from tests.web.chromium import chromium, complaints, missing, served
from tests.web.conftest import opened
from tests.web.desk import asks, signed_in
from tests.web.injections import payloads
from tests.web.test_browser import see, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.permissions]

DANA = Principal("dana")
PAYLOADS = payloads()
CHOSEN = PAYLOADS if os.environ.get("ARCHIVIST_TEST_INJECTIONS") == "all" else PAYLOADS[::5]
OURS = re.compile(r"/console($|[/?#])|#")
FORBIDDEN = {"iframe", "object", "embed", "base", "style", "template", "math", "video", "marquee", "img"}


class Page(HTMLParser):
    """The page's elements as a browser would make them, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.said: list[str] = []
        self.values: list[str] = []
        self._bodies = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self._bodies += tag == "body"
        self.values += given.values()
        if tag in FORBIDDEN or self._bodies > 1:
            self.problems.append(tag)
        if tag == "script" and not re.fullmatch(r"/console/static/htmx\.min\.[0-9a-f]{12}\.js", given.get("src", "")):
            self.problems.append(f"script {given}")
        self.problems += [f"{tag} {name}" for name in given if name.startswith(("on", "hx-on")) or name == "style"]
        self.problems += [f"{tag} {given[name]}" for name in ("href", "src", "action", "formaction", "hx-get") if not _is_ours(given, name)]

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return "".join(self.said)

    def shows(self, payload: str) -> bool:
        return payload in self.text or payload in self.values


@pytest.fixture(scope="module")
def hostile(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With a document for each payload, which is its title and in its text."""
    with opened(published, tmp_path_factory.mktemp("hostile")) as world:
        world.story.sync({title(number): (f"Topic {number}. {payload}", allow(EVERYONE)) for number, payload in enumerate(PAYLOADS)})
        yield world


def test_there_are_more_than_three_hundred_different_ones():
    assert len(set(PAYLOADS)) == len(PAYLOADS) == 312


def test_titles_and_texts_are_shown_as_they_are(hostile: World):
    at = signed_in(hostile, "user:ann")
    for number, payload in enumerate(PAYLOADS):
        page = looked_at(at.open(f"/console/documents/{hostile.document(title(number))}").text)

        assert page.shows(payload)
        assert title(number) in page.text


def test_questions_are_shown_as_they_are(world: World):
    at = signed_in(world, "user:ann")
    for number, payload in enumerate(CHOSEN):
        form = "/console/search" if number % 2 else "/console/ask"
        at.open("/console/search" if number % 2 else "/console")
        response = at.send(form, {"question": f"Topic {payload}"})

        assert response.status_code == 200
        assert looked_at(response.text).shows(f"Topic {payload}")


def test_what_reviewers_write_is_shown_as_it_is_to_them_and_to_askers(world: World):
    dana, ann = signed_in(world, "user:dana", Role.USER, Role.REVIEWER), signed_in(world, "user:ann")
    for payload in CHOSEN:
        escalation = reviewed(world, payload)
        item = looked_at(dana.open(f"/console/reviews/{escalation}").text)
        told = looked_at(ann.open(f"/console/questions/{escalation}").text)

        assert item.text.count(payload.strip()) >= 4
        assert told.text.count(payload.strip()) >= 2
    looked_at(dana.open("/console/reviews?state=any").text)
    looked_at(ann.open("/console/questions").text)


def test_a_form_that_is_shown_again_shows_what_was_written(world: World):
    escalation = asks(world)
    world.reviews.claim(DANA, escalation.id, expected=1)
    dana = signed_in(world, "user:dana", Role.USER, Role.REVIEWER)
    for payload in CHOSEN:
        dana.open(f"/console/reviews/{escalation.id}")
        dana.send(f"/console/reviews/{escalation.id}/rows", {"text": [payload], "reason": payload, "knowledge_gap": payload})
        assert looked_at(dana.page.text).text.count(payload.strip()) == 3
        looked_at(dana.open(f"/console/reviews/{escalation.id}?" + urlencode({"find": payload[:200]})).text)


def test_no_cell_of_a_file_is_a_formula(world: World):
    dana = signed_in(world, "user:dana", Role.USER, Role.REVIEWER)
    formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", '"=1+1', "a\n=1+1", ",=1", *CHOSEN[-12:]]
    written = [reviewed(world, formula) for formula in formulas]
    files = [dana.open("/console/reviews.csv?state=any").text, *(dana.open(f"/console/reviews/{id_}/history.csv").text for id_ in written)]
    for file in files:
        lines = list(csv.reader(io.StringIO(file.removeprefix("\ufeff"), newline="")))
        assert lines[1:]
        for cell in (cell for line in lines for cell in line):
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")), cell
            assert not set(cell) & set("\r\n\t"), cell
        assert all(len(line) == len(lines[0]) for line in lines)


@pytest.mark.skipif(bool(missing()), reason=missing() or "installed")
def test_nothing_of_it_runs_in_a_browser(hostile: World, tmp_path: Path):
    escalations = [reviewed(hostile, payload) for payload in CHOSEN[::4]]
    shown = range(0, len(PAYLOADS), 1 if CHOSEN is PAYLOADS else 10)
    with served(hostile) as url, chromium(tmp_path / "profile") as driver:
        sign_in(driver, url, key_of(hostile, "user:dana", Role.USER, Role.REVIEWER))
        documents = [f"/documents/{hostile.document(title(number))}" for number in shown]
        for page in ("/reviews?state=any", "/statistics", *documents, *(f"/reviews/{id_}" for id_ in escalations)):
            driver.get(f"{url}/console{page}")
            see(driver, "main")
            assert driver.execute_script("return typeof window.pwned") == "undefined", page  # type: ignore[no-untyped-call]
            assert complaints(driver) == [], page
            assert driver.current_url == f"{url}/console{page}"


def title(number: int) -> str:
    return f"{number:03d} {PAYLOADS[number]}"


def reviewed(world: World, payload: str) -> str:
    """An escalation whose question, answer and notes are the payload. Its id."""
    found = asks(world, question=f"{payload} {world.clock.at.timestamp()}"[:4_000])
    world.clock.at = world.clock.at.replace(microsecond=world.clock.at.microsecond + 1)
    world.reviews.claim(DANA, found.id, expected=1)
    evidence = world.reviews.item(DANA, found.id).evidence[0]
    sentence = SubmittedSentence(payload.strip() or "x", (SubmittedCitation.of(evidence.citation),))
    decision = Decision(Amendment((sentence,)), reason=payload, knowledge_gap=payload)
    world.reviews.decide(DANA, found.id, decision, expected=2)
    return found.id


def looked_at(text: str) -> Page:
    page = Page(text)
    assert page.problems == []
    return page


def _is_ours(given: dict[str, str], name: str) -> bool:
    return name not in given or OURS.match(given[name]) is not None
