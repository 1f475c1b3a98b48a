"""Worlds with a past: what changed in them, when, and what somebody could read at each moment by the rights of the last."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from retrieval.domain.clock import stamp
from tests.permissions.oracle import Asking, Paper, State, readable
from tests.permissions.plant import Plant, planted
from tests.permissions.worlds import Author

STARTED = datetime(2026, 3, 1, 9, tzinfo=UTC)
BETWEEN = timedelta(hours=1)
"""From one change to the next; half of it is when a moment is asked for."""
AFTERWARDS = timedelta(days=40)
"""From the last change to the present. Permissions are read once more then, or they would be too old."""
MODIFIED, FRESH_DAYS = "2026-02-27", 30
"""Documents that are fresh enough to be relied on in all states, and are not any more afterwards."""
UNASKED = {"graph_weight": 0, "answer_escalation": "never"}
"""What answers of now have and those of a moment have not is left out of both, so that the two can be compared whole."""


@dataclass(frozen=True)
class Past:
    """The states of a world, the first and one after each change."""

    states: tuple[State, ...]

    @classmethod
    def drawn(cls, author: Author, changes: int, *, of_rights: bool) -> "Past":
        """Contents are rewritten, added and deleted; `of_rights`: readers change, too."""
        states = [author.state()]
        for _ in range(changes):
            states.append(_changed(author, states[-1], of_rights=of_rights))
        return cls(tuple(states))

    def ageing(self) -> "Past":
        """The same with documents that become too old in the meantime."""
        return Past(
            tuple(
                replace(
                    state,
                    folders={name: replace(folder, answers={"max_age_days": FRESH_DAYS}) for name, folder in state.folders.items()},
                    papers={name: replace(paper, modified_at=MODIFIED) for name, paper in state.papers.items()},
                )
                for state in self.states
            )
        )

    @property
    def now(self) -> State:
        return self.states[-1]

    def judged(self, number: int) -> State:
        """The documents of one of the states under the rights of the last; a document that is gone by then has the readers it had."""
        last = {name: paper for state in self.states for name, paper in state.papers.items()}
        papers = {
            name: replace(paper, allowed=last[name].allowed, denied=last[name].denied) for name, paper in self.states[number].papers.items()
        }
        return replace(self.now, papers=papers)

    def without_what_is_hidden(self, asking: Asking) -> "Past":
        """As if the documents that the asking may not read now had never been."""
        shown = {name for number in range(len(self.states)) for name in readable(self.judged(number), asking)}
        return Past(
            tuple(replace(state, papers={name: state.papers[name] for name in state.papers if name in shown}) for state in self.states)
        )

    def when(self, number: int) -> str:
        """A time at which this state was the present."""
        return stamp(STARTED + number * BETWEEN + BETWEEN / 2)


@contextmanager
def lived(
    directory: Path, past: Past, meanwhile: Callable[[Plant, int], object] = lambda _plant, _number: None, **options: Any
) -> Iterator[Plant]:
    """The world after all its changes, each made an hour after the one before. `meanwhile` is called in each state."""
    with planted(directory, past.states[0], **(UNASKED | options)) as plant:
        clock: Any = plant.catalog.database.clock
        meanwhile(plant, 0)
        for number, (before, after) in enumerate(zip(past.states, past.states[1:], strict=False), 1):
            clock.at = STARTED + number * BETWEEN
            for folder in sorted({paper.folder for paper in _differing(before, after)} | {_first_folder(past)}):
                plant.sync(folder, after.papers)
            plant.follow()
            meanwhile(plant, number)
        clock.at += AFTERWARDS
        for folder in past.now.folders:
            plant.list_again(folder, past.now.papers)
        yield plant


def _first_folder(past: Past) -> str:
    """Listed at each change, so that worlds in which nothing changes have the same times."""
    return min(past.states[0].folders)


def _differing(before: State, after: State) -> list[Paper]:
    names = before.papers.keys() | after.papers.keys()
    return [after.papers.get(name) or before.papers[name] for name in names if before.papers.get(name) != after.papers.get(name)]


def _changed(author: Author, state: State, *, of_rights: bool) -> State:
    drawn = author.random
    for paper in drawn.sample(sorted(state.papers.values(), key=lambda paper: paper.name), k=max(1, len(state.papers) // 6)):
        match drawn.randint(1, 5 if of_rights else 3):
            case 1:
                state = state.without_paper(paper.name)
            case 2:
                state = state.with_paper(author.paper())
            case 3:
                state = state.with_paper(author.rewritten(paper))
            case _:
                allowed, denied = author.policy()
                state = state.with_paper(replace(paper, allowed=allowed, denied=denied))
    return state


def words_of(papers: Sequence[Paper]) -> set[str]:
    """Every word by which these would be recognised, in these contents."""
    return {
        word
        for paper in papers
        for word in (paper.title, paper.path, paper.author, *paper.body.replace(",", " ").replace(".", " ").split())
    }
