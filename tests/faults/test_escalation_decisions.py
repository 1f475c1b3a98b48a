"""Double clicks and kills: every question is decided exactly once and delivered once, and the audit log says so.

`ARCHIVIST_TEST_DECISIONS` sets how many are decided under each (40).
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select

from retrieval.adapters.catalog.catalog import Catalog, open_catalog
from retrieval.adapters.catalog.tables import audit, deliveries, escalation_events, verdicts
from retrieval.domain.audit import START, AuditRecord, chained
from retrieval.domain.errors import Conflict
from retrieval.domain.escalations import EscalationState, ResolutionKind
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import Decision, QueueEntry
from retrieval.settings import Settings
from tests.desk import EVE, Desk, DeskClock
from tests.faults.escalation_decider import AT, DECISIONS
from tests.story import ANN

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TRIALS = int(os.environ.get("ARCHIVIST_TEST_DECISIONS", "20"))
AT_ONCE = 10
"""Questions that the processes of one kill decide."""
ROOT = Path(__file__).parent.parent.parent
ABROAD = "Abroad for 30 days."


@pytest.fixture
def desk(catalog_url: str) -> Iterator[Desk]:
    clock = DeskClock(AT)
    settings = Settings(catalog_url=catalog_url, escalation_max_pending=10_000)
    catalog = open_catalog(settings, clock=clock)
    desk = Desk(catalog, clock, settings)
    desk.furnish()
    yield desk
    catalog.close()


def claimed(desk: Desk, number: int) -> QueueEntry:
    opened = desk.opened(ABROAD, question=f"question {number}")
    return desk.reviewing.claim(EVE, opened.id, expected=1)


def check(catalog: Catalog, decided: list[str]) -> None:
    """One decision, one verdict, one delivery of each answer, one record of each; and the chain is whole."""
    with catalog.database.read() as connection:
        lines = connection.execute(select(escalation_events.c.escalation, escalation_events.c.what)).all()
        told = Counter(connection.scalars(select(deliveries.c.escalation).where(deliveries.c.channel == "poll")))
        judged = Counter(connection.scalars(select(verdicts.c.about)))
        rows = connection.execute(select(audit.c.seq, audit.c.prev_hash, audit.c.hash, audit.c.record).order_by(audit.c.seq)).all()
    records = [AuditRecord(row.seq, bytes(row.prev_hash), bytes(row.hash), row.record) for row in rows]
    escalations = {id_: catalog.escalations.get(id_) for id_ in decided}
    answered = {id_ for id_, each in escalations.items() if each.state is EscalationState.ANSWERED}

    assert {each.state for each in escalations.values()} <= {EscalationState.ANSWERED, EscalationState.REJECTED}
    assert all((each.resolution.kind is ResolutionKind.APPROVED) == (id_ in answered) for id_, each in escalations.items())
    assert Counter(line.escalation for line in lines if line.what == "decided") == Counter(decided)
    assert Counter(line.escalation for line in lines if line.what == "delivered") == Counter(answered)
    assert told == Counter(answered)
    assert judged == Counter(decided)
    assert named(records, "escalation.decided") == Counter(decided)
    assert named(records, "escalation.delivered") == Counter(answered)
    end = START
    for record in records:
        assert (record.prev_hash, chained(end, record.record)) == (end, record.hash)
        end = record.hash


def named(records: list[AuditRecord], action: str) -> Counter[str]:
    kept = [json.loads(record.record) for record in records]
    return Counter(record["details"]["escalation"] for record in kept if record["action"] == action)


def test_double_clicks_decide_and_deliver_once(desk: Desk):
    """The same decision twice, or two different ones at once; then the answer is fetched twice at once."""
    ids = []
    with ThreadPoolExecutor(4) as pool:
        for trial in range(TRIALS):
            entry = claimed(desk, trial)
            clicks = [DECISIONS["approve"], DECISIONS["approve" if trial % 2 else "reject"], DECISIONS["approve"]]
            begin = Barrier(len(clicks))

            outcomes = list(pool.map(lambda decision, e=entry, b=begin: clicked(desk, e, decision, b), clicks))
            list(pool.map(lambda _, e=entry: desk.asking.poll(ANN, e.id), range(3)))

            assert sorted(outcomes) == ["conflict", "conflict", "decided"]
            ids.append(entry.id)

    check(desk.catalog, ids)


def clicked(desk: Desk, entry: QueueEntry, decision: Decision, begin: Barrier) -> str:
    begin.wait()
    try:
        desk.reviewing.decide(EVE, entry.id, decision, expected=entry.version)
    except Conflict:
        return "conflict"
    return "decided"


def test_questions_are_claimed_by_one_of_many(desk: Desk):
    for trial in range(TRIALS // 4):
        opened = desk.opened(ABROAD, question=f"question {trial}")
        reviewers = [Principal(f"reviewer{number}", groups=frozenset({"group:desk"})) for number in range(4)]
        begin = Barrier(len(reviewers))

        def claim(reviewer: Principal, id_: str = opened.id, begin: Barrier = begin) -> bool:
            begin.wait()
            with suppress(Conflict):
                desk.reviewing.claim(reviewer, id_, expected=1)
                return True
            return False

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(claim, reviewers)) == 1


def test_one_of_many_askings_at_once_opens_the_escalation(desk: Desk):
    for trial in range(TRIALS // 4):
        draft = desk.draft(ABROAD, question=f"question {trial}")
        with ThreadPoolExecutor(4) as pool:
            opened = list(pool.map(lambda _, d=draft: desk.asking.open(ANN, d).id, range(4)))
        assert len(set(opened)) == 1


def test_killed_processes_leave_every_question_decided_once(desk: Desk, catalog_url: str):
    """Two processes decide the same questions differently and are killed at any moment; whoever comes after decides the rest."""
    draw, ids = random.Random(11), []
    for trial in range(max(1, TRIALS // AT_ONCE)):
        entries = [claimed(desk, trial * AT_ONCE + number) for number in range(AT_ONCE)]
        ids += [entry.id for entry in entries]

        race_and_be_killed(catalog_url, [entry.id for entry in entries], seconds=draw.uniform(0, 0.6))
        for entry in entries:
            with suppress(Conflict):
                desk.reviewing.decide(EVE, entry.id, DECISIONS["approve"], expected=entry.version)
            desk.asking.poll(ANN, entry.id)

        check(desk.catalog, ids)


def race_and_be_killed(url: str, ids: list[str], *, seconds: float) -> None:
    command = [sys.executable, "-m", "tests.faults.escalation_decider", url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [subprocess.Popen([*command, decision, *ids], cwd=ROOT, stdout=subprocess.PIPE, env=environment) for decision in DECISIONS]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    time.sleep(seconds)
    for process in processes:
        process.kill()
    for process in processes:
        process.communicate()
