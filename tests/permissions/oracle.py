"""Who may read what, said a second time: naively, and without a line of the product.

It imports the standard library only (a test sees to that). Where this and the product disagree, one of the two is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED = 0, 1, 2, 3
EVERYBODY = "everyone"


@dataclass(frozen=True)
class Folder:
    """A source: what limits the readers of all its documents, and what its owner says of answers."""

    sensitivity: int = INTERNAL
    region: str = ""
    permissions_too_old: bool = False
    answers: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Paper:
    """A document and the four words by which it would be recognised anywhere: nothing else holds them."""

    name: str
    folder: str
    allowed: frozenset[str]
    denied: frozenset[str]
    title: str
    path: str
    author: str
    body: str
    modified_at: str = ""
    """A date; empty: not told."""


@dataclass(frozen=True)
class Person:
    """What the directory says of a user or an application."""

    active: bool = True
    clearance: int | None = None
    regions: frozenset[str] | None = None


@dataclass(frozen=True)
class Asking:
    """Who asks: a user, an application, or an application for a user."""

    user: str | None = None
    application: str | None = None
    vouched_groups: frozenset[str] = frozenset()
    only_folders: frozenset[str] | None = None


@dataclass(frozen=True)
class State:
    """The whole world at one moment. `groups` maps a member to the groups it is in directly."""

    folders: Mapping[str, Folder]
    papers: Mapping[str, Paper]
    people: Mapping[str, Person] = field(default_factory=dict)
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def with_paper(self, paper: Paper) -> "State":
        return replace(self, papers={**self.papers, paper.name: paper})

    def without_paper(self, name: str) -> "State":
        return replace(self, papers={other: paper for other, paper in self.papers.items() if other != name})


def may_read(state: State, asking: Asking, name: str) -> bool:  # noqa: PLR0911 - one exit for each question
    """The rule, question by question."""
    paper = state.papers.get(name)
    if paper is None:
        return False
    folder = state.folders[paper.folder]
    if folder.permissions_too_old:
        return False
    if asking.only_folders is not None and paper.folder not in asking.only_folders:
        return False
    for who in (asking.user, asking.application):
        if who is None:
            continue
        person = state.people.get(who, Person())
        if not person.active:
            return False
        if folder.sensitivity > (RESTRICTED if person.clearance is None else person.clearance):
            return False
        if folder.region and person.regions is not None and folder.region not in person.regions:
            return False
        for identity in identities(state, who, asking.vouched_groups if who == asking.user else frozenset()):
            if identity in paper.denied:
                return False
    if asking.user is None:
        return folder.sensitivity <= INTERNAL and EVERYBODY in paper.allowed
    return any(identity in paper.allowed for identity in identities(state, asking.user, asking.vouched_groups))


def identities(state: State, who: str, vouched: frozenset[str]) -> set[str]:
    """Everything that somebody counts as: themselves, everybody, and group after group."""
    found: set[str] = set()
    ahead = [who, EVERYBODY, *vouched]
    while ahead:
        one = ahead.pop()
        if one in found:
            continue
        found.add(one)
        ahead.extend(state.groups.get(one, ()))
    return found


def readable(state: State, asking: Asking) -> set[str]:
    """Every document that may be read."""
    return {name for name in state.papers if may_read(state, asking, name)}
