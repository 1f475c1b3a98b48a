"""Trials: a request is made, and everything that comes back is searched for what should not be there, and for what should.

A leak is a response that holds a trace of a document which, in none of the states that the world was in between the request's start
and its end, the one who asked could read. In quiet times nothing may be missing either.
"""

import json
import threading
from collections import Counter
from dataclasses import dataclass, field

from httpx import Response

from tests.permissions.changes import Changes
from tests.permissions.oracle import Asking, Paper, may_read, readable
from tests.permissions.plant import Plant
from tests.permissions.recognition import Recogniser, is_shown_rightly
from tests.permissions.requests import Request, Requests
from tests.permissions.timeline import Timeline
from tests.permissions.worlds import Author, own_word

FOLLOWS = 0.02
"""Share of the trials before which a stalled index is brought up to date."""
MAX_FOUND = 20
"""Leaks and the like after which a campaign ends: it has failed."""


@dataclass
class Tally:
    """What was tried and what was found."""

    trials: int = 0
    shown: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    races: int = 0
    leaks: list[str] = field(default_factory=list)
    race_leaks: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    changes: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """What another campaign found comes to this one's."""
        self.trials += other.trials
        self.shown += other.shown
        self.races += other.races
        self.statuses.update(other.statuses)
        self.changes.update(other.changes)
        for mine, theirs in zip(self._found, other._found, strict=True):
            mine.extend(theirs)

    @property
    def _found(self) -> "tuple[list[str], ...]":
        return self.leaks, self.race_leaks, self.missing, self.logged

    @property
    def has_failed(self) -> bool:
        return len(self.leaks) + len(self.missing) + len(self.logged) >= MAX_FOUND


class Trials:
    """Trials in one world. `tally` is shared by the worlds of a campaign.

    With a stalled index, which is brought up to date now and then only, nothing may leak, but something may be missing.
    """

    def __init__(self, plant: Plant, author: Author, tally: Tally, *, stalled: bool = False) -> None:
        self._stalled = stalled
        self.plant = plant
        self.author = author
        self.tally = tally
        self.timeline = Timeline(plant.state)
        self._known: dict[str, Paper] = dict(plant.state.papers)
        self.recogniser = Recogniser(self._known.values())
        self.changes = Changes(plant, author, self.timeline, self.recogniser)
        self.requests = Requests(plant, author, lambda: list(self._known.values()))

    def quiet(self, trials: int) -> None:
        """Nothing changes meanwhile: every answer is compared with what the oracle says, both ways."""
        for _ in range(trials):
            if self.tally.has_failed:
                return
            asking = self.author.asking()
            self._try(asking, self.requests.any())
            if self.author.random.random() < 0.2:
                self._find(asking)
            if self.author.random.random() < 0.05:
                self._list(asking)

    def turbulent(self, trials: int, *, readers: int = 2) -> None:
        """Requests from several threads while the world changes without a pause."""
        stop = threading.Event()
        authors = [Author(self.author.random.getrandbits(32), self.author.size) for _ in range(readers)]
        threads = [threading.Thread(target=self._read_until, args=(stop, author, trials // readers)) for author in authors]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            change = self.changes.any()
            self.changes.make(change)
            self._known.update(change.state.papers)
        stop.set()
        for thread in threads:
            thread.join()
        self._tally_changes()

    def races(self, races: int) -> None:
        """Something is revoked; what is asked from then on shows nothing of it."""
        for _ in range(races):
            if self.tally.has_failed:
                return
            pair = self._readable_pair()
            if pair is None:
                self.changes.make(self.changes.any())
                continue
            asking, paper = pair
            self._warm(asking, paper)
            self.changes.make(self.changes.revoking(asking, paper))
            self.tally.races += 1
            self._ask_for(asking, paper)
            self._put_back(asking, paper)
        self._tally_changes()

    def _read_until(self, stop: threading.Event, author: Author, trials: int) -> None:
        requests = Requests(self.plant, author, lambda: list(self._known.values()))
        for _ in range(trials):
            if stop.is_set() or self.tally.has_failed:
                return
            self._try(author.asking(), requests.any(), quiet=False)

    def _try(self, asking: Asking, request: Request, *, quiet: bool = True) -> Response:
        if self._stalled and self.author.random.random() < FOLLOWS:
            self.plant.follow()
        started = self.timeline.moment()
        response = request.send(self.plant, asking)
        states = self.timeline.between(started, self.timeline.moment())
        self.tally.trials += 1
        self.tally.statuses[response.status_code] += 1
        for trace in self.recogniser.traces(without_echo(response) + str(response.headers)):
            self.tally.shown += 1
            if not is_shown_rightly(trace, states, asking):
                self.tally.leaks.append(f"trial {self.tally.trials}: {asking} was shown {trace} by {request} ({response.status_code})")
        if response.status_code >= 500:
            self.tally.missing.append(f"trial {self.tally.trials}: {request} gave {response.status_code}: {response.text[:200]}")
        if quiet and request.target is not None and request.parameters is None:
            self._check_status(asking, request, response)
        return response

    def _miss(self, what: str) -> None:
        if not self._stalled:
            self.tally.missing.append(f"trial {self.tally.trials}: {what}")

    def _check_status(self, asking: Asking, request: Request, response: Response) -> None:
        assert request.target is not None
        expected = {200} if may_read(self.timeline.now, asking, request.target) else {404, 401}
        if response.status_code not in expected:
            self._miss(f"{asking} got {response.status_code} for {request}, not {expected}")

    def _find(self, asking: Asking) -> None:
        """A word that only one document holds finds it, whenever it may be read."""
        papers = [paper for paper in self.timeline.now.papers.values() if may_read(self.timeline.now, asking, paper.name)]
        if not papers:
            return
        paper = self.author.random.choice(papers)
        response = self._try(asking, Request("POST", "/retrieve", {"query": own_word(paper)}))
        if own_word(paper) not in response.text:
            self._miss(f"{asking} did not find {paper.name} ({response.status_code})")

    def _list(self, asking: Asking) -> None:
        """All pages of the list are exactly what may be read."""
        listed: set[str] = set()
        parameters = {"limit": 50}
        while True:
            response = self._try(asking, Request("GET", "/documents", parameters=parameters))
            if response.status_code != 200:
                break
            listed |= {document["id"] for document in response.json()["documents"]}
            if response.json()["next_cursor"] is None:
                break
            parameters = {"limit": 50, "cursor": response.json()["next_cursor"]}
        now = self.timeline.now
        expected = {self.plant.document_id(now.papers[name]) for name in readable(now, asking)}
        if listed != expected:
            self._miss(f"{asking} was listed {len(listed)} documents, not {len(expected)}")

    def _readable_pair(self) -> tuple[Asking, Paper] | None:
        now = self.timeline.now
        for _ in range(20):
            asking = self.author.asking()
            found = sorted(readable(now, asking))
            if found:
                return asking, now.papers[self.author.random.choice(found)]
        return None

    def _warm(self, asking: Asking, paper: Paper) -> None:
        """Whatever may be remembered of this principal is remembered now."""
        response = self._try(asking, Request("POST", "/retrieve", {"query": own_word(paper)}))
        if own_word(paper) not in response.text:
            self._miss(f"{asking} did not find {paper.name} before the race")

    def _ask_for(self, asking: Asking, paper: Paper) -> None:
        before = len(self.tally.leaks)
        query = {"query": own_word(paper)}
        for request in (
            self.requests.document_of(paper),
            self.requests.entity_of(paper),
            Request("POST", "/retrieve", query),
            Request("POST", "/answer", query | {"include_passages": True}),
            Request("GET", "/documents", parameters={"limit": 50}),
        ):
            if self.author.random.random() < 0.5:
                self._try(asking, request)
        self.tally.race_leaks += self.tally.leaks[before:]

    def _put_back(self, asking: Asking, paper: Paper) -> None:
        """So that there is something to revoke in the next race."""
        for change in self.changes.restoring(asking, paper):
            self.changes.make(change)

    def _tally_changes(self) -> None:
        self.tally.changes.update(self.changes.made)
        self.changes.made.clear()


def without_echo(response: Response) -> str:
    """The body without the words of the query that an explanation repeats: whoever asks has written them."""
    body = response.json() if "json" in response.headers.get("content-type", "") else None
    if not isinstance(body, dict) or "explanation" not in body:
        return response.text
    return json.dumps(body | {"explanation": body["explanation"] | {"terms": [], "phrases": []}}, ensure_ascii=False)
