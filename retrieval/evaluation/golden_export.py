"""Golden questions out of what reviewers have decided, as `archivist eval run --golden` reads them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import yaml

from retrieval.domain.answers import Verdict
from retrieval.domain.escalations import Escalation, normalised
from retrieval.ports.reviewing import Resolutions

TAG = "reviewed"
_PAGE = 500


def golden_questions(resolutions: Resolutions) -> list[Mapping[str, object]]:
    """One for each question of each asker that was answered with citations, as its latest decision has it; oldest first."""
    latest: dict[tuple[str, str], Mapping[str, object]] = {}
    for escalation in _decided(resolutions):
        row = _row(escalation)
        if row is not None:
            key = (normalised(escalation.draft.question), escalation.asker.subject)
            latest.pop(key, None)
            latest[key] = row
    return list(latest.values())


def as_yaml(questions: Sequence[Mapping[str, object]]) -> str:
    """A file that `read_golden` reads."""
    return yaml.safe_dump({"questions": [dict(question) for question in questions]}, allow_unicode=True, sort_keys=False, width=120)


def _decided(resolutions: Resolutions) -> Iterator[Escalation]:
    after = ""
    while decided := resolutions.decided(after=after, count=_PAGE):
        yield from decided
        after = f"{decided[-1].closed_at}|{decided[-1].id}"


def _row(escalation: Escalation) -> Mapping[str, object] | None:
    """None for what no document answers."""
    sentences = escalation.resolution.sentences if escalation.resolution is not None else ()
    documents = _distinct(cited.document for sentence in sentences for cited in sentence.cites)
    if not documents:
        return None
    row: dict[str, object] = {
        "id": escalation.id,
        "question": escalation.draft.question,
        "principal": escalation.asker.subject,
        "relevant": [{"document": document} for document in documents],
        "tags": [TAG],
    }
    if escalation.asker.groups:
        row["groups"] = sorted(escalation.asker.groups)
    quoted = [sentence.text for sentence in sentences if sentence.verdict is Verdict.QUOTED and sentence.cites]
    if quoted:
        row["answer"] = quoted[0]
    return row


def _distinct(documents: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(documents))
