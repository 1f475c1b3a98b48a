"""What happens to a world while people ask: permissions, memberships, people, sources and contents change."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.permissions.oracle import Asking, Paper, Person, State
from tests.permissions.plant import Plant
from tests.permissions.recognition import Recogniser
from tests.permissions.timeline import Timeline
from tests.permissions.worlds import Author


@dataclass(frozen=True)
class Change:
    """From one state to the next, and how the product is told."""

    name: str
    state: State
    tell: Callable[[], object]


class Changes:
    """Draws changes and makes them, one at a time."""

    def __init__(self, plant: Plant, author: Author, timeline: Timeline, recogniser: Recogniser) -> None:
        self._plant = plant
        self._author = author
        self._timeline = timeline
        self._recogniser = recogniser
        self.made: dict[str, int] = {}

    def make(self, change: Change) -> None:
        """Returns when the product has acknowledged it."""
        with self._plant.changing, self._timeline.changing_to(change.state):
            change.tell()
        self.made[change.name] = self.made.get(change.name, 0) + 1

    def any(self) -> Change:
        drawn = self._author.random
        state = self._timeline.now
        kind = drawn.choices(
            (self._regrant, self._membership, self._person, self._folder, self._rewrite, self._delete, self._add), (6, 4, 3, 1, 2, 1, 1)
        )
        return kind[0](state)

    def revoking(self, asking: Asking, paper: Paper) -> Change:
        """Something after which the asking may not read the document any more."""
        state, drawn = self._timeline.now, self._author.random
        who = asking.user or asking.application
        assert who is not None
        return drawn.choice(
            (
                lambda: self._with_policy(state, replace(paper, denied=paper.denied | {who}), "deny"),
                lambda: self._with_policy(state, replace(paper, allowed=frozenset()), "allow nobody"),
                lambda: self._with_person(state, who, Person(active=False)),
                lambda: self._lower_clearance(state, who, paper),
                lambda: self._without(state, paper),
                lambda: self._denied_group(state, who, paper),
            )
        )()

    def restoring(self, asking: Asking, paper: Paper) -> list[Change]:
        """What it takes for the asking to be as it was before the revocation, and the document to be there."""
        changes, state = [], self._timeline.now
        for who in (asking.user, asking.application):
            if who is not None and state.people.get(who, Person()) != Person():
                changes.append(self._with_person(state, who, Person()))
                state = changes[-1].state
        if state.papers.get(paper.name) != paper:
            changes.append(self._with_content(state, paper, "restore"))
        return changes

    def _regrant(self, state: State) -> Change:
        paper = self._some_paper(state)
        allowed, denied = self._author.policy()
        return self._with_policy(state, replace(paper, allowed=allowed, denied=denied), "regrant")

    def _membership(self, state: State) -> Change:
        drawn = self._author.random
        member = drawn.choice((*self._author.users, *self._author.applications, *self._author.groups))
        groups = frozenset(drawn.sample(self._author.groups, drawn.randint(0, 3)))
        after = replace(state, groups={**state.groups, member: groups})
        return Change("membership", after, lambda: self._plant.put_in_groups(member, groups))

    def _person(self, state: State) -> Change:
        return self._with_person(
            state, self._author.random.choice((*self._author.users, *self._author.applications)), self._author.person()
        )

    def _folder(self, state: State) -> Change:
        name, folder = self._author.random.choice(self._author.folders), self._author.folder()
        return Change("folder", replace(state, folders={**state.folders, name: folder}), lambda: self._plant.register(name, folder))

    def _rewrite(self, state: State) -> Change:
        return self._with_content(state, self._author.rewritten(self._some_paper(state)), "rewrite")

    def _add(self, state: State) -> Change:
        return self._with_content(state, self._author.paper(), "add")

    def _delete(self, state: State) -> Change:
        return self._without(state, self._some_paper(state))

    def _some_paper(self, state: State) -> Paper:
        return self._author.random.choice(list(state.papers.values()))

    def _with_policy(self, state: State, paper: Paper, name: str) -> Change:
        after = state.with_paper(paper)
        return Change(name, after, lambda: self._plant.list_again(paper.folder, after.papers))

    def _with_person(self, state: State, who: str, person: Person) -> Change:
        return Change("person", replace(state, people={**state.people, who: person}), lambda: self._plant.enter(who, person))

    def _with_content(self, state: State, paper: Paper, name: str) -> Change:
        self._recogniser.learn(paper)
        after = state.with_paper(paper)
        return Change(name, after, lambda: self._plant.sync(paper.folder, after.papers))

    def _without(self, state: State, paper: Paper) -> Change:
        after = state.without_paper(paper.name)
        return Change("delete", after, lambda: self._plant.sync(paper.folder, after.papers))

    def _lower_clearance(self, state: State, who: str, paper: Paper) -> Change:
        sensitivity = state.folders[paper.folder].sensitivity
        person = Person(clearance=sensitivity - 1) if sensitivity else Person(active=False)
        return self._with_person(state, who, person)

    def _denied_group(self, state: State, who: str, paper: Paper) -> Change:
        """A group that the document denies takes the one who asks in."""
        if not any(denied.startswith("group:") for denied in paper.denied):
            return self._with_person(state, who, Person(active=False))
        group = sorted(denied for denied in paper.denied if denied.startswith("group:"))[0]
        groups = state.groups.get(who, frozenset()) | {group}
        return Change("denied group", replace(state, groups={**state.groups, who: groups}), lambda: self._plant.put_in_groups(who, groups))
