"""Figures of answers for `make eval`: evidence and confidence, on questions that nothing was tuned on.

Run as `python -m retrieval.evaluation.answers.run`. Writes into `reports`:

- `answers.json`: {collection: {measure: value}}; what the measures are, `evidence` and `confidence` beside this file say
- `answers.html`: the same as a page, with reliability diagrams and risk-coverage curves
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from retrieval.bootstrap import open_embedder
from retrieval.evaluation.answers.confidence import Reported, measure_confidence
from retrieval.evaluation.answers.evidence import measure_evidence
from retrieval.evaluation.environment import environment
from retrieval.evaluation.reliability import bins, risks
from retrieval.evaluation.reliability_page import Section, render
from retrieval.evaluation.vectors import VectorCache
from retrieval.settings import Settings
from retrieval.steps.confidence_model import shipped

REPORTS = Path("reports")
CONFIDENCE, CALIBRATED = "confidence", "after calibration"
_BESIDE = ("support", "dense", "tokens", "evidence_coverage")
"""Signals whose curve is drawn beside the confidence's."""
_SAYS = (
    "Questions of the halves that nothing was learned from; what has an answer was asked a second time of somebody who may not read it. "
    "On the diagonal, what was told came true. Lower curves are better."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 2 when a collection is not there."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.evaluation.answers.run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reports", type=Path, default=REPORTS, help="folder for answers.json and answers.html")
    chosen = parser.parse_args(arguments)
    settings, console = Settings(), Console()
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    directory = settings.evaluation_directory
    try:
        found = measure_confidence(settings, embedder, cache, directory, shipped())
        evidence = measure_evidence(settings, embedder, cache, directory)
    except FileNotFoundError as error:
        console.print(f"not found: {error.filename}; the folder of judged collections is set by ARCHIVIST_EVALUATION_DIRECTORY")
        return 2
    figures = {name: {**evidence.get(name, {}), **one.figures} for name, one in found.items()}
    write(chosen.reports, figures, found, {**environment(), "confidence": shipped().name})
    for name, measures in figures.items():
        console.print(name, {measure: round(value, 3) for measure, value in measures.items()})
    return 0


def write(directory: Path, figures: Mapping[str, Mapping[str, float]], found: Mapping[str, Reported], where: Mapping[str, str]) -> None:
    """`answers.json` and `answers.html`, each replaced whole."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "answers.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    sections = [_section(name, one, figures[name]) for name, one in found.items()]
    page = render(sections, title="Answers", says=_SAYS, where=where)
    (directory / "answers.html").write_text(page, encoding="utf-8")


def _section(name: str, found: Reported, figures: Mapping[str, float]) -> Section:
    reliability = {CALIBRATED: bins(found.calibrated, found.right), CONFIDENCE: bins(found.told, found.right)}
    beside = {signal: risks(np.array([answer.signals.get(signal, -1.0) for answer in found.answers]), found.right) for signal in _BESIDE}
    curves = {**beside, CONFIDENCE: risks(found.told, found.right)}
    return Section(name, figures, reliability, curves, CONFIDENCE)


if __name__ == "__main__":
    sys.exit(main())
