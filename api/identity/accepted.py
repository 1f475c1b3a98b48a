"""Which credentials the service accepts, as the settings say, told apart by their form."""

from fastapi import Request

from api.authentication import ApiKeys, CredentialKind
from api.identity.claims import ClaimNames
from api.identity.development import PREFIX, DevelopmentCredentials, is_for_this_machine
from api.identity.provider import OidcProvider
from api.identity.signing_keys import KeyTimes, SigningKeys
from api.identity.tokens import AccessTokens, TokenRules
from retrieval.domain.clock import Clock
from retrieval.ports.keys import ApiKeyStore
from retrieval.settings import Settings


class AcceptedCredentials:
    """API keys always, access tokens where an issuer is configured, development credentials only when asked for."""

    def __init__(self, settings: Settings, store: ApiKeyStore, clock: Clock, *, development: bool = False) -> None:
        self._keys = ApiKeys(store, clock)
        self._tokens = access_tokens(settings, clock) if settings.oidc_issuer else None
        self._development = DevelopmentCredentials() if development else None

    def kind_of(self, request: Request, credential: str) -> CredentialKind:
        if self._development is not None and credential.startswith(PREFIX) and is_for_this_machine(request):
            return self._development
        return self._tokens if self._tokens is not None and "." in credential else self._keys


def access_tokens(settings: Settings, clock: Clock, *, audience: str = "") -> AccessTokens:
    """Tokens for this service, or those of the same issuer for another audience."""
    rules = TokenRules(
        issuer=settings.oidc_issuer,
        audience=audience or settings.oidc_audience,
        algorithms=frozenset(settings.oidc_allowed_algorithms),
        leeway_seconds=settings.oidc_leeway_seconds,
        max_characters=settings.oidc_token_max_characters,
        names=ClaimNames(settings.oidc_subject_claim, settings.oidc_groups_claim, settings.oidc_roles_claim),
    )
    provider = oidc_provider(settings)
    times = KeyTimes(settings.oidc_jwks_keep_seconds, settings.oidc_jwks_pause_seconds, settings.oidc_timeout_seconds)
    return AccessTokens(rules, SigningKeys(provider, rules.algorithms, times), clock)


def oidc_provider(settings: Settings) -> OidcProvider:
    return OidcProvider(settings.oidc_issuer, jwks_url=settings.oidc_jwks_url, timeout_seconds=settings.oidc_timeout_seconds)
