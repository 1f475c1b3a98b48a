"""Asking owners for access on behalf of people who found nothing, without telling them, and long after they were answered."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.domain.answer_policy import AnswerPolicy
from retrieval.domain.audit import AuditAction, AuditEntry, actors
from retrieval.domain.errors import Unavailable
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.sources import SourceState
from retrieval.ports.access_requests import AccessRequestPage, AccessRequests, OwnersSearch
from retrieval.ports.answer_policies import AnswerPolicies
from retrieval.ports.audit import AuditLog
from retrieval.ports.reading import Candidate, GateReader
from retrieval.ports.sources import RegisteredSource, SourceRegistry
from retrieval.settings import Settings


@dataclass(frozen=True)
class _Unanswered:
    """A question to which its asker found nothing."""

    asker: Principal
    question: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class AccessService:
    """Access requests. `consider` is all that a request does; what follows happens in the background, by `work`.

    Questions wait in this process's memory: what waits when it ends is lost, and beyond the limit the oldest is. Only sources are
    searched whose owner wants to be asked and is a person: a group has no eyes to search with.
    """

    settings: Settings
    gate: GateReader
    sources: SourceRegistry
    policies: AnswerPolicies
    requests: AccessRequests
    audit: AuditLog
    search: OwnersSearch
    _waiting: deque[_Unanswered] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_waiting", deque(maxlen=self.settings.access_requests_waiting))

    def consider(self, asker: Principal, question: str, *, sources: Sequence[str] = ()) -> None:
        """Remember a question without an answer; the same little work whatever there is that the asker may not read."""
        self._waiting.append(_Unanswered(asker, question, tuple(sources)))

    def work(self) -> None:
        """Look for what waits. Raises Unavailable when the catalog or the index cannot be read; the question then waits on."""
        while self._waiting:
            unanswered = self._waiting.popleft()
            try:
                for source, owner in self._asked(unanswered).items():
                    self._request(unanswered, source, owner)
            except Unavailable:
                self._waiting.appendleft(unanswered)
                raise

    def owned(self, principal: Principal, *, after: str, count: int, request_id: str | None = None) -> AccessRequestPage:
        """Of the sources that the principal owns. Those for documents that the owner may not read now are left out."""
        found = self.requests.owned(principal, after=after, count=count + 1)
        readable = self.gate.why(principal, sorted({each.document for each in found}))
        shown = tuple(each for each in found[:count] if each.document in readable)
        actor, act_for = actors(principal)
        details = {"requests": [each.id for each in shown]}
        self.audit.record(AuditEntry(AuditAction.ACCESS_REQUESTS_READ, actor, act_for, request_id=request_id, details=details))
        return AccessRequestPage(shown, found[count - 1].id if len(found) > count else None)

    def _asked(self, unanswered: _Unanswered) -> Mapping[str, Principal]:
        """Sources, with their owners, that may be asked for this question."""
        reach = unanswered.asker.reach
        active = [each for each in self.sources.list() if each.state is not SourceState.RETIRED]
        named = [each for each in active if not unanswered.sources or each.spec.id in unanswered.sources]
        within = [each for each in named if reach is None or each.spec.id in reach]
        policies = self.policies.of([each.spec.id for each in within])
        owners = {each.spec.id: owner for each in within if (owner := _owner(each, policies)) is not None}
        return {source: owner for source, owner in owners.items() if owner.subject != unanswered.asker.subject}

    def _request(self, unanswered: _Unanswered, source: str, owner: Principal) -> None:
        found = self.search(owner, unanswered.question, source)
        hidden = _without(found, self._readable(unanswered.asker, found))[: self.settings.access_requests_documents]
        if hidden:
            self.requests.add(source, unanswered.asker.subject, hidden, unanswered.question)

    def _readable(self, asker: Principal, found: Sequence[ReadablePassage]) -> frozenset[str]:
        candidates = [Candidate(passage.id, passage.text) for passage in found]
        return frozenset(passage.document for passage in self.gate.gate(asker, candidates).readable)


def _owner(source: RegisteredSource, policies: Mapping[str, AnswerPolicy]) -> Principal | None:
    if not policies[source.spec.id].access_requests:
        return None
    owner = Principal.of_subject(source.spec.owner)
    return owner if owner is not None and owner.kind is PrincipalKind.USER else None


def _without(found: Sequence[ReadablePassage], readable: frozenset[str]) -> list[str]:
    """The documents, each once, in the order of their best passage."""
    return list(dict.fromkeys(passage.document for passage in found if passage.document not in readable))
