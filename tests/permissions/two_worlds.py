"""A document that may not be read does not exist: the same request in a world with it and in one without it gets the same bytes.

Excepted are the request's id, the times of the steps, the date and the consistency token, which is encrypted anew each time.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from httpx import Response

from tests.permissions.oracle import Asking, State, readable
from tests.permissions.plant import planted
from tests.permissions.requests import Request, Requests
from tests.permissions.worlds import Author, Size

PAIRS_PER_WORLD = 50
ESCALATION = re.compile(r"\besc_\w+")
"""An escalation's id is drawn at random."""
OF_NO_ACCOUNT = {"x-request-id", "server-timing", "date"}


@dataclass
class Comparison:
    """How many pairs were compared, and which differed."""

    pairs: int = 0
    differences: list[str] = field(default_factory=list)
    hidden: int = 0
    """Documents that the second worlds lack."""
    hits: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    """Of answers: what became of the question, why, and whether what was found contradicts itself."""

    def add(self, other: "Comparison") -> None:
        self.pairs += other.pairs
        self.differences += other.differences
        self.hidden += other.hidden
        self.hits += other.hits
        self.statuses.update(other.statuses)
        self.outcomes.update(other.outcomes)


def compare_worlds(
    directory: Path,
    *,
    seed: int,
    pairs: int,
    size: Size | None = None,
    reading_much: bool = False,
    ask: Callable[[Requests], Request] = Requests.any,
    drawn_by: Callable[[int, Size | None], Author] = Author,
    **options: Any,
) -> Comparison:
    """Pairs of worlds, each for one who asks; `PAIRS_PER_WORLD` requests in each pair, drawn by `ask`.

    Each world is `drawn_by` an author. Who asks is somebody, with `reading_much` who reads most in the world, short of everything.
    The options are `planted`'s.
    """
    found = Comparison()
    number = 0
    while found.pairs < pairs:
        author = drawn_by(seed + number, size)
        state = author.state()
        asking = _who_reads_most(author, state) if reading_much else _somebody(author, state)
        without = replace(state, papers={name: state.papers[name] for name in sorted(readable(state, asking))})
        found.hidden += len(state.papers) - len(without.papers)
        with (
            planted(directory / f"{number}-with", state, **options) as here,
            planted(directory / f"{number}-without", without, **options) as there,
        ):
            wanted = min(PAIRS_PER_WORLD, pairs - found.pairs)
            requests = Requests(here, author, partial(list, state.papers.values()))
            for request in [ask(requests) for _ in range(wanted)]:
                _compare(request.send(here, asking), request.send(there, asking), found, label=f"seed {seed + number}, {asking}, {request}")
        number += 1
    return found


def _compare(here: Response, there: Response, found: Comparison, *, label: str) -> None:
    found.pairs += 1
    found.statuses[here.status_code] += 1
    found.hits += here.text.count('"rank"')
    found.outcomes.update(_outcomes(here))
    if comparable(here) != comparable(there):
        found.differences.append(f"pair {found.pairs}, {label}:\n  {comparable(here)}\n  {comparable(there)}")


def _outcomes(response: Response) -> list[str]:
    body = response.json() if "json" in response.headers.get("content-type", "") else None
    if not isinstance(body, dict) or "outcome" not in body:
        return []
    return [body["outcome"], *([body["reason_code"]] if body["reason_code"] else []), *(["conflict"] if body["conflicts"] else [])]


def comparable(response: Response) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, without what differs each time."""
    headers = {name: value for name, value in response.headers.items() if name not in OF_NO_ACCOUNT}
    return response.status_code, headers, _without_tokens(response.text, response)


def _without_tokens(text: str, response: Response) -> str:
    """The body with its request id and tokens cut out, and nothing else changed. Their length stays: it must not differ either."""
    if "json" not in response.headers.get("content-type", ""):
        return text
    body = json.loads(text)
    for holder in (body, body.get("as_of")) if isinstance(body, dict) else ():
        for name in ("request_id", "consistency_token", "next_cursor"):
            if isinstance(holder, dict) and isinstance(holder.get(name), str):
                text = text.replace(holder[name], "*" * len(holder[name]))
    return ESCALATION.sub(lambda id_: "*" * len(id_.group()), text)


def _somebody(author: Author, state: State) -> Asking:
    """Somebody who may read some documents, and not all."""
    for _ in range(200):
        asking = author.asking()
        if 0 < len(readable(state, asking)) < len(state.papers):
            return asking
    raise AssertionError("nobody in this world reads some documents and not all")


def _who_reads_most(author: Author, state: State) -> Asking:
    read = {asking: len(readable(state, asking)) for asking in (author.asking() for _ in range(100))}
    return max((asking for asking, count in read.items() if count < len(state.papers)), key=read.__getitem__)
