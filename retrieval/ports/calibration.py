"""Verdicts on answers, and the calibrations that confidence is told by."""

from collections.abc import Sequence
from typing import Protocol

from retrieval.domain.calibration import Calibration, JudgedAnswer


class Verdicts(Protocol):
    """What people said of answers: for calibration and statistics, never shown by answer."""

    def add(self, verdict: JudgedAnswer) -> None:
        """Keep it. The same person's earlier one about the same answer is replaced, so that repeating is harmless."""

    def withdraw(self, about: str, by: str) -> None:
        """As if this person had said nothing of it. Nothing happens where nothing was said."""

    def forget(self, by: str) -> int:
        """Delete all that this person has said; how much it was."""

    def all(self, *, sources: frozenset[str] | None = None) -> Sequence[JudgedAnswer]:
        """By time, then key; with `sources` those whose every source is one of them."""


class CalibrationReader(Protocol):
    """What the answering service asks."""

    def active(self) -> Calibration | None:
        """The one in force; None: the shipped model as it is. Costs nothing most of the time: it may be a few seconds old."""


class Calibrations(CalibrationReader, Protocol):
    """Every calibration that was kept. For the operator."""

    def keep(self, calibration: Calibration) -> Calibration:
        """With its version, not active. Records it."""

    def all(self) -> Sequence[Calibration]:
        """Newest first."""

    def get(self, version: int) -> Calibration:
        """Raises InvalidInput naming `version` when there is none."""

    def activate(self, version: int, *, by: str) -> None:
        """From now on this one is in force; 0: none is. Records it. Raises like `get`."""


class Uncalibrated:
    """`CalibrationReader` where nothing has been learned from verdicts."""

    def active(self) -> Calibration | None:
        return None
