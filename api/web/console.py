"""What the console is made of, once for an application."""

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from api.web.assets import Assets
from api.web.pages import Pages
from api.web.provider import SignInProvider
from api.web.questions import SealedQuestions
from api.web.sessions import Sessions
from retrieval.domain.clock import Clock
from retrieval.settings import Settings


@dataclass(frozen=True)
class Console:
    """The console's parts. `provider` is None where people sign in with keys only."""

    assets: Assets
    pages: Pages
    sessions: Sessions
    questions: SealedQuestions
    provider: SignInProvider | None


def console(settings: Settings, token_key: bytes, clock: Clock) -> Console:
    """Raises InvalidInput: the client's secret cannot be read."""
    assets = Assets()
    provider = SignInProvider(settings, token_key, clock) if settings.console_oidc_client_id else None
    return Console(assets, Pages(assets), Sessions(settings, token_key, clock), SealedQuestions(token_key), provider)


def console_of(request: Request) -> Console:
    return cast(Console, request.app.state.console)
