"""The only place where an access scope is minted."""

from dataclasses import replace

from retrieval.domain.permissions import AccessScope, Principal
from retrieval.ports.reading import ScopeReader


def authorise(principal: Principal, scopes: ScopeReader, *, as_of: int | None = None) -> AccessScope:
    """What the principal may read now; with `as_of` of what was current at that revision. Raises CatalogUnavailable rather than guess."""
    scope = scopes.scope(principal)
    return scope if as_of is None else replace(scope, as_of=as_of)
