"""What follows from an escalation: who may not decide it, and whether its draft was right."""

from retrieval.domain.escalations import EscalationDraft, Resolution, ResolutionKind
from retrieval.domain.permissions import Principal


def askers(asker: Principal) -> frozenset[str]:
    """Subjects that may not decide what this principal asks: itself, and the application that asked for it."""
    return frozenset({asker.subject} | ({asker.through.subject} if asker.through is not None else set()))


def was_right(draft: EscalationDraft, resolution: Resolution) -> bool | None:
    """Whether a draft was right by what the reviewer decided; None when there was no draft.

    Right: approved, or amended so that it stands on nothing that the draft did not cite. Wrong: everything else, a rejection included.
    """
    if not draft.sentences:
        return None
    if resolution.kind is not ResolutionKind.AMENDED:
        return resolution.kind is ResolutionKind.APPROVED
    drafted = {(cited.version, cited.span) for sentence in draft.sentences for cited in sentence.cites}
    return all((cited.version, cited.span) in drafted for sentence in resolution.sentences for cited in sentence.cites)
