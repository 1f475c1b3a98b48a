"""A moment's answers: those that were given then, to who may read them now; nothing else of the past, and nothing of it in answers of now.

Worlds live through changes an hour apart; 3 of each kind here, as many as ARCHIVIST_TEST_PAST_WORLDS says in the long form.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.permissions.backends import BACKENDS, Backend
from tests.permissions.oracle import Asking, readable
from tests.permissions.past import Past, lived, words_of
from tests.permissions.plant import WORD, Plant
from tests.permissions.requests import Request, Requests
from tests.permissions.two_worlds import comparable
from tests.permissions.worlds import Author, Size, own_word

WORLDS = int(os.environ.get("ARCHIVIST_TEST_PAST_WORLDS", "2"))
SMALL = Size(papers=30, people=6, groups=4, applications=1, folders=2)
CHANGES = 4
ASKED = (
    "hits",
    "sentences",
    "answer",
    "outcome",
    "reason_code",
    "citations",
    "confidence",
    "conflicts",
    "passages",
    "explanation",
    "degraded",
)
"""What of a response says what was found."""

pytestmark = [pytest.mark.permissions, pytest.mark.slow]


def asked(requests: Requests, author: Author) -> Request:
    return requests.answer() if author.random.random() < 0.4 else requests.retrieve()


def of(request: Request, as_of: str) -> Request:
    return Request(request.method, request.path, {**(request.body or {}), "as_of": as_of})


def found(plant: Plant, request: Request, asking: Asking) -> dict[str, Any]:
    response = request.send(plant, asking)
    assert response.status_code == 200, response.text
    return response.json()


def somebody(author: Author, past: Past) -> Asking:
    drawn = [author.asking() for _ in range(60)]
    return max(drawn, key=lambda asking: min(len(readable(past.now, asking)), len(past.now.papers) - len(readable(past.now, asking))))


@pytest.mark.parametrize("backend", [pytest.param(each, id=str(each), marks=each.marks) for each in BACKENDS])
def test_while_rights_stay_a_moment_answers_as_it_did_when_it_was_the_present(
    backend: Backend, tmp_path: Path, request: pytest.FixtureRequest
):
    compared, answered = 0, 0
    with backend.options(request) as options:
        for number in range(WORLDS // 2 if backend is BACKENDS[0] else 1):
            author = Author(40 + number, SMALL)
            past = Past.drawn(author, CHANGES, of_rights=False).ageing()
            given: list[tuple[int, Asking, Request, dict[str, Any]]] = []

            def ask(plant: Plant, state: int, author: Author = author, past: Past = past, given: list[Any] = given) -> None:
                requests = Requests(plant, author, lambda: list(past.states[state].papers.values()))
                for _ in range(12 if backend is BACKENDS[0] else 5):
                    asking, drawn = author.asking(), asked(requests, author)
                    then = drawn.send(plant, asking)
                    if then.status_code != 401:  # nobody, or not any more
                        given.append((state, asking, drawn, then.json()))

            with lived(tmp_path / str(number), past, ask, **options) as plant:
                for state, asking, drawn, then in given:
                    for as_of in (past.when(state), then["consistency_token"]):
                        again = found(plant, of(drawn, as_of), asking)
                        assert {name: again.get(name) for name in ASKED} == {name: then.get(name) for name in ASKED}, (state, asking, drawn)
                        compared += len(then.get("hits", then.get("citations", ())))
                        answered += then.get("outcome") == "answered"
    assert compared > 20
    assert answered or backend is not BACKENDS[0]


def test_a_moment_shows_what_was_current_then_and_is_readable_now_and_now_shows_nothing_of_the_past(tmp_path: Path):
    shown = 0
    for number in range(WORLDS):
        author = Author(60 + number, SMALL)
        past = Past.drawn(author, CHANGES, of_rights=True)
        with lived(tmp_path / str(number), past) as plant:
            requests = Requests(plant, author, lambda past=past: [paper for state in past.states for paper in state.papers.values()])  # type: ignore[misc]
            for _ in range(25):
                asking, state, drawn = author.asking(), author.random.randrange(CHANGES + 1), asked(requests, author)
                judged = past.judged(state)
                may_see = words_of([judged.papers[name] for name in readable(judged, asking)])
                told = set(WORD.findall(str(drawn.body)))  # an explanation repeats what was sought
                seen = set(WORD.findall(of(drawn, past.when(state)).send(plant, asking).text)) - told
                assert seen <= may_see, (state, asking, drawn, seen - may_see)
                now = set(WORD.findall(drawn.send(plant, asking).text)) - told
                assert now <= words_of([past.now.papers[name] for name in readable(past.now, asking)])
                shown += len(seen)
            _nothing_is_missing(plant, past, somebody(author, past))
    assert shown > 60


def _nothing_is_missing(plant: Plant, past: Past, asking: Asking) -> None:
    """Each document of a moment is found by its own word, if it may be read now."""
    judged = past.judged(1)
    for name in sorted(readable(judged, asking)):
        word = own_word(judged.papers[name])
        request = Request("POST", "/retrieve", {"query": f'"{word}"', "as_of": past.when(1)})
        assert word in request.send(plant, asking).text


def test_what_is_hidden_now_has_never_been(tmp_path: Path):
    pairs = hits = hidden = 0
    for number in range(WORLDS):
        author = Author(80 + number, SMALL)
        past = Past.drawn(author, CHANGES, of_rights=True)
        asking = somebody(author, past)
        without = past.without_what_is_hidden(asking)
        hidden += sum(len(here.papers) - len(there.papers) for here, there in zip(past.states, without.states, strict=True))
        with lived(tmp_path / f"{number}-with", past) as here, lived(tmp_path / f"{number}-without", without) as there:
            requests = Requests(here, author, lambda past=past: [paper for state in past.states for paper in state.papers.values()])  # type: ignore[misc]
            for _ in range(20):
                drawn = asked(requests, author)
                drawn = of(drawn, past.when(author.random.randrange(-1, CHANGES + 2)))
                one, other = drawn.send(here, asking), drawn.send(there, asking)
                assert comparable(one) == comparable(other), (asking, drawn)
                pairs, hits = pairs + 1, hits + one.text.count('"rank"')
    assert (pairs, hits > pairs, hidden > 30) == (20 * WORLDS, True, True)


def test_that_the_graph_is_left_out_which_knows_nothing_of_the_past_is_said(tmp_path: Path):
    author = Author(7, SMALL)
    past = Past.drawn(author, 1, of_rights=False)
    request, asking = Request("POST", "/retrieve", {"query": "travel budget"}), somebody(author, past)

    with lived(tmp_path, past, graph_weight=0.2) as plant:
        now, then = found(plant, request, asking), found(plant, of(request, past.when(1)), asking)

    assert (now["degraded"], then["degraded"]) == ([], ["graph"])
