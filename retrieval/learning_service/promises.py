"""What owners and applications have been promised: how strict to be with a source's answers, whose words stay their own."""

from collections.abc import Collection

from retrieval.domain.answer_policy import RiskTier
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.ports.answer_policies import AnswerPolicies
from retrieval.settings import Settings

EVERY_APPLICATION = "*"


def has_promise(principal: Principal, settings: Settings) -> bool:
    """Whether the application through which the principal asks is one whose users' words no owner reads."""
    promised = {name.strip() for name in settings.gap_topics_only_applications.split(",") if name.strip()}
    application = principal if principal.kind is PrincipalKind.APP else principal.through
    return EVERY_APPLICATION in promised or (application is not None and application.subject in promised)


def strictest_tier(policies: AnswerPolicies, sources: Collection[str]) -> RiskTier:
    """Of the sources that an answer stands on; without any, the usual one."""
    tiers = {policy.risk_tier for policy in policies.of(sorted(sources)).values()} if sources else set()
    return max(tiers, key=list(RiskTier).index, default=RiskTier.STANDARD)
