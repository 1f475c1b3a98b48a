"""Random worlds: documents with words of their own, groups within groups, denials, classes, regions; and what may change in them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.permissions.oracle import Asking, Folder, Paper, Person, State

REGIONS = ("", "", "", "eu", "us")
_WORDS = """
travel expenses report budget meeting lift rope winter service manual contract supplier payment holiday safety inspection
engine customer tender price delivery invoice archive training office river gate counter sensor fish passage ladder concrete
"""
COMMON = _WORDS.split()
"""What documents share, so that every query finds many."""
CODES = [f"ERR-{number}" for number in range(2001, 2013)]
"""Entities that documents share, so that they are neighbours in the knowledge graph."""


@dataclass(frozen=True)
class Size:
    """How large a world is."""

    papers: int = 120
    people: int = 14
    groups: int = 12
    applications: int = 3
    folders: int = 4


class Author:
    """Draws worlds and their parts from one seed. The same seed draws the same world."""

    def __init__(self, seed: int, size: Size | None = None) -> None:
        self.random = random.Random(seed)
        self.size = size or Size()
        self._papers = 0
        self.users = [f"user:u{n}" for n in range(self.size.people)]
        self.groups = [f"group:g{n}" for n in range(self.size.groups)]
        self.applications = [f"app:a{n}" for n in range(self.size.applications)]
        self.folders = [f"folder-{n}" for n in range(self.size.folders)]

    def state(self, *, stale_folders: bool = False) -> State:
        folders = {name: self.folder(may_be_stale=stale_folders) for name in self.folders}
        papers = [self.paper() for _ in range(self.size.papers)]
        people = {who: self.person() for who in (*self.users, *self.applications) if self.random.random() < 0.5}
        groups = {who: frozenset(self.random.sample(self.groups, self.random.randint(0, 3))) for who in (*self.users, *self.applications)}
        nested = {group: frozenset(self.random.sample(self.groups, 1)) for group in self.groups if self.random.random() < 0.5}
        return State(folders, {paper.name: paper for paper in papers}, people, {**groups, **nested})

    def folder(self, *, may_be_stale: bool = False) -> Folder:
        too_old = may_be_stale and self.random.random() < 0.1
        return Folder(self.random.choice((0, 1, 1, 2, 3)), self.random.choice(REGIONS), too_old)

    def person(self) -> Person:
        regions = None if self.random.random() < 0.5 else frozenset(self.random.sample(("eu", "us"), self.random.randint(0, 2)))
        clearance = None if self.random.random() < 0.5 else self.random.randint(0, 3)
        return Person(active=self.random.random() < 0.95, clearance=clearance, regions=regions)

    def paper(self) -> Paper:
        """A new document. Its words are drawn too, so that two worlds of one seed hold the same ones."""
        self._papers += 1
        allowed, denied = self.policy()
        words = {kind: f"z{kind}{self.random.getrandbits(48):012x}" for kind in "tpab"}
        return Paper(
            f"{words['p']}-{self._papers}",
            self.random.choice(self.folders),
            allowed,
            denied,
            words["t"],
            words["p"],
            words["a"],
            self.body(words["b"]),
        )

    def body(self, word: str) -> str:
        """Two or three short passages; the document's own word stands in each."""
        passages = self.random.randint(1, 3)
        return " ".join(
            f"The {' '.join(self.random.choices(COMMON, k=self.random.randint(4, 14)))} {self.code()}{word}." for _ in range(passages)
        )

    def code(self) -> str:
        """In half of the passages one that other documents hold, too."""
        return f"{self.random.choice(CODES)}, " if self.random.random() < 0.5 else ""

    def rewritten(self, paper: Paper) -> Paper:
        """New content with a word of its own; nobody may see the old one any more."""
        return replace(paper, body=self.body(f"zb{self.random.getrandbits(48):012x}"))

    def policy(self) -> tuple[frozenset[str], frozenset[str]]:
        drawn = self.random.random()
        if drawn < 0.05:
            return frozenset(), frozenset()
        allowed = {"everyone"} if drawn < 0.25 else set(self.random.sample((*self.groups, *self.users), self.random.randint(1, 3)))
        if self.random.random() < 0.1:
            allowed.add(self.random.choice(self.applications))
        denied: set[str] = set()
        if self.random.random() < 0.3:
            denied = set(self.random.sample((*self.groups, *self.users, *self.applications), self.random.randint(1, 2)))
        return frozenset(allowed), frozenset(denied)

    def asking(self) -> Asking:
        """A user, an application, or an application for a user."""
        drawn = self.random.random()
        user = None if drawn < 0.1 else self.random.choice(self.users)
        application = self.random.choice(self.applications) if drawn < 0.3 else None
        return Asking(user, application)

    def query(self, papers: Sequence[Paper]) -> str:
        """Common words; every third time with a word of some document, whoever may read that."""
        words = self.random.choices(COMMON, k=self.random.randint(1, 5))
        if papers and self.random.random() < 0.35:
            paper = self.random.choice(papers)
            words.append(self.random.choice((paper.title, paper.path, paper.author, own_word(paper))))
        return " ".join(words)


def own_word(paper: Paper) -> str:
    """The word that only this document's body holds."""
    return next(word for word in paper.body.rstrip(".").split() if word.startswith("zb")).rstrip(".")
