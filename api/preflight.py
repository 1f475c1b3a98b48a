"""Settings with which the service does not start: each would let somebody in, or out, who has no business there."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from api.identity.signing_keys import ALGORITHMS
from api.loopback import is_loopback, is_private_url
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.permissions import ISSUER_SEPARATOR
from retrieval.settings import ENV_PREFIX, Settings

_CHANGING_CLAIMS = frozenset({"email", "preferred_username", "upn", "unique_name", "name", "nickname"})
"""They name a person today; tomorrow they may name another."""


def check_startable(settings: Settings, *, development: bool = False) -> None:
    """Raises InvalidInput naming every setting that keeps the service from starting."""
    problems = [*_of_identity(settings), *_of_console(settings), *_of_index(settings)]
    if development and not is_loopback(settings.host):
        problems.append(
            _problem("host", "must be a loopback address, such as 127.0.0.1, with --dev: it lets in whoever can reach the port")
        )
    if problems:
        raise InvalidInput(problems)


def _of_identity(settings: Settings) -> Iterator[FieldProblem]:
    if bool(settings.oidc_issuer) != bool(settings.oidc_audience):
        missing, given = ("oidc_audience", "oidc_issuer") if settings.oidc_issuer else ("oidc_issuer", "oidc_audience")
        yield _problem(missing, f"must be set with {_name(given)}: a token is for this service only when it says so, and who says so")
    if settings.oidc_issuer and not _is_issuer(settings.oidc_issuer):
        yield _problem("oidc_issuer", "must be an https URL without query or fragment; http is for loopback only")
    if settings.oidc_jwks_url and not is_private_url(settings.oidc_jwks_url):
        yield _problem("oidc_jwks_url", "must be an https URL; http is for loopback only")
    if not settings.oidc_allowed_algorithms or not set(settings.oidc_allowed_algorithms) <= set(ALGORITHMS):
        yield _problem("oidc_algorithms", "must name one or more of these, and no other", limit=", ".join(ALGORITHMS))
    if not settings.oidc_subject_claim or settings.oidc_subject_claim in _CHANGING_CLAIMS:
        yield _problem("oidc_subject_claim", "must be a claim that never names another person, such as sub or oid")


def _of_console(settings: Settings) -> Iterator[FieldProblem]:
    if settings.console_url and (not is_private_url(settings.console_url) or urlsplit(settings.console_url).path not in ("", "/")):
        yield _problem("console_url", "must be an https URL without a path; http is for loopback only")
    if settings.console_oidc_client_id and not (settings.oidc_issuer and settings.console_url):
        missing = "console_url" if settings.oidc_issuer else "oidc_issuer"
        yield _problem(missing, f"must be set with {_name('console_oidc_client_id')}: whoever signs in is sent there and back")


def _of_index(settings: Settings) -> Iterator[FieldProblem]:
    if settings.index_backend != "server" or settings.qdrant_api_key:
        return
    if not is_loopback(_host(settings.qdrant_url)):
        yield _problem("qdrant_api_key", f"must be set when {_name('qdrant_url')} is another machine: the index holds every passage")


def _is_issuer(url: str) -> bool:
    is_plain = url.isascii() and url.isprintable() and not any(character in url for character in (" ", "?", "#", ISSUER_SEPARATOR))
    return is_plain and is_private_url(url)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _problem(setting: str, problem: str, *, limit: str | None = None) -> FieldProblem:
    return FieldProblem(_name(setting), problem, limit)


def _name(setting: str) -> str:
    return ENV_PREFIX + setting.upper()
