"""The only place where an access scope is minted."""

from retrieval.domain.permissions import AccessScope, Principal
from retrieval.ports.reading import ScopeReader


def authorise(principal: Principal, scopes: ScopeReader) -> AccessScope:
    """What the principal may read now. Raises CatalogUnavailable rather than guess."""
    return scopes.scope(principal)
