"""A company's golden questions: who asks what, and which documents answer it.

A YAML file is a list of questions, or a mapping with the key `questions`; a JSONL file has one on each line:

    - question: How many days may I work from abroad?
      principal: user:ann                # who asks; groups are those of the directory
      relevant:
        - {source: handbook, key: working-abroad.md}
        - {document: doc_…, grade: 2}    # or `citation:` with one as a response gives it; the grade is 1 where it is left out
      answer: 20 days                    # optional: what the quotes of an answer must hold
      tags: [hr]                         # optional
      groups: [group:staff]              # optional: what a credential would vouch for beside the directory
      id: abroad                         # optional: names the question for good; else made of its text and who asks
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.ids import document_id
from retrieval.domain.permissions import Principal, check_subject
from retrieval.settings import Settings

SHOWN_PROBLEMS = 20
MAX_GRADE = 100
_MAX_NAME = 1_024

_Name = Annotated[str, StringConstraints(min_length=1, max_length=_MAX_NAME)]


@dataclass(frozen=True)
class GoldenQuestion:
    """One question.

    Attributes:
        id: names it in every evaluation.
        relevant: document id to grade; 0 is judged and not relevant.
        answer: what the quotes of an answer must hold; empty: not asked.
        place: where it stands in its file.
    """

    id: str
    text: str = field(repr=False)
    principal: Principal
    relevant: Mapping[str, int]
    answer: str = field(repr=False)
    tags: tuple[str, ...]
    place: str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Citation(BaseModel):
    """As a response gives it; only the document matters."""

    model_config = ConfigDict(extra="ignore", strict=True)

    document: _Name


class _Relevant(_Strict):
    source: _Name | None = None
    key: _Name | None = None
    document: _Name | None = None
    citation: _Citation | None = None
    grade: int = Field(1, ge=0, le=MAX_GRADE)

    @model_validator(mode="after")
    def _names_one_document(self) -> Self:
        by_key = self.source is not None and self.key is not None
        if (self.source is None) != (self.key is None) or [by_key, self.document is not None, self.citation is not None].count(True) != 1:
            raise ValueError("name the document in one way: source and key, or document, or citation")
        return self

    @property
    def id(self) -> str:
        if self.source is not None and self.key is not None:
            return document_id(self.source, self.key)
        return self.citation.document if self.citation is not None else str(self.document)


class _Question(_Strict):
    question: str
    principal: str
    relevant: list[_Relevant]
    groups: list[str] = []
    answer: str = ""
    tags: list[_Name] = []
    id: _Name | None = None


def read_golden(path: Path, settings: Settings) -> tuple[GoldenQuestion, ...]:
    """The questions in the file's order. The file is YAML unless it is called `.jsonl`.

    Raises:
        InvalidInput: names each field of each question that is wrong, and its limit, the first 20 of them.
        FileNotFoundError: there is no such file.
    """
    questions: list[GoldenQuestion] = []
    problems: list[FieldProblem] = []
    for place, row in _rows(path, settings):
        try:
            questions.append(_read(row, place, settings))
        except InvalidInput as error:
            problems += error.problems
    seen: dict[str, str] = {}
    for question in questions:
        if question.id in seen:
            problems.append(FieldProblem(f"{question.place}: id", f"is that of {seen[question.id]}; the same question is asked once"))
        seen.setdefault(question.id, question.place)
    if problems:
        raise InvalidInput(problems[:SHOWN_PROBLEMS])
    return tuple(questions)


def named_principal(subject: str, *, field: str) -> Principal:
    """From `user:ann`, `app:intranet` or `user:<issuer>|<id>`. Raises InvalidInput naming `field`."""
    principal = Principal.of_subject(check_subject(subject, field=field))
    if principal is None:
        raise InvalidInput.of(field, "somebody who asks is 'user:<id>' or 'app:<id>'")
    return principal


def _rows(path: Path, settings: Settings) -> Iterator[tuple[str, object]]:
    """(where it stands, what stands there)."""
    size = path.stat().st_size
    if size > settings.evaluation_max_file_bytes:
        raise InvalidInput.of("file", "is too large", limit=f"{settings.evaluation_max_file_bytes} bytes")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput.of("file", "is not text in UTF-8") from error
    rows = list(_lines(text) if path.suffix == ".jsonl" else _entries(text))
    if not rows:
        raise InvalidInput.of("file", "holds no question")
    if len(rows) > settings.evaluation_max_questions:
        raise InvalidInput.of("file", "holds too many questions", limit=f"{settings.evaluation_max_questions} questions")
    yield from rows


def _lines(text: str) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield f"line {number}", json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInput.of(f"line {number}", "is not JSON") from error


def _entries(text: str) -> Iterator[tuple[str, object]]:
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidInput.of("file" if mark is None else f"line {mark.line + 1}", "is not YAML") from error
    found = content.get("questions") if isinstance(content, dict) else content
    if found is None:
        return
    if not isinstance(found, list):
        raise InvalidInput.of("questions", "must be a list")
    yield from ((f"question {number}", row) for number, row in enumerate(found, 1))


def _read(row: object, place: str, settings: Settings) -> GoldenQuestion:
    try:
        read = _Question.model_validate(row)
    except ValidationError as error:
        raise InvalidInput([_problem(place, one) for one in error.errors(include_input=False, include_url=False)]) from error
    problems = [FieldProblem(f"{place}: {name}", *wrong) for name, wrong in _broken_limits(read, settings)]
    try:
        principal = named_principal(read.principal, field=f"{place}: principal")
        groups = frozenset(check_subject(group, field=f"{place}: groups") for group in read.groups)
    except InvalidInput as error:
        raise InvalidInput([*problems, *error.problems]) from error
    if problems:
        raise InvalidInput(problems)
    return GoldenQuestion(
        id=read.id or _question_id(read),
        text=read.question,
        principal=Principal(principal.id, principal.kind, principal.issuer, groups=groups),
        relevant={each.id: each.grade for each in read.relevant},
        answer=read.answer,
        tags=tuple(read.tags),
        place=place,
    )


def _broken_limits(read: _Question, settings: Settings) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """(field, (what is wrong, the limit))."""
    if not read.question.strip():
        yield "question", ("must not be empty", "at least 1 character that is not a space")
    if len(read.question) > settings.query_max_characters:
        yield "question", ("is too long", f"{settings.query_max_characters} characters")
    if len(read.answer) > settings.evaluation_max_answer_characters:
        yield "answer", ("is too long", f"{settings.evaluation_max_answer_characters} characters")
    if len(read.tags) > settings.evaluation_max_tags:
        yield "tags", ("are too many", f"{settings.evaluation_max_tags} tags")
    if len(read.relevant) > settings.evaluation_max_relevant:
        yield "relevant", ("are too many", f"{settings.evaluation_max_relevant} documents")
    if not any(each.grade > 0 for each in read.relevant):
        yield "relevant", ("must name a document that answers the question", "at least 1 with a grade above 0")
    if len({each.id for each in read.relevant}) < len(read.relevant):
        yield "relevant", ("names a document twice", None)
    if any(not group.startswith("group:") for group in read.groups):
        yield "groups", ("a group is written 'group:<id>'", None)


def _problem(place: str, error: Mapping[str, Any]) -> FieldProblem:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    return FieldProblem(f"{place}: {where}" if where else place, str(error["msg"]).removeprefix("Value error, "))


def _question_id(read: _Question) -> str:
    parts: Sequence[object] = (read.question, read.principal, sorted(read.groups))
    return "q_" + hashlib.blake2b(json.dumps(parts).encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()
