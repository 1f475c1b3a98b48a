"""How long a question waits for curated answers: `python -m tests.benchmarks.curated [ANSWERS]`, 10,000 by default.

A catalog of its own on disk, vectors of 384 random numbers; each question is asked of what is in memory and then opened at the gate.
"""

import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from retrieval.adapters.catalog.catalog import open_catalog
from retrieval.adapters.curated_memory import CuratedMemory
from retrieval.domain.clock import SystemClock
from retrieval.domain.curated import CuratedDraft
from retrieval.domain.ids import text_hash
from retrieval.ports.learning import Lesson
from retrieval.ports.models import Vectors
from retrieval.settings import Settings
from tests.api.conftest import FakeEmbedder
from tests.curated import quoting
from tests.story import ANN, PUBLIC, Story

DOCUMENTS = 50
ASKED = 400


class RandomEmbedder(FakeEmbedder):
    """Each text has a random vector of its own."""

    model = "random@1"
    dimensions = 384

    def embed_query(self, text: str) -> Vectors:
        drawn = np.random.default_rng(int(text_hash(text)[:8], 16)).normal(size=self.dimensions).astype(np.float32)
        return drawn / np.linalg.norm(drawn)


def main(answers: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        catalog = open_catalog(Settings(data_directory=Path(directory)))
        story = Story(catalog)
        story.sync({f"{n}.md": (f"Document {n} says so. And more.", PUBLIC) for n in range(DOCUMENTS)})
        drafts = [quoting(story, f"{n}.md", reader=ANN) for n in range(DOCUMENTS)]
        questions = [f"What is rule {n} of team {n % 97} about?" for n in range(answers)]
        lessons = [Lesson(_asking(drafts[n % DOCUMENTS], question, n), ()) for n, question in enumerate(questions)]
        catalog.learning.lessons.learn(lessons, expires_at=SystemClock().now() + timedelta(days=7), progress="")
        embedder = RandomEmbedder()
        memory = CuratedMemory(catalog.learning.feed, embedder, SystemClock(), min_similarity=0.8, min_overlap=0.85)
        started = time.perf_counter()
        memory.refresh()
        print(f"{answers} curated answers loaded and embedded in {time.perf_counter() - started:.1f} s")
        scope = catalog.gate.scope(ANN)
        found, opened = [], []
        for number in range(ASKED):
            question = questions[(number * 7) % answers]
            vector = embedder.embed_query(question)
            started = time.perf_counter()
            [match] = memory.nearest(scope, question, vector, model=embedder.model)
            found.append(time.perf_counter() - started)
            started = time.perf_counter()
            assert catalog.learning.shown.open(ANN, match.curated).is_intact
            opened.append(time.perf_counter() - started)
        for name, seconds in (("nearest", found), ("open at the gate", opened)):
            p50, p99 = np.percentile(np.array(seconds) * 1000, [50, 99])
            print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, least {min(seconds) * 1000:.2f} ms")
        catalog.close()


def _asking(draft: CuratedDraft, question: str, number: int) -> CuratedDraft:
    return replace(draft, question=question, escalation=f"esc_{number}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
