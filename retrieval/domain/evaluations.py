"""Evaluations as they are kept: what was measured, of which questions, with which settings, and each question's values."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EvaluatedQuery:
    """One question's values.

    Attributes:
        id: the question's, equal in every evaluation of the same questions.
        asked_by: subject of the principal that asked; None where everybody would get the same.
        tags: the question's own, to group by.
        scores: metric to value.
        found: the documents at the first ranks.
    """

    id: str
    text: str = field(repr=False)
    asked_by: str | None
    tags: Sequence[str]
    scores: Mapping[str, float]
    found: Sequence[str]


@dataclass(frozen=True)
class Evaluation:
    """One configuration on one set of questions.

    Attributes:
        id: `ev_` and 24 hexadecimal digits.
        run: what was measured together has this in common.
        at: when, as a stamp.
        collection: name of the judged collection, or of the file of golden questions.
        questions_hash: equal where the same questions were asked and judged alike: only such evaluations compare.
        configuration: `default` is the product; else a leg, a fusion or a peer.
        settings: those that shape a ranking, by name.
        model: of the vectors.
        index_revision: the catalog revision that the index had applied; None for a judged collection, which is indexed for itself.
        commit: of the program, `-dirty` when files differed from it.
        figures: metric to mean.
    """

    id: str
    run: str
    at: str
    collection: str
    split: str
    questions_hash: str
    configuration: str
    settings: Mapping[str, object]
    model: str
    index_revision: int | None
    commit: str
    queries: int
    figures: Mapping[str, float]

    @property
    def settings_hash(self) -> str:
        return settings_hash(self.settings)


def settings_hash(settings: Mapping[str, object]) -> str:
    """12 hexadecimal digits, equal for equal settings."""
    return _digest(json.dumps(settings, sort_keys=True), 6)


def run_id(at: str, collection: str) -> str:
    return "er_" + _digest(f"{at}\0{collection}", 12)


def evaluation_id(run: str, configuration: str) -> str:
    return "ev_" + _digest(f"{run}\0{configuration}", 12)


def questions_hash(questions: Mapping[str, tuple[str, str | None, Mapping[str, int]]]) -> str:
    """Of question id to (text, who asks, document to grade): 64 hexadecimal digits."""
    rows = [[id_, text, asked_by, sorted(grades.items())] for id_, (text, asked_by, grades) in sorted(questions.items())]
    return _digest(json.dumps(rows), 32)


def _digest(text: str, size_bytes: int) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size_bytes).hexdigest()
