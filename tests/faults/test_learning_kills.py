"""A process that learns is killed anywhere: what it learned is whole, and whoever goes on learns the rest, each once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.domain.answers import Reason
from retrieval.domain.clock import SystemClock
from retrieval.domain.escalations import EscalationDraft
from retrieval.domain.permissions import Principal
from retrieval.domain.reviews import Decision, Rejection
from retrieval.services import Services
from retrieval.settings import Settings
from tests.faults.learner import BATCH, learner_of
from tests.story import Story

TRIALS = int(os.environ.get("ARCHIVIST_TEST_LEARNING_KILLS", "3"))
DECISIONS = 40


def test_each_decision_is_learned_from_once_however_often_the_learner_is_killed(tmp_path: Path):
    settings = Settings(data_directory=tmp_path, escalation_max_pending=DECISIONS)
    catalog = open_catalog(settings)
    Story(catalog)
    services = Services(settings=settings, catalog=catalog, knowledge=None)  # type: ignore[arg-type]
    rita, decided = Principal("rita"), set()
    for number in range(DECISIONS):
        draft = EscalationDraft(f"What of subject {number}?", (Reason.LOW_CONFIDENCE,), sources=("handbook",))
        opened = services.escalations.open(Principal("ann"), draft)
        claimed = services.reviews.claim(rita, opened.id, expected=opened.version)
        services.reviews.decide(rita, opened.id, Decision(Rejection("nothing"), knowledge_gap="a page"), expected=claimed.version)
        decided.add(opened.id)
    draw, killed = random.Random(5), 0
    for _ in range(TRIALS):
        child = subprocess.Popen([sys.executable, "-m", "tests.faults.learner", str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0, 0.05))
        child.send_signal(signal.SIGKILL)
        killed += child.wait() == -signal.SIGKILL
        child.stdout.close()
        position = catalog.learning.lessons.progress()
        learned = {gap.about for gap in catalog.learning.gaps.of(["handbook"], month=f"{SystemClock().now():%Y-%m}", most=999)}
        assert len(learned) % BATCH in (0, DECISIONS % BATCH)
        assert bool(learned) == bool(position)

    learner = learner_of(settings, catalog)
    learner.learn()

    found = [gap.about for gap in catalog.learning.gaps.of(["handbook"], month=f"{SystemClock().now():%Y-%m}", most=999)]
    assert sorted(found) == sorted(decided)
    assert killed > 0
    assert learner.learn() == 0
    catalog.close()
