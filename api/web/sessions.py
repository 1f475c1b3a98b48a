"""Sessions: a credential, sealed into a cookie that only this service opens.

The cookie holds the credential encrypted and authenticated, so that whoever has the cookie has a session and nothing more: the credential
cannot be read from it. Each request authenticates that credential anew, by the same way as a header's: a key that was revoked, a token
that expired or a person who was deactivated ends the session with the next request.
"""

import json
import secrets
import threading
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from fastapi import Request
from starlette.responses import Response

from api.authentication import AUTHORIZATION
from api.sealing import Seal, derived_key
from retrieval.domain.clock import Clock
from retrieval.domain.errors import InvalidInput, NotAuthenticated
from retrieval.settings import Settings

PATH = "/console"
MAX_COOKIE_CHARACTERS = 3_900
"""Browsers drop cookies of more than 4,096 bytes, name and attributes included, without a word."""
RENEW_SECONDS = 60
"""How much later than written the last request may have been; else every response would set the cookie."""
_PURPOSE = b"console session"
_BOUND_TO = b"archivist console session 1"


@dataclass(frozen=True)
class Session:
    """Somebody who has signed in. `csrf` stands in each form that the session is shown. Times are seconds since 1970."""

    id: str
    credential: str
    csrf: str
    started: int
    seen: int


class Sessions:
    """Begins, reads and ends sessions.

    Ending one is remembered in this process; in others a copy of the cookie works on until it is idle for too long.
    """

    def __init__(self, settings: Settings, token_key: bytes, clock: Clock) -> None:
        self._seal = Seal(derived_key(token_key, _PURPOSE))
        self._clock = clock
        self._idle = timedelta(seconds=settings.console_idle_seconds)
        self._whole = timedelta(seconds=settings.console_session_seconds)
        self.is_secure = settings.api_behind_https or settings.console_url.startswith("https:")
        self._ended: dict[str, datetime] = {}
        self._lock = threading.Lock()

    @property
    def cookie(self) -> str:
        """Its name; with the prefix, browsers take it by HTTPS only."""
        return "__Secure-archivist-session" if self.is_secure else "archivist-session"

    def begin(self, credential: str) -> Session:
        now = int(self._clock.now().timestamp())
        return Session(secrets.token_urlsafe(16), credential, secrets.token_urlsafe(24), now, now)

    def of(self, request: Request) -> Session:
        """Raises NotAuthenticated: no session, or one that is over."""
        written = request.cookies.get(self.cookie)
        if written is None:
            raise NotAuthenticated("no session")
        try:
            session = Session(**json.loads(self._seal.open(written, _BOUND_TO)))
        except ValueError as error:
            raise NotAuthenticated("not a session") from error
        if self._is_over(session):
            raise NotAuthenticated("the session is over")
        return session

    def keep(self, session: Session, response: Response) -> None:
        """Have the browser hold the session. Raises InvalidInput: the credential is too long for a cookie."""
        written = self._seal.close(json.dumps(asdict(session)).encode(), _BOUND_TO)
        if len(written) > MAX_COOKIE_CHARACTERS:
            raise InvalidInput.of("credential", "is too long to be kept for a session", limit=f"{MAX_COOKIE_CHARACTERS} characters, sealed")
        response.set_cookie(self.cookie, written, path=PATH, secure=self.is_secure, httponly=True, samesite="strict")

    def renew(self, session: Session, response: Response) -> None:
        """Count the idle time from now, unless it was ended."""
        now = int(self._clock.now().timestamp())
        if now - session.seen >= RENEW_SECONDS and not self._is_over(session):
            self.keep(replace(session, seen=now), response)

    def end(self, session: Session, response: Response) -> None:
        now = self._clock.now()
        with self._lock:
            self._ended = {id_: until for id_, until in self._ended.items() if until > now}
            self._ended[session.id] = now + self._whole
        response.delete_cookie(self.cookie, path=PATH, secure=self.is_secure, httponly=True, samesite="strict")

    def _is_over(self, session: Session) -> bool:
        now = self._clock.now().timestamp()
        with self._lock:
            if session.id in self._ended:
                return True
        return now - session.started >= self._whole.total_seconds() or now - session.seen >= self._idle.total_seconds()


def carrying(request: Request, credential: str) -> Request:
    """The same request with the credential in its header, and without any that the browser sent there itself."""
    host = [(name, value) for name, value in request.scope["headers"] if name == b"host"]
    return Request({**request.scope, "headers": [*host, (AUTHORIZATION.encode(), b"Bearer " + credential.encode())]})
