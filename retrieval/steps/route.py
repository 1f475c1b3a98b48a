"""To whom a question is handed, and how soon they should decide. From the sources of what its asker may read, and from nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from retrieval.domain.answer_policy import AnswerPolicy, strictest_tier
from retrieval.domain.escalation_rules import askers
from retrieval.domain.escalations import EscalationDraft, Priority
from retrieval.domain.permissions import EVERYONE, Principal, PrincipalKind


@dataclass(frozen=True)
class Route:
    """Attributes:
    source: whose reviewers they are; empty: every reviewer's.
    hours: within which a person should decide.
    """

    priority: Priority
    hours: int
    source: str = ""
    reviewers: tuple[str, ...] = ()
    skill: str = ""


def route(
    draft: EscalationDraft,
    asker: Principal,
    policies: Mapping[str, AnswerPolicy],
    *,
    hours: Mapping[Priority, int],
    owner: Callable[[str], str | None],
    sees_all: Callable[[Principal], bool],
) -> Route:
    """The reviewers that the owner of the most important source named, or the owner.

    The most important source is the one that the draft cites first, else the one of the best evidence. Of the people named, those come
    first who may read all of the evidence; where there is none of them, the owner is asked, too. Whether members of a named group may
    read it is not looked at. Whoever asks is left out, and where nobody else is named, or nothing was found, every reviewer may have it.
    """
    named = [policies[place.source] for place in draft.evidence]
    priority = Priority(strictest_tier(named).value)
    soonest = min((policy.review_hours for policy in named if policy.review_hours), default=hours[priority])
    source = _most_important(draft)
    if not source:
        return Route(priority, soonest)
    reviewers = _reviewers(policies[source], askers(asker), owner(source), sees_all)
    if not reviewers:
        return Route(priority, soonest)
    return Route(priority, soonest, source, reviewers, policies[source].skill)


def _most_important(draft: EscalationDraft) -> str:
    cited = [cited.source for sentence in draft.sentences for cited in sentence.cites]
    return next(iter([*cited, *(place.source for place in draft.evidence)]), "")


def _reviewers(policy: AnswerPolicy, excluded: frozenset[str], owner: str | None, sees_all: Callable[[Principal], bool]) -> tuple[str, ...]:
    owners = () if owner is None or owner == EVERYONE else (owner,)
    named = [subject for subject in policy.reviewers or owners if subject not in excluded and subject != EVERYONE]
    seeing = [subject for subject in named if _sees(subject, sees_all)]
    if not seeing:
        named += [subject for subject in owners if subject not in excluded]
    return tuple(dict.fromkeys(seeing or named))


def _sees(subject: str, sees_all: Callable[[Principal], bool]) -> bool:
    principal = Principal.of_subject(subject)
    return principal is None or (principal.kind is PrincipalKind.USER and sees_all(principal))
