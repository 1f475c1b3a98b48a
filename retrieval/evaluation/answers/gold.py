"""Where the answers of judged questions stand in their collections."""

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from retrieval.domain.documents import Span
from retrieval.domain.ids import document_id

SCIFACT = "scifact"


class Match(StrEnum):
    """When a quote is right: it overlaps a gold sentence by half of the shorter of the two, or it contains the gold span."""

    OVERLAPS = "overlaps"
    CONTAINS = "contains"


def gold_spans(directory: Path) -> dict[str, tuple[dict[str, tuple[Span, ...]], Match]]:
    """Query id to where its answer stands. Questions without one are left out."""
    texts = {row["_id"]: row["text"] for row in rows(directory / "corpus.jsonl")}
    relevant: dict[str, list[str]] = {}
    for line in (directory / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(query, []).append(document)
    found = {}
    for row in rows(directory / "queries.jsonl"):
        if not row.get("answerable"):
            continue
        match = Match.CONTAINS if "start" in row["answers"][0] else Match.OVERLAPS
        gold = {
            document_id(directory.name, document): spans
            for document in relevant.get(row["_id"], ())
            if (spans := tuple(_spans(row["answers"], texts[document])))
        }
        if gold:
            found[row["_id"]] = (gold, match)
    return found


def _spans(answers: Sequence[Mapping[str, Any]], text: str) -> Iterator[Span]:
    """Of a span answer: where it stands. Of a long answer: the sentences that its first writer selected."""
    first = answers[0]
    if "start" in first:
        yield Span(first["start"], first["start"] + len(first["text"]))
        return
    for sentence in first["selected_sentences"]:
        if (start := text.find(sentence)) >= 0:
            yield Span(start, start + len(sentence))


def gold_sentences(directory: Path, split: str) -> dict[tuple[str, str], tuple[tuple[str, str], set[int]]]:
    """(claim id, document) to (the claim's id and text, numbers of all its evidence sentences)."""
    found: dict[tuple[str, str], tuple[tuple[str, str], set[int]]] = {}
    for row in rows(directory / "evidence.jsonl"):
        if row["split"] == split:
            key = (row["claim_id"], row["doc_id"])
            found.setdefault(key, ((row["claim_id"], row["claim"]), set()))[1].update(row["sentences"])
    return found


def gold_in_abstracts(directory: Path, split: str) -> dict[str, dict[str, tuple[Span, ...]]]:
    """Claim id to where the evidence for or against it stands, by document id; claims without evidence are left out."""
    gold = gold_sentences(directory, split)
    found = abstracts(directory, {document for _, document in gold})
    spans: dict[str, dict[str, tuple[Span, ...]]] = {}
    for (claim, document), (_, numbers) in gold.items():
        stands = sentence_spans(found[document][1])
        spans.setdefault(claim, {})[document_id(SCIFACT, document)] = tuple(stands[number] for number in sorted(numbers))
    return spans


def abstracts(directory: Path, wanted: set[str]) -> dict[str, tuple[str, list[str]]]:
    """Document to its title and sentences."""
    titles = {row["_id"]: row["title"] for row in rows(directory / "corpus.jsonl") if row["_id"] in wanted}
    return {row["_id"]: (titles[row["_id"]], row["sentences"]) for row in rows(directory / "sentences.jsonl") if row["_id"] in wanted}


def sentence_spans(sentences: Sequence[str]) -> list[Span]:
    """Where each stands in the text that they make, with a space between two."""
    spans, start = [], 0
    for sentence in sentences:
        spans.append(Span(start, start + len(sentence)))
        start += len(sentence) + 1
    return spans


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
