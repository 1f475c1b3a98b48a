"""How well evidence is chosen, on questions that nothing was tuned on: beside how it was chosen before, and beside BM25 alone.

Run as `python -m retrieval.evaluation.answers.evidence`. Of each way of choosing:

- `p@1`: share of questions whose first sentence is, or holds, gold evidence
- `r@3`: mean share of a question's gold spans in its first three sentences
- `in_answer`: share of questions that have gold evidence in a quote of the answer, with the product's settings
- `answered`: share of questions that are answered
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from rank_bm25 import BM25Okapi
from rich.console import Console
from rich.table import Table

from retrieval.bootstrap import open_embedder
from retrieval.domain.evidence import Evidence
from retrieval.evaluation.answers.gold import SCIFACT
from retrieval.evaluation.answers.judged_evidence import ASKED, JudgedQuestion, asked_questions, claims
from retrieval.evaluation.judged import Split
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Embedder
from retrieval.settings import Settings
from retrieval.steps.answer import quotes
from retrieval.steps.evidence import evidence
from retrieval.steps.evidence_by_embedding import ByEmbedding
from retrieval.steps.quotable import asked_terms, quotable, sentences_of

Choice = Callable[[JudgedQuestion], Sequence[Evidence]]
Figures = Mapping[str, Mapping[str, float]]
"""Collection to measure to value."""
FIRST = 3


def measure_evidence(settings: Settings, embedder: Embedder, cache: VectorCache, directory: Path) -> Figures:
    """Figures of SciFact's validation claims and of the odd halves of the asked collections, which lie in `directory`.

    Raises:
        FileNotFoundError: a collection is not there.
    """
    questions = {SCIFACT: claims(settings, embedder, cache, directory / SCIFACT, "validation")}
    questions |= {name: asked_questions(settings, embedder, cache, directory / name, Split.TEST) for name in ASKED}
    return {name: _figures(asked, settings, embedder) for name, asked in questions.items()}


def _figures(questions: Sequence[JudgedQuestion], settings: Settings, embedder: Embedder) -> Mapping[str, float]:
    def by_tokens(question: JudgedQuestion) -> Sequence[Evidence]:
        otherwise = ByEmbedding(question.vector, embedder, settings.answer_embedded_sentences)
        return evidence(question.text, question.hits, question.query, question.tokens, otherwise=otherwise)

    def by_embedding(question: JudgedQuestion) -> Sequence[Evidence]:
        otherwise = ByEmbedding(question.vector, embedder, settings.answer_embedded_sentences)
        return evidence(question.text, question.hits, None, {}, otherwise=otherwise)

    choices: Mapping[str, Choice] = {"": by_tokens, "embedding_": by_embedding, "bm25_": _by_bm25}
    figures: dict[str, float] = {"questions": len(questions)}
    for prefix, choice in choices.items():
        chosen = [choice(question) for question in questions]
        figures |= {f"{prefix}{name}": value for name, value in _quality(questions, chosen, settings).items()}
    return {name: value for name, value in figures.items() if name not in ("bm25_in_answer", "bm25_answered")}


def _quality(questions: Sequence[JudgedQuestion], chosen: Sequence[Sequence[Evidence]], settings: Settings) -> Mapping[str, float]:
    pairs = list(zip(questions, chosen, strict=True))
    answers = [quotes(found, max_sentences=settings.answer_max_sentences, min_support=settings.answer_min_support) for _, found in pairs]
    quoted = [{sentence.citation.id for sentence in answer if sentence.citation is not None} for answer in answers]
    return {
        "p@1": fmean(bool(found and question.found(found[0])) for question, found in pairs),
        "r@3": fmean(_shown(question, found[:FIRST]) / question.spans for question, found in pairs),
        "in_answer": fmean(
            _shown(question, [one for one in found if one.citation.id in ids]) > 0
            for (question, found), ids in zip(pairs, quoted, strict=True)
        ),
        "answered": fmean(map(bool, answers)),
    }


def _shown(question: JudgedQuestion, chosen: Sequence[Evidence]) -> int:
    """How many gold spans these show."""
    return len(frozenset[object]().union(*(question.found(one) for one in chosen)))


def _by_bm25(question: JudgedQuestion) -> Sequence[Evidence]:
    """Okapi BM25 over the candidate sentences."""
    asked = asked_terms(question.text)
    candidates = quotable(asked, question.hits, sentences_of(question.hits))
    if not candidates:
        return ()
    scores = BM25Okapi([sentence.terms for sentence in candidates]).get_scores(asked)
    ranked = sorted(zip(candidates, scores, strict=True), key=lambda pair: (-pair[1], pair[0].place))
    return [Evidence(sentence.passage, sentence.within, 0.0) for sentence, _ in ranked]


def main() -> int:
    """Returns 0, or 2 when a collection is not there."""
    settings, console = Settings(), Console(width=None if sys.stdout.isatty() else 120)
    embedder = open_embedder(settings)
    cache = VectorCache(settings.evaluation_cache_directory, embedder)
    try:
        figures = measure_evidence(settings, embedder, cache, settings.evaluation_directory)
    except FileNotFoundError as error:
        console.print(f"not found: {error.filename}; the folder of judged collections is set by ARCHIVIST_EVALUATION_DIRECTORY")
        return 2
    table = Table("measure", *figures, title="Evidence")
    for measure in next(iter(figures.values())):
        table.add_row(measure, *(f"{of_collection[measure]:.3f}" for of_collection in figures.values()))
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
