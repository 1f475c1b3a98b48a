"""What escalations leave in the audit log: who was shown which passages of them."""

from collections.abc import Iterable, Sequence

from retrieval.domain.audit import AuditAction, AuditEntry, actors, documents_of
from retrieval.domain.ids import text_hash
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal


def told(principal: Principal, escalation: str, passages: Iterable[ReadablePassage], *, outcome: str, request_id: str | None) -> AuditEntry:
    """The asker was told how it stands, with the passages that the answer quotes."""
    return _read(AuditAction.ESCALATION_READ, principal, [escalation], passages, request_id, outcome=outcome)


def told_of_several(principal: Principal, escalations: Sequence[str], *, request_id: str | None) -> AuditEntry:
    return _read(AuditAction.ESCALATION_READ, principal, escalations, (), request_id)


def reviewed(
    principal: Principal, escalations: Sequence[str], *, request_id: str | None, passages: Iterable[ReadablePassage] = ()
) -> AuditEntry:
    """A reviewer was shown questions, or one of them with its evidence."""
    return _read(AuditAction.REVIEW_READ, principal, escalations, passages, request_id)


def _read(
    action: AuditAction,
    principal: Principal,
    escalations: Sequence[str],
    passages: Iterable[ReadablePassage],
    request_id: str | None,
    *,
    outcome: str = "done",
) -> AuditEntry:
    actor, act_for = actors(principal)
    shown = documents_of([(passage, text_hash(passage.text)) for passage in passages])
    return AuditEntry(
        action, actor, act_for, outcome=outcome, documents=shown, request_id=request_id, details={"escalations": list(escalations)}
    )
