"""API keys for those who ask, made when they first do."""

from collections.abc import Mapping

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.clock import Clock
from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import DEFAULT_ROLES, Role
from tests.permissions.oracle import Asking


class Credentials:
    """The headers that somebody sends."""

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock
        self._keys: dict[tuple[str, frozenset[str] | None], ApiKey] = {}

    def headers(self, asking: Asking) -> Mapping[str, str]:
        """An application's key stands first; the user's goes beside it."""
        if asking.application is None:
            assert asking.user is not None
            return {"Authorization": f"Bearer {self.key(asking.user, asking.only_folders).written}"}
        headers = {"Authorization": f"Bearer {self.key(asking.application, asking.only_folders).written}"}
        return headers if asking.user is None else headers | {"X-On-Behalf-Of": self.key(asking.user).written}

    def key(self, subject: str, sources: frozenset[str] | None = None) -> ApiKey:
        if (subject, sources) not in self._keys:
            self._keys[subject, sources] = self.new_key(subject, sources=sources)
        return self._keys[subject, sources]

    def new_key(self, subject: str, *, sources: frozenset[str] | None = None, roles: frozenset[Role] | None = None) -> ApiKey:
        kind = PrincipalKind(subject.partition(":")[0])
        key = ApiKey.generate()
        principal = Principal(subject.partition(":")[2], kind, sources=sources)
        stored = StoredApiKey(key.id, key.secret_hash, principal, "", self._clock.now(), roles=roles or DEFAULT_ROLES[kind])
        self._catalog.keys.add(stored)
        return key

    def revoke(self, key: ApiKey) -> None:
        self._catalog.keys.revoke(key.id, self._clock.now())
