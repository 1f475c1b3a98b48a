"""What applications have been promised: whose users' words stay their own."""

from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.settings import Settings

EVERY_APPLICATION = "*"


def has_promise(principal: Principal, settings: Settings) -> bool:
    """Whether the application through which the principal asks is one whose users' words no owner reads."""
    promised = {name.strip() for name in settings.gap_topics_only_applications.split(",") if name.strip()}
    application = principal if principal.kind is PrincipalKind.APP else principal.through
    return EVERY_APPLICATION in promised or (application is not None and application.subject in promised)
