"""A company of 1,260: what `/retrieve` shows an employee is the exact ranking of what the oracle lets them read.

1,000 shortened records, 10 employees and 10 queries each here; `python -m tests.permissions.enterprise.campaign` takes all 7,818
records, whole, 200 employees and 50 queries each.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from retrieval.adapters.qdrant.bm25 import passage_terms
from tests.permissions.enterprise.company import DATA, Company
from tests.permissions.enterprise.comparison import Proof, prepare
from tests.permissions.enterprise.grid import open_grid_embedder
from tests.permissions.enterprise.installation import HeldPassage, Installation, Served
from tests.permissions.enterprise.ranking import ExactRanking
from tests.permissions.enterprise.rule import state_of
from tests.permissions.oracle import Asking, State, readable

pytestmark = [
    pytest.mark.permissions,
    pytest.mark.models,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="EnterpriseBench is not beside this checkout"),
]

RECORDS, CHARACTERS = 1_000, 300


@pytest.fixture(scope="module")
def company() -> Company:
    return Company.read()


@pytest.fixture(scope="module")
def state(company: Company) -> State:
    return state_of(company, company.records)


@pytest.fixture(scope="module")
def installation(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    every = len(company.records) // RECORDS
    few = [replace(record, text=record.text[:CHARACTERS]) for record in company.records[::every][:RECORDS]]
    made = Installation(tmp_path_factory.mktemp("enterprise"), state_of(company, few), open_grid_embedder())
    made.ingest()
    return made


@pytest.fixture(scope="module")
def served(installation: Installation) -> Iterator[Served]:
    with installation.served() as application:
        yield application


@pytest.fixture(scope="module")
def proof(company: Company, installation: Installation) -> Proof:
    return prepare(company, installation, employees=10, per_employee=10, seed=1)


def test_an_employee_is_shown_the_exact_ranking_of_what_they_may_read(proof: Proof, served: Served):
    found = proof.compare(served)

    assert found.differences == []
    assert (found.comparisons, found.hits) == (100, 1_000)
    assert len(set(proof.readable)) > 3


def test_who_has_left_is_refused(proof: Proof, served: Served):
    assert len(proof.left) == 10
    assert proof.shown_to_who_left(served) == []


def test_the_exact_ranking_counts_terms_over_readable_passages_alone():
    texts = {"a": "salmon ladder", "b": "winter gate", "hidden": "salmon salmon river"}
    passages = [HeldPassage(name, name, text, np.eye(3, dtype=np.float32)[n]) for n, (name, text) in enumerate(texts.items())]
    ranking = ExactRanking(passages)

    lexical = ranking.lexical(ranking.readable({"a", "b"}), "salmon")
    shown = ranking.best(ranking.readable({"a", "b"}), "salmon", np.array([0.5, 0.5, 0.0], dtype=np.float32), top_k=10)

    weight = passage_terms("salmon ladder").weights[0]  # both terms stand in it once
    assert lexical == [("a", round(weight * math.log(2), 2))]  # 1 of 2 passages: ln(1 + 1.5 / 1.5)
    assert shown == [("a", 1.0), ("b", 0.45)]  # equal cosines; only a has the word


def test_an_hr_lead_reads_hr_records_but_not_those_of_the_managers_above(company: Company, state: State):
    reporting = [each for each in company.employees.values() if each.department == "HR" and each.level == 12 and not each.has_left]
    lead = next(each for each in reporting if each.manager is not None)

    read = readable(state, Asking(lead.subject))

    assert f"hr-{lead.id}" in read
    assert f"hr-{lead.manager}" not in read
    assert sum(name.startswith("hr-") for name in read) > 1_000


def test_a_beginner_in_engineering_reads_what_is_public_and_internal_only(company: Company, state: State):
    beginner = next(
        each for each in company.employees.values() if each.department == "Engineering" and each.level == 9 and not each.has_left
    )

    read = readable(state, Asking(beginner.subject))

    assert {state.papers[name].folder for name in read} <= {"products", "posts", "profiles", "tickets"}
    assert f"emp-{beginner.manager}" in read
