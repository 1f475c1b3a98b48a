"""URLs that somebody else names: parsed once, and checked as far as that is possible without resolving a name."""

import re
import unicodedata

import httpx

from retrieval.adapters.network.addresses import as_address
from retrieval.domain.errors import ArchivistError

MAX_URL_LENGTH = 2048
_PORTS = frozenset({None, 80, 443})
_AFTER_HOST = re.compile(r"[/?#]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_.])?|[0-9a-f:.]+")
_ENDS_IN_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")
"""What resolvers read as an address in octal, hexadecimal or fewer than four parts; no real domain ends so."""


class UrlRefused(ArchivistError):
    """A URL, or the address that it leads to, that must not be reached."""


def check_url(url: str, *, any_port: bool) -> httpx.URL:
    """The URL, parsed once: what is checked here is what is connected to.

    Raises:
        UrlRefused: says which part is not allowed.
    """
    if len(url) > MAX_URL_LENGTH:
        raise UrlRefused(f"a URL of more than {MAX_URL_LENGTH} characters")
    if any(char.isspace() or char == "\\" or unicodedata.category(char).startswith("C") for char in url):
        raise UrlRefused("a URL has no spaces, backslashes or control characters")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UrlRefused("not a URL") from error
    if parsed.scheme not in {"http", "https"}:
        raise UrlRefused("only http:// and https:// are read")
    if parsed.userinfo or "@" in _AFTER_HOST.split(url.partition("://")[2])[0]:
        raise UrlRefused("a URL holds no user name or password")
    if not _HOST.fullmatch(parsed.raw_host.decode("ascii")):
        raise UrlRefused("a URL names a host")
    if _ENDS_IN_NUMBER.search(parsed.host) and as_address(parsed.host) is None:
        raise UrlRefused("an address is four plain numbers, as in 192.0.2.1")
    port = parsed.port
    if port not in _PORTS and not (any_port and port and port < 65536):
        raise UrlRefused("only the ports 80 and 443 are read")
    return parsed.copy_with(fragment=None, raw_path=parsed.raw_path)
