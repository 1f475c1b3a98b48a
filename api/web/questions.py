"""Questions in addresses of pages, sealed: they can be opened again, gone back to and bookmarked, and no log or history tells them."""

from api.sealing import Seal, derived_key
from retrieval.domain.errors import NotReadable
from retrieval.domain.permissions import Principal

_PURPOSE = b"console question"
_BOUND_TO = b"archivist console question 1\0"


class SealedQuestions:
    """Seals a question for whoever asked it; nobody else's session opens it, and nobody can make a link that asks for another."""

    def __init__(self, token_key: bytes) -> None:
        self._seal = Seal(derived_key(token_key, _PURPOSE))

    def seal(self, principal: Principal, question: str) -> str:
        return self._seal.close(question.encode(), _bound_to(principal))

    def open(self, principal: Principal, sealed: str) -> str:
        """Raises NotReadable for anything that `seal` did not make for this principal."""
        try:
            return self._seal.open(sealed, _bound_to(principal)).decode()
        except ValueError as error:
            raise NotReadable("not a question of this principal") from error


def _bound_to(principal: Principal) -> bytes:
    return _BOUND_TO + principal.subject.encode()
