"""Cohere's own client, as its models are reached through it."""

from dataclasses import dataclass, field

import httpx
from cohere import AsyncClientV2
from cohere.core.api_error import ApiError
from cohere.core.parse_error import ParsingError

from retrieval.adapters.models import provider_http
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.sources import Classification

FAILURES = (ApiError, ParsingError, *provider_http.FAILURES)


@dataclass(frozen=True)
class CohereAccess:
    """Where and with which key.

    Attributes:
        base_url: the provider's, or a gateway's.
        most_sensitive: most that a source's classification may be for its passages to be sent there.
    """

    model: str
    key: str = field(repr=False)
    base_url: str
    most_sensitive: Classification

    def __post_init__(self) -> None:
        """Raises InvalidInput for what could not be sent, or only in the clear."""
        provider_http.check_key(self.key, setting="ARCHIVIST_COHERE_API_KEY")
        provider_http.check_url(self.base_url, setting="ARCHIVIST_COHERE_BASE_URL")

    def http(self, *, response_bytes: int, reads: provider_http.Reads | None = None) -> httpx.AsyncClient:
        return provider_http.provider_client(self.base_url, key=self.key, response_bytes=response_bytes, reads=reads)

    def client(self, http: httpx.AsyncClient) -> AsyncClientV2:
        return AsyncClientV2(self.key, base_url=self.base_url, max_retries=0, httpx_client=http)


def failure(error: Exception) -> CallFailed:
    """What one of `FAILURES` says to a guard."""
    if isinstance(error, ApiError | ParsingError):
        return provider_http.refusal(error.status_code, error.headers or {})
    return provider_http.failure(error)
