"""A request's query as the service takes it."""

from collections.abc import Sequence

from api.dependencies import Parts
from api.moments import moment_of
from retrieval.domain.errors import InvalidInput
from retrieval.domain.queries import Query


def query_of(
    parts: Parts,
    *,
    text: str,
    top_k: int | None,
    sources: Sequence[str],
    at_least: str | None,
    as_of: str | None = None,
    explain: bool = False,
) -> Query:
    """Defaults filled in and the consistency token opened. The service checks the other limits on `query` and `top_k`.

    Raises:
        InvalidInput: names `query`, `sources`, `at_least` or `as_of`.
        RevisionNotReached: the catalog that answers has not come as far as `as_of`.
    """
    settings = parts.settings
    if len(text) <= settings.query_max_characters and len(text.encode()) > settings.query_max_bytes:
        raise InvalidInput.of("query", "is too long", limit=f"{settings.query_max_bytes} bytes in UTF-8")
    if len(sources) > settings.request_max_sources:
        raise InvalidInput.of("sources", "has too many entries", limit=f"{settings.request_max_sources} sources")
    return Query(
        text=text,
        top_k=settings.query_default_top_k if top_k is None else top_k,
        depth=settings.query_depth,
        sources=tuple(dict.fromkeys(sources)),
        at_least=parts.tokens.open(at_least),
        explain=explain,
        as_of=moment_of(parts, as_of),
    )
