"""How far claims are recognised as supported: true restatements, and the same with one thing changed that makes them false.

Run as `python -m retrieval.evaluation.answers.support`. The claims are the sentences of CLAP NQ's long answers, which people wrote from one
passage each, and SciFact's claims with the abstract that decides them. Of CLAP NQ the half is measured on which nothing was tuned.

- `accepted`: share of true claims that are told to be supported
- `rejected_<change>`: share of changed claims that are not; `numbers`, `negations`, `names`, `directions`, or `passages` for a claim that
  is held against a passage of another question
- `claims_<change>`: of how many
- `accepted_supported`, `accepted_contradicted`: share of SciFact's claims of either kind
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

from retrieval.domain.answers import Verdict
from retrieval.domain.documents import Span
from retrieval.domain.ids import document_id, passage_id, version_id
from retrieval.domain.names import names
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.sentences import sentences
from retrieval.domain.terms import words
from retrieval.evaluation.answers.gold import SCIFACT, rows
from retrieval.evaluation.judged import Split, read_queries
from retrieval.settings import Settings
from retrieval.steps.support import supported

CLAPNQ = "clapnq_dev"
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?![\w]|[.,]\d)")
_AUXILIARY = re.compile(r"\b(?:is|are|was|were|has|have|had|can|will|would|should|must|does|did|do)\b")
_NOT = re.compile(r"\s*(?:\bnot|n't)\s")
_OPPOSITES = (
    "increase decrease",
    "increased decreased",
    "increases decreases",
    "before after",
    "more less",
    "higher lower",
    "first last",
    "above below",
    "most least",
    "larger smaller",
    "greater smaller",
    "north south",
    "east west",
    "northern southern",
    "eastern western",
    "win lose",
    "won lost",
    "over under",
    "begins ends",
    "began ended",
    "all some",
    "always sometimes",
    "promotes inhibits",
    "left right",
    "early late",
)
_OPPOSITE = {one: other for pair in _OPPOSITES for one, other in (pair.split(), pair.split()[::-1])}

Change = Callable[["Restatement"], str | None]


@dataclass(frozen=True)
class Restatement:
    """A claim that a passage supports."""

    text: str
    passage: ReadablePassage


def measure_support(directory: Path) -> Mapping[str, Mapping[str, float]]:
    """Collection to measure to value. Raises FileNotFoundError when a collection is not there in `directory`."""
    return {CLAPNQ: measure_changes(restatements(directory / CLAPNQ, Split.TEST)), SCIFACT: _scifact(directory / SCIFACT)}


def measure_changes(told: Sequence[Restatement]) -> Mapping[str, float]:
    """The share of them that is accepted, and of each kind of change the share that is rejected."""
    figures = {"claims": float(len(told)), "accepted": fmean(_is_supported(one.text, one.passage) for one in told)}
    for name, change in _CHANGES.items():
        changed = [(text, one.passage) for one in told if (text := change(one)) is not None and text != one.text]
        figures[f"rejected_{name}"] = fmean(not _is_supported(text, passage) for text, passage in changed)
        figures[f"claims_{name}"] = float(len(changed))
    figures["rejected_passages"] = fmean(
        not _is_supported(one.text, other.passage) for one, other in zip(told, (*told[7:], *told[:7]), strict=True)
    )
    return figures


def restatements(directory: Path, split: Split) -> list[Restatement]:
    """The sentences of the first long answer to each question of a split, with the passage that it was written from."""
    texts = {row["_id"]: (row["title"], row["text"]) for row in rows(directory / "corpus.jsonl")}
    judged = read_queries(directory, split)
    found = []
    for row in rows(directory / "queries.jsonl"):
        if row.get("answerable") and row["_id"] in judged.qrels:
            document = max(judged.qrels[row["_id"]].items(), key=lambda pair: pair[1])[0]
            passage = _passage(directory.name, document, *texts[document])
            answer = row["answers"][0]["text"]
            found += [Restatement(span.of(answer), passage) for span in sentences(answer)]
    return found


def _scifact(directory: Path) -> Mapping[str, float]:
    texts = {row["_id"]: (row["title"], row["text"]) for row in rows(directory / "corpus.jsonl")}
    accepted: dict[str, list[bool]] = {"SUPPORT": [], "CONTRADICT": []}
    for claim, document, label in dict.fromkeys(
        (row["claim"], row["doc_id"], row["label"]) for row in rows(directory / "evidence.jsonl") if row["split"] == "validation"
    ):
        accepted[label].append(_is_supported(claim, _passage(SCIFACT, document, *texts[document])))
    return {"accepted_supported": fmean(accepted["SUPPORT"]), "accepted_contradicted": fmean(accepted["CONTRADICT"])}


def _is_supported(claim: str, passage: ReadablePassage) -> bool:
    return supported(claim, ["1"], {"1": passage}).verdict is not Verdict.UNSUPPORTED


def _another_number(one: Restatement) -> str | None:
    found = next(_NUMBER.finditer(one.text), None)
    if found is None:
        return None
    others = [number for number in _NUMBER.findall(one.passage.text) if number != found.group() and len(number) == len(found.group())]
    other = others[0] if others else str(int(found.group().replace(",", "")) + 1)
    return one.text[: found.start()] + other + one.text[found.end() :]


def _negated(one: Restatement) -> str | None:
    if _NOT.search(one.text):
        return _NOT.sub(" ", one.text, count=1)
    found = _AUXILIARY.search(one.text)
    return None if found is None else f"{one.text[: found.end()]} not{one.text[found.end() :]}"


def _another_name(one: Restatement) -> str | None:
    mine = [span for span in names(one.text) if span.start > 0]
    if not mine:
        return None
    said = set(words(one.text))
    others = [span.of(one.passage.text) for span in names(one.passage.text) if not said.intersection(words(span.of(one.passage.text)))]
    return _replaced(one.text, mine[0], others[0]) if others else None


def _turned(one: Restatement) -> str | None:
    found = next((match for match in re.finditer(r"\w+", one.text) if match.group() in _OPPOSITE), None)
    return None if found is None else _replaced(one.text, Span(*found.span()), _OPPOSITE[found.group()])


def _replaced(text: str, span: Span, other: str) -> str:
    return text[: span.start] + other + text[span.end :]


_CHANGES: Mapping[str, Change] = {"numbers": _another_number, "negations": _negated, "names": _another_name, "directions": _turned}


def _passage(collection: str, document: str, title: str, text: str) -> ReadablePassage:
    name = document_id(collection, document)
    version = version_id(name, 1)
    whole = Span(0, len(text))
    return ReadablePassage(passage_id(version, 0), name, version, 1, collection, 0, whole, text, None, (), title, "", "text/plain", None, 1)


def _table(figures: Mapping[str, Mapping[str, float]]) -> Table:
    shown = Table("collection", "measure", "value", title="Support of claims")
    for row in _rows_of(figures):
        shown.add_row(*row)
    return shown


def _rows_of(figures: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, str, str]]:
    for collection, measures in figures.items():
        for name, value in measures.items():
            yield collection, name, f"{value:.3f}"


def main() -> int:
    """Returns 0, or 2 when a collection is not there."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        figures = measure_support(Settings().evaluation_directory)
    except FileNotFoundError as error:
        console.print(f"not found: {error.filename}; the folder of judged collections is set by ARCHIVIST_EVALUATION_DIRECTORY")
        return 2
    console.print(_table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
