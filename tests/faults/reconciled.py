"""A source's life at random beside a model of what should be readable: what reconciliation compares.

The model knows texts, readers and rules and nothing of versions, intervals or indexes.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.erasure import ErasureKind, ErasureRequest
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.sources import SourceState
from retrieval.domain.versions import RollbackRequest
from tests.story import MODEL, PUBLIC, Story, allow

KEYS = tuple(f"{name}.md" for name in "abcdef")
POLICIES = (PUBLIC, allow("user:ann"), allow("user:bob", deny=("user:ann",)))
Files = dict[str, tuple[str, AccessPolicy]]


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Model:
    """What readers should see, in a dozen rules.

    Attributes:
        seen: key to text, of what is readable; `policies`: the readers each key was last listed with.
        held: key to the text that is held back; None: its absence is.
        past: revision to what was readable then.
    """

    seen: dict[str, str] = field(default_factory=dict)
    policies: dict[str, AccessPolicy] = field(default_factory=dict)
    held: dict[str, str | None] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    past: dict[int, dict[str, str]] = field(default_factory=dict)

    def synced(self, source: Files) -> None:
        for key, (text, policy) in source.items():
            if key in self.erased:
                continue
            self.policies[key] = policy
            if key in self.held and self.held[key] == text:
                continue
            self.held.pop(key, None)
            self.seen[key] = text
        for key in set(self.seen) - set(source):
            if key not in self.held or self.held[key] is not None:
                del self.seen[key]
        for key in [key for key, text in self.held.items() if text is not None and key not in source]:
            del self.held[key]

    def rolled_back(self, to: int, *, bring_back: bool) -> None:
        then = {key: text for key, text in self.past[to].items() if key not in self.erased}
        for key in set(then) | set(self.seen):
            now, wanted = self.seen.get(key), then.get(key)
            if now == wanted or (now is None and not bring_back):
                continue
            at_source = self.held.get(key, now)
            self.held.pop(key, None)
            if at_source != wanted:
                self.held[key] = at_source
            self.seen.pop(key, None)
            if wanted is not None:
                self.seen[key] = wanted

    def erase(self, key: str) -> None:
        self.erased.add(key)
        for kept in (self.seen, self.policies, self.held):
            kept.pop(key, None)

    @property
    def files(self) -> Files:
        return {key: (text, self.policies[key]) for key, text in sorted(self.seen.items())}


@dataclass
class Life:
    """Random steps, each on the catalog and on the model. A step that crashes is done again, as whoever started it would."""

    story: Story
    drawn: random.Random
    model: Model = field(default_factory=Model)
    source: Files = field(default_factory=dict)
    crashes: int = 0
    erasures: int = 0

    @property
    def catalog(self) -> Catalog:
        return self.story.catalog

    def step(self) -> str:
        """One step. Returns what was done, for whoever has to find out why it went wrong."""
        name, step = self._drawn()
        with crashing(self.catalog, at=self.drawn.randrange(1, 14) if self.drawn.random() < 0.5 else 0, committed=self._coin()) as fault:
            try:
                step()
            except Crash:
                self.crashes += 1
        if fault.fired:
            step()
        return name + (", crashed" if fault.fired else "")

    def _drawn(self) -> tuple[str, Callable[[], None]]:
        """A step with everything drawn, so that it can be done again."""
        changes = {"write": self._write, "move": self._move, "permit": self._permit, "delete": self._delete, "look again": lambda: None}
        name = self.drawn.choice([*changes, "write", "roll back", "roll back", "erase", "pause"])
        if name in changes:
            changes[name]()
            return name, self._sync
        return {"roll back": self._roll_back, "erase": self._erase, "pause": lambda: (name, self._pause)}[name]()

    def _coin(self) -> bool:
        return self.drawn.random() < 0.5

    def _sync(self) -> None:
        self.story.relate(self.story.sync(self.source))
        self.model.synced(self.source)
        self.model.past[self.catalog.revision()] = dict(self.model.seen)

    def _write(self) -> None:
        for key in self.drawn.sample(KEYS, k=2):
            text = f"Text {self.drawn.randrange(6)} of ACME-{self.drawn.randrange(9)}. Shared."
            self.source[key] = (text, self.source[key][1] if key in self.source else self.drawn.choice(POLICIES))

    def _move(self) -> None:
        if self.source:
            old, new = self.drawn.choice(sorted(self.source)), self.drawn.choice(KEYS)
            self.source[new] = self.source.pop(old)

    def _permit(self) -> None:
        for key in sorted(self.source)[:2]:
            self.source[key] = (self.source[key][0], self.drawn.choice(POLICIES))

    def _delete(self) -> None:
        for key in self.drawn.sample(sorted(self.source), k=min(2, len(self.source))):
            del self.source[key]

    def _roll_back(self) -> tuple[str, Callable[[], None]]:
        known = sorted(revision for revision in self.model.past if revision > 0)
        if not known:
            return "nothing", lambda: None
        to, bring_back = self.drawn.choice(known), self._coin()
        request = RollbackRequest(source=self.story.source, revision=to, bring_back=bring_back)

        def go() -> None:
            done = self.catalog.rollback.roll_back(request, model=MODEL, by="user:dana")
            self.model.rolled_back(to, bring_back=bring_back)
            self.model.past[done.revision] = dict(self.model.seen)
            self.story.relate(done.run)

        return f"roll back to {to}{' with what was withdrawn' if bring_back else ''}", go

    def _erase(self) -> tuple[str, Callable[[], None]]:
        known = sorted(set(self.model.policies) - self.model.erased)
        if not known or len(self.model.erased) >= len(KEYS) // 2:
            return "nothing", lambda: None
        key = self.drawn.choice(known)
        self.erasures += 1
        id_, document = f"erasure_{self.erasures}", self.story.document(key)
        request = ErasureRequest(kind=ErasureKind.DOCUMENT, source=self.story.source, document=document, reason="asked for")

        def go() -> None:
            if id_ not in {report.id for report in self.catalog.erasure.reports()}:
                self.catalog.erasure.erase(
                    request, by="user:dana", id_=id_, also={}, sign=lambda report: report, remove_content=lambda _hash: True
                )
            self.model.erase(key)

        return f"erase {key}", go

    def _pause(self) -> None:
        for state in (SourceState.PAUSED, SourceState.ACTIVE):
            self.catalog.sources.set_state(self.story.source, state, by="user:dana")


@dataclass
class Fault:
    """Whether the crash that was waited for has come."""

    fired: bool = False


@contextmanager
def crashing(catalog: Catalog, *, at: int, committed: bool) -> Iterator[Fault]:
    """The process ends in its `at`-th writing transaction from now on, before or after it is `committed`; 0: it does not."""
    fault, database, whole, seen = Fault(), catalog.database, catalog.database.write, 0

    @contextmanager
    def write() -> Iterator[Connection]:
        nonlocal seen
        seen += 1
        is_last = seen == at
        with whole() as connection:
            yield connection
            fault.fired = fault.fired or is_last
            if is_last and not committed:
                raise Crash
        if is_last:
            raise Crash

    database.write = write  # type: ignore[method-assign]
    try:
        yield fault
    finally:
        del database.write  # type: ignore[misc]
