"""What `archivist eval run` does: asks, measures, keeps, and draws."""

import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import structlog
from rich.console import Console

from retrieval.bootstrap import Service, open_catalog, open_embedder, open_service
from retrieval.domain.clock import SystemClock
from retrieval.domain.errors import InvalidInput
from retrieval.domain.evaluations import Evaluation
from retrieval.evaluation.asking import Mistake, ask_all, sift
from retrieval.evaluation.environment import environment
from retrieval.evaluation.golden import GoldenQuestion, read_golden
from retrieval.evaluation.judged import Split
from retrieval.evaluation.keeping import collection_hash, keep
from retrieval.evaluation.measuring import check_peers, measure
from retrieval.evaluation.page import render
from retrieval.evaluation.peers.asking import processes
from retrieval.evaluation.results import Measured
from retrieval.evaluation.run import PEER_PROCESSES, shown_progress
from retrieval.evaluation.vectors import VectorCache
from retrieval.settings import Settings


class Evaluating:
    """One call of the command.

    Attributes:
        kept: what was measured, as it was kept.
        mistakes: of golden questions.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._console = Console(stderr=True)
        quiet = structlog.make_filtering_bound_logger("warning")
        structlog.configure(wrapper_class=quiet, logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is for figures
        self._measured: list[Measured] = []
        self.kept: list[Evaluation] = []
        self.mistakes: list[Mistake] = []

    def golden(self, files: Sequence[Path]) -> None:
        """Ask this installation the questions of each file, once every file has been read. Raises InvalidInput."""
        read = [(file.stem, read_golden(file, self._settings)) for file in files]
        if not read:
            return
        with closing(open_catalog(self._settings)) as catalog:
            sifted = [(name, sift(questions, catalog.documents, catalog.evaluations)) for name, questions in read]
        self.mistakes = [mistake for _, (_, mistakes) in sifted for mistake in mistakes]
        with open_service(self._settings, private_index=True) as service:
            for name, (questions, _) in sifted:
                self._ask(name, questions, service)

    def _ask(self, name: str, questions: Sequence[GoldenQuestion], service: Service) -> None:
        with shown_progress(self._console) as progress:
            told = partial(progress, f"asking {name}")
            run = ask_all(questions, service.knowledge, name=name, settings=self._settings, progress=told)
        self._measured.append(run.measured)
        self.kept += keep(
            service.catalog.evaluations,
            run.measured,
            settings=self._settings,
            model=service.knowledge.embedder.model,
            index_revision=service.knowledge.index.revision(),
            asked=run.questions_hash,
            clock=SystemClock(),
            questions={question.id: question for question in questions},
        )

    def collections(self, directories: Sequence[Path], *, split: str, peers: Sequence[str]) -> None:
        """Measure every configuration on each collection. Raises InvalidInput for a split, a peer or a collection that there is not."""
        if not directories:
            return
        if split not in set(Split):
            raise InvalidInput.of("split", "is none of those there are", limit=", ".join(Split))
        check_peers(peers)
        embedder = open_embedder(self._settings)
        cache = VectorCache(self._settings.evaluation_cache_directory, embedder)
        try:
            with (
                closing(open_catalog(self._settings)) as catalog,
                shown_progress(self._console) as progress,
                processes(PEER_PROCESSES) as pool,
            ):
                for directory in directories:
                    measured = measure(
                        self._settings,
                        directory,
                        Split(split),
                        embedder=embedder,
                        cache=cache,
                        peers=peers,
                        pool=pool,
                        progress=progress,
                    )
                    self._measured.append(measured)
                    self.kept += keep(
                        catalog.evaluations,
                        measured,
                        settings=self._settings,
                        model=embedder.model,
                        index_revision=None,
                        asked=collection_hash(directory, Split(split)),
                        clock=SystemClock(),
                    )
        except FileNotFoundError as error:
            raise InvalidInput.of("collection", f"there is no file {error.filename}") from error

    def write_page(self, path: Path) -> None:
        path.write_text(render(self._measured, title="Ranking", where=environment()), encoding="utf-8")
