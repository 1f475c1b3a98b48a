"""What employees are shown against what the exact ranking shows of what the oracle lets them read."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.permissions.enterprise.company import Company, Employee
from tests.permissions.enterprise.grid import GridEmbedder
from tests.permissions.enterprise.installation import Installation, Served, document_of
from tests.permissions.enterprise.questions import questions
from tests.permissions.enterprise.ranking import ExactRanking, Ranked
from tests.permissions.oracle import Asking, State, readable

TOP_K = 10
MAX_REPORTED = 20


@dataclass(frozen=True)
class Asked:
    """One question of one employee, with the only right answer."""

    asking: Asking
    query: str
    expected: Ranked


@dataclass
class Comparison:
    """Responses that were not the expected ones: `differing` of all, `other_hits` with other passages. The first few are described."""

    comparisons: int = 0
    hits: int = 0
    differing: int = 0
    other_hits: int = 0
    differences: list[str] = field(default_factory=list)

    def take(self, asked: Asked, shown: Ranked | int) -> None:
        self.comparisons += 1
        self.hits += len(asked.expected)
        if shown == asked.expected:
            return
        self.differing += 1
        self.other_hits += isinstance(shown, int) or {passage for passage, _ in shown} != {passage for passage, _ in asked.expected}
        if len(self.differences) < MAX_REPORTED:
            self.differences.append(f"{asked.asking.user} asks {asked.query!r}:\n  shown    {shown}\n  expected {asked.expected}")


@dataclass(frozen=True)
class Proof:
    """Everything that is asked, worked out before anything is asked. `readable`: how many passages each of those who ask may read."""

    asked: tuple[Asked, ...]
    readable: tuple[int, ...]
    left: tuple[Employee, ...]

    def compare(self, served: Served, *, share: int = 1) -> Comparison:
        """Ask every `share`-th question."""
        found = Comparison()
        for asked in self.asked[::share]:
            found.take(asked, served.retrieve(asked.asking, asked.query))
        return found

    def shown_to_who_left(self, served: Served) -> list[str]:
        """Employees who have left and were not refused."""
        statuses = {each.id: served.retrieve(Asking(each.subject), each.name) for each in self.left}
        return [name for name, status in statuses.items() if status != 401]


def prepare(company: Company, installation: Installation, *, employees: int, per_employee: int, seed: int, left: int = 10) -> Proof:
    """Draw who asks and what, and rank for each what the oracle lets them read."""
    drawn = random.Random(seed)
    everybody = sorted(company.employees.values(), key=lambda each: each.id)
    asking = drawn.sample([each for each in everybody if not each.has_left], employees)
    gone = drawn.sample([each for each in everybody if each.has_left], left)
    ranking = ExactRanking(list(installation.passages()))
    state, embedder = installation.state, installation.embedder
    sheets = [_sheet(state, ranking, embedder, each, count=per_employee, seed=seed) for each in asking]
    asked = tuple(one for sheet, _ in sheets for one in sheet)
    return Proof(asked, tuple(passages for _, passages in sheets), tuple(gone))


def _sheet(
    state: State, ranking: ExactRanking, embedder: GridEmbedder, employee: Employee, *, count: int, seed: int
) -> tuple[Sequence[Asked], int]:
    """What one employee asks, and how many passages they may read."""
    asking = Asking(employee.subject)
    names = readable(state, asking)
    mask = ranking.readable({document_of(state.papers[name]) for name in names})
    queries = questions(list(state.papers.values()), names, count=count, seed=f"{seed} {employee.id}")
    asked = [Asked(asking, query, ranking.best(mask, query, embedder.embed_query(query), top_k=TOP_K)) for query in queries]
    return asked, int(mask.sum())
