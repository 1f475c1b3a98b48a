"""Calling a running API. Its problems become the errors of the domain, so that every command fails in the same words."""

import ipaddress
from types import TracebackType
from typing import Any, Self

import httpx

from retrieval.domain.errors import ArchivistError, FieldProblem, InvalidInput, NotAuthenticated, NotAuthorised, NotReadable, Unavailable
from retrieval.settings import Settings


class ApiClient:
    """The API at `url`, called with `key`; where they are empty, as the settings say."""

    def __init__(self, settings: Settings, *, url: str = "", key: str = "", transport: httpx.BaseTransport | None = None) -> None:
        address = httpx.URL(url or settings.url or f"http://{settings.host}:{settings.port}")
        if address.scheme not in ("http", "https") or not address.host:
            raise InvalidInput.of("url", "must be an http or https URL")
        secret = key or settings.key
        if not secret:
            raise InvalidInput.of("key", "an API key is needed: set ARCHIVIST_KEY or pass --key")
        if not secret.isascii() or not secret.isprintable():
            raise InvalidInput.of("key", "is not an API key")
        self._client = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=settings.call_timeout_seconds,
            trust_env=not _is_this_machine(address.host),  # a proxy is not for this machine, and must not see the key
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The response's JSON.

        Raises:
            InvalidInput, NotAuthenticated, NotAuthorised, NotReadable, Unavailable: as the API answers.
            Unavailable: it does not answer.
        """
        return self._asked("POST", path, body)

    def get(self, path: str) -> dict[str, Any]:
        """The response's JSON. Raises like `post`."""
        return self._asked("GET", path, None)

    def _asked(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise Unavailable(f"the API at {self._client.base_url} does not answer ({type(error).__name__}): is it running?") from error
        content = _json_object(response)
        if response.is_success and content is not None:
            return content
        raise _error(response.status_code, content or {})


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        content = response.json()
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _error(status: int, problem: dict[str, Any]) -> ArchivistError:
    detail = str(problem.get("detail", f"the API answered {status}, and not in its own format: is the URL right?"))
    match status:
        case 401:
            return NotAuthenticated("the API does not accept this key")
        case 403:
            return NotAuthorised(detail)
        case 404:
            return NotReadable(detail)
        case 400 | 413 | 415 | 422 if problem.get("errors"):
            return InvalidInput([FieldProblem(str(e["field"]), str(e["problem"]), e.get("limit")) for e in problem["errors"]])
        case 503:
            return Unavailable(detail)
    reference = f" (request {problem['request_id']})" if "request_id" in problem else ""
    return ArchivistError(detail + reference)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
