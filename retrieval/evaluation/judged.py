"""Judged collections in the BEIR format: `corpus.jsonl`, `queries[.split].jsonl`, `qrels[.split].tsv`.

A collection that brings no tuning queries of its own is halved: its judged queries, numbered from 0 in the order of `qrels.tsv`, are for
tuning where the number is even and for reporting where it is odd. Neighbours are alike, so both halves hold every kind of query.

Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models" (NeurIPS 2021).
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from retrieval.domain.errors import InvalidInput

Qrels = Mapping[str, Mapping[str, int]]
"""Query id to document id to grade; 0 and less is not relevant."""


class Split(StrEnum):
    """`train` and `dev` are for tuning, `test` for reporting; `all` is both halves of a collection on which nothing was tuned."""

    TEST = "test"
    TRAIN = "train"
    DEV = "dev"
    ALL = "all"


@dataclass(frozen=True)
class JudgedDocument:
    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Corpus:
    """The documents of one collection."""

    name: str
    documents: tuple[JudgedDocument, ...]


@dataclass(frozen=True)
class JudgedQueries:
    """The queries of one split that have at least one relevant document, and their qrels."""

    collection: str
    split: Split
    texts: Mapping[str, str]
    qrels: Qrels


def read_corpus(directory: Path) -> Corpus:
    """Every document of the collection in `directory`.

    Raises:
        FileNotFoundError: it is not there.
        InvalidInput: names the file, the line and what is wrong with it.
    """
    path = directory / "corpus.jsonl"
    documents: dict[str, JudgedDocument] = {}
    for place, row in _rows(path, "text"):
        document = JudgedDocument(str(row["_id"]), str(row.get("title") or ""), str(row["text"]))
        if document.id in documents:
            raise InvalidInput.of(f"{place}: _id", "is that of an earlier document")
        documents[document.id] = document
    if not documents:
        raise InvalidInput.of(path.name, "holds no document")
    return Corpus(directory.name, tuple(documents.values()))


def read_queries(directory: Path, split: Split) -> JudgedQueries:
    """The judged queries of one split, in the order of its qrels.

    Raises:
        FileNotFoundError: the collection has no such split.
        InvalidInput: names the file, the line and what is wrong with it; or the split, when it has no judged query.
    """
    own = _has_splits(directory)
    suffix = f".{split}" if split is Split.TRAIN or (split is Split.DEV and own) else ""
    qrels = _read_qrels(directory / f"qrels{suffix}.tsv")
    texts = {str(row["_id"]): str(row["text"]) for _, row in _rows(directory / f"queries{suffix}.jsonl", "text")}
    judged = [query for query, grades in qrels.items() if query in texts and max(grades.values()) > 0]
    if not own and split in (Split.DEV, Split.TEST):
        judged = judged[split is Split.TEST :: 2]
    if not judged:
        raise InvalidInput.of("split", f"{split} of {directory.name} has no query with a relevant document")
    return JudgedQueries(directory.name, split, {query: texts[query] for query in judged}, {query: qrels[query] for query in judged})


def _has_splits(directory: Path) -> bool:
    return any((directory / f"queries.{split}.jsonl").is_file() for split in (Split.TRAIN, Split.DEV))


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines, delimiter="\t"), 2):
            try:
                qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
            except (KeyError, TypeError, ValueError) as error:
                raise InvalidInput.of(f"{path.name} line {number}", "must have query-id, corpus-id and a whole score") from error
    return qrels


def _rows(path: Path, *needed: str) -> Iterator[tuple[str, dict[str, object]]]:
    """(where it stands, an object that has an `_id` and what else is needed)."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{path.name} line {number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InvalidInput.of(place, "is not JSON") from error
            if not isinstance(row, dict) or any(row.get(name) is None for name in ("_id", *needed)):
                raise InvalidInput.of(place, f"must be an object with {' and '.join(('_id', *needed))}")
            yield place, row
