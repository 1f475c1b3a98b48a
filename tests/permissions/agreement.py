"""The catalog and the oracle asked the same questions about random worlds, very often."""

from dataclasses import dataclass, field
from pathlib import Path

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.settings import Settings
from tests.permissions import oracle
from tests.permissions.askings import principal_of
from tests.permissions.oracle import Asking
from tests.permissions.policies import PlantedPolicies
from tests.permissions.worlds import Author, Size

SIZE = Size(papers=400, people=40, groups=25, applications=5, folders=6)
MAX_REPORTED = 20


@dataclass
class Agreement:
    """A case is one who asks and one document."""

    cases: int = 0
    readable: int = 0
    disagreements: list[str] = field(default_factory=list)


def agree(catalog: Catalog, *, seed: int, cases: int) -> Agreement:
    """One world after the other in the same catalog, until there were as many cases."""
    found = Agreement()
    while found.cases < cases and len(found.disagreements) < MAX_REPORTED:
        author = Author(seed, SIZE)
        state = author.state(stale_folders=True)
        planted = PlantedPolicies(catalog, state)
        for asking in everybody(author):
            mine, theirs = planted.readable(principal_of(asking)), oracle.readable(state, asking)
            found.cases += len(state.papers)
            found.readable += len(theirs)
            if mine != theirs:
                wrong = f"product only {sorted(mine - theirs)}, oracle only {sorted(theirs - mine)}"
                found.disagreements.append(f"seed {seed}, case {found.cases}, {asking}: {wrong}")
        planted.clear()
        seed += 1
    return found


def count_agreements(directory: Path, *, seed: int, cases: int) -> tuple[int, list[str]]:
    """In a catalog of its own."""
    catalog = open_catalog(Settings(data_directory=directory))
    try:
        found = agree(catalog, seed=seed, cases=cases)
    finally:
        catalog.close()
    return found.cases, found.disagreements


def everybody(author: Author) -> list[Asking]:
    """Each user by token and limited key, each application alone, each user through an application."""
    by_token = [Asking(user, None, frozenset(author.random.sample(author.groups, 2)), _some(author)) for user in author.users]
    alone = [Asking(None, application) for application in author.applications]
    through = [Asking(user, author.random.choice(author.applications)) for user in author.users]
    return by_token + alone + through


def _some(author: Author) -> frozenset[str] | None:
    return None if author.random.random() < 0.7 else frozenset(author.random.sample(author.folders, 2))
