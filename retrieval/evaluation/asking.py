"""Asking golden questions of this installation, each as the principal it names, through the service that callers ask.

What a principal may not read cannot be found by it: a relevant document that is hidden from who asks, or that is not there, is a mistake
of the question, which is told and left out of the figures. Every reading is in the audit log, done by the operator for that principal.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from retrieval.answer_service import AnswerService
from retrieval.domain.answers import Answer
from retrieval.domain.audit import OPERATOR
from retrieval.domain.errors import FieldProblem, InvalidInput, NotReadable
from retrieval.domain.evaluations import EvaluatedQuery, questions_hash
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.queries import Query
from retrieval.evaluation.golden import SHOWN_PROBLEMS, GoldenQuestion
from retrieval.evaluation.metrics import Ranking
from retrieval.evaluation.results import DEFAULT, Measured, scored
from retrieval.ports.evaluations import EvaluationStore
from retrieval.ports.reading import DocumentReader
from retrieval.service import KnowledgeService
from retrieval.settings import Settings

ANSWER = "answer"
"""1 when the quotes of an answer hold the expected one, else 0; of the questions that expect one."""
KEPT_RANKS = 10
"""Documents kept of each ranking."""
SPLIT = "all"

Asked = Callable[[int, int], None]
"""Told how many questions have been asked, and of how many."""


@dataclass(frozen=True)
class Mistake:
    """A question that cannot be answered as it is judged."""

    place: str
    question: str
    document: str
    problem: str


@dataclass(frozen=True)
class GoldenRun:
    """What asking gave."""

    measured: Measured
    questions_hash: str


def sift(
    questions: Sequence[GoldenQuestion], documents: DocumentReader, store: EvaluationStore
) -> tuple[list[GoldenQuestion], list[Mistake]]:
    """The questions without a mistake, and the mistakes of the others, both in the order of the questions.

    Args:
        questions: of one file.
        documents: what tells whether a principal may read a document.
        store: what tells whether a document is there.

    Raises:
        InvalidInput: every question has a mistake.
    """
    there = store.current_documents(sorted({document for question in questions for document in question.relevant}))
    mistakes = [mistake for question in questions for mistake in _mistakes(question, documents, there)]
    wrong = {mistake.question for mistake in mistakes}
    sound = [question for question in questions if question.id not in wrong]
    if not sound:
        raise InvalidInput([FieldProblem(f"{one.place}: relevant", one.problem) for one in mistakes[:SHOWN_PROBLEMS]])
    return sound, mistakes


def ask_all(
    questions: Sequence[GoldenQuestion], knowledge: KnowledgeService, *, name: str, settings: Settings, progress: Asked
) -> GoldenRun:
    """Ask every question.

    Args:
        questions: without a mistake, at least one.
        knowledge: the installation's read path.
        name: of the questions' file.
        settings: limits of a query.
        progress: told after each question.
    """
    rankings: dict[str, Ranking] = {}
    answers: dict[str, float] = {}
    answering = AnswerService(settings, knowledge)
    for question in questions:
        query = Query(question.text, top_k=settings.query_max_top_k, depth=settings.query_depth)
        asking = on_behalf(question.principal)
        rankings[question.id] = list(dict.fromkeys(hit.passage.document for hit in knowledge.retrieve(asking, query).hits))
        if question.answer:
            shown = replace(query, top_k=settings.query_default_top_k)
            answers[question.id] = float(_holds(answering.answer(asking, shown), question.answer))
        progress(len(rankings), len(questions))
    scores = {**scored(rankings, {question.id: question.relevant for question in questions}), **({ANSWER: answers} if answers else {})}
    texts = {question.id: question.text for question in questions}
    judged = {question.id: (question.text, question.principal.subject, question.relevant) for question in questions}
    return GoldenRun(Measured(name, SPLIT, texts, {DEFAULT: scores}, {DEFAULT: rankings}), questions_hash(judged))


def evaluated(measured: Measured, configuration: str, questions: Mapping[str, GoldenQuestion] | None = None) -> list[EvaluatedQuery]:
    """Each query's values, to be kept. `questions`: golden ones by id, for who asked and their tags."""
    scores, rankings = measured.scores[configuration], measured.rankings[configuration]
    kept = []
    for id_, text in measured.texts.items():
        question = (questions or {}).get(id_)
        values = {metric: by_query[id_] for metric, by_query in scores.items() if id_ in by_query}
        who, tags = (question.principal.subject, question.tags) if question is not None else (None, ())
        kept.append(EvaluatedQuery(id_, text, who, tags, values, tuple(rankings.get(id_, ())[:KEPT_RANKS])))
    return kept


def on_behalf(principal: Principal) -> Principal:
    """The operator on the person's behalf; an application asks for itself."""
    return replace(principal, through=OPERATOR) if principal.kind is PrincipalKind.USER else principal


def _mistakes(question: GoldenQuestion, documents: DocumentReader, there: frozenset[str]) -> Iterator[Mistake]:
    """One for each relevant document that is not there or that the asker may not read."""
    for document, grade in question.relevant.items():
        if grade > 0 and document not in there:
            yield Mistake(question.place, question.id, document, "there is no such document now")
        elif grade > 0 and not _is_readable(documents, on_behalf(question.principal), document):
            yield Mistake(question.place, question.id, document, f"{question.principal.subject} may not read it")


def _is_readable(documents: DocumentReader, principal: Principal, document: str) -> bool:
    try:
        documents.document(principal, document)
    except NotReadable:
        return False
    return True


def _holds(answer: Answer, expected: str) -> bool:
    return _plain(expected) in _plain(answer.text)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
