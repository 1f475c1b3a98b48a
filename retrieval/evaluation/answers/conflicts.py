"""How well contradictions are found, on questions that nothing was tuned on: `python -m retrieval.evaluation.answers.conflicts`.

- `false_per_100`: of 100 questions, those whose evidence, as it was found, is said to contradict itself. These collections do not.
- `value`, `name`, `negation`: of gold sentences beside which stands the same sentence with that one thing changed (`contradicted`), the
  share of which the contradiction is found. Value and name are changed where the answer stands, so in xquad_en alone.
- scifact: of claims that a sentence of their abstract contradicts, and of those that one supports, the share said to contradict it
  (Wadden et al., EMNLP 2020). Claims differ from abstracts in wording, and the product is not made to judge them: for comparison only.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from rich.console import Console

from retrieval.bootstrap import open_embedder
from retrieval.domain.contradictions import contradiction
from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.domain.statements import statement
from retrieval.evaluation.answers.contradicted import Change, contradicted
from retrieval.evaluation.answers.gold import SCIFACT, Match, abstracts
from retrieval.evaluation.answers.judged_evidence import ASKED, JudgedQuestion, asked_questions
from retrieval.evaluation.judged import Split
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder
from retrieval.settings import Settings
from retrieval.steps.conflict import conflicts
from retrieval.steps.evidence import evidence
from retrieval.steps.evidence_by_embedding import ByEmbedding

Figures = Mapping[str, Mapping[str, float]]
"""Collection to measure to value."""


def measure_conflicts(settings: Settings, embedder: Embedder, cache: VectorCache, directory: Path, *, split: Split = Split.TEST) -> Figures:
    """Figures of one half of each asked collection, and of SciFact's validation claims.

    Raises:
        FileNotFoundError: a collection is not there.
    """
    asked = {name: asked_questions(settings, embedder, cache, directory / name, split) for name in ASKED}
    figures = {name: _figures(questions, settings, embedder) for name, questions in asked.items()}
    return figures | {SCIFACT: dict(_claims(directory / SCIFACT))}


def _figures(questions: Sequence[JudgedQuestion], settings: Settings, embedder: Embedder) -> Mapping[str, float]:
    told: list[bool] = []
    found: dict[Change, list[bool]] = {change: [] for change in Change}
    for question in questions:
        otherwise = ByEmbedding(question.vector, embedder, settings.answer_embedded_sentences)
        chosen = evidence(question.text, question.hits, question.query, question.tokens, otherwise=otherwise)
        told.append(bool(conflicts(question.text, chosen, most=1)))
        for change in Change:
            found[change] += _found(question, chosen, change)
    measured = {"questions": len(questions), "false_per_100": 100 * fmean(told)}
    for change, of_change in found.items():
        measured |= {f"{change}s": len(of_change)} | ({change.value: fmean(of_change)} if of_change else {})
    return measured


def _found(question: JudgedQuestion, chosen: Sequence[Evidence], change: Change) -> Iterator[bool]:
    """Whether the contradiction to the best gold sentence is found; nothing where there is none, or nothing to change in it."""
    gold = next((number for number, one in enumerate(chosen) if question.found(one)), None)
    if gold is None:
        return
    at = _whole(chosen[gold]) if change is Change.NEGATION else _answer(question, chosen[gold])
    other = contradicted(chosen[gold], change, at=at) if at is not None else None
    if other is not None:
        beside = [*chosen[: gold + 1], other, *chosen[gold + 1 :]]
        pair = {chosen[gold].citation.id, other.citation.id}
        yield any({found.one.id, found.other.id} == pair for found in conflicts(question.text, beside, most=len(beside)))


def _whole(one: Evidence) -> Span:
    return Span(0, len(one.text))


def _answer(question: JudgedQuestion, one: Evidence) -> Span | None:
    """Where the answer stands in the sentence; None where it is known only which sentence answers."""
    if question.match is not Match.CONTAINS:
        return None
    start = one.passage.span.start + one.within.start
    return next(Span(gold.start - start, gold.end - start) for _, gold in sorted(question.found(one), key=lambda found: found[1].start))


def _claims(directory: Path) -> Iterator[tuple[str, float]]:
    rows = [json.loads(line) for line in (directory / "evidence.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["split"] == "validation"]
    texts = abstracts(directory, {row["doc_id"] for row in rows})
    for label in ("CONTRADICT", "SUPPORT"):
        told = [
            any(
                contradiction(row["claim"], statement(row["claim"]), statement(texts[row["doc_id"]][1][number]))
                for number in row["sentences"]
            )
            for row in rows
            if row["label"] == label
        ]
        yield f"{label.lower()}s", len(told)
        yield label.lower(), fmean(told)


def main() -> int:
    """Returns 0, or 2 when a collection is not there."""
    settings, console = Settings(), Console(width=None if sys.stdout.isatty() else 120)
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    try:
        console.print_json(data=measure_conflicts(settings, embedder, cache, settings.evaluation_directory))
    except FileNotFoundError as error:
        console.print(f"not found: {error.filename}; the folder of judged collections is set by ARCHIVIST_EVALUATION_DIRECTORY")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
