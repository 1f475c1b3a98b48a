"""URLs that a web source may name, and the one form in which they are keys."""

import re
import unicodedata

import httpx

from pipelines.connectors.addresses import as_address
from pipelines.connectors.port import FileRefused

MAX_URL_LENGTH = 2048
_PORTS = frozenset({None, 80, 443})
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_AFTER_HOST = re.compile(r"[/?#]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_.])?|[0-9a-f:.]+")
_ENDS_IN_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")
"""What resolvers read as an address in octal, hexadecimal or fewer than four parts; no real domain ends so."""


def check_url(url: str, *, any_port: bool) -> httpx.URL:
    """The URL, parsed once: what is checked here is what is connected to.

    Raises:
        FileRefused: says which part is not allowed.
    """
    if len(url) > MAX_URL_LENGTH:
        raise FileRefused(f"a URL of more than {MAX_URL_LENGTH} characters")
    if any(char.isspace() or char == "\\" or unicodedata.category(char).startswith("C") for char in url):
        raise FileRefused("a URL has no spaces, backslashes or control characters")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise FileRefused("not a URL") from error
    if parsed.scheme not in {"http", "https"}:
        raise FileRefused("only http:// and https:// are read")
    if parsed.userinfo or "@" in _AFTER_HOST.split(url.partition("://")[2])[0]:
        raise FileRefused("a URL holds no user name or password")
    if not _HOST.fullmatch(parsed.raw_host.decode("ascii")):
        raise FileRefused("a URL names a host")
    if _ENDS_IN_NUMBER.search(parsed.host) and as_address(parsed.host) is None:
        raise FileRefused("an address is four plain numbers, as in 192.0.2.1")
    port = parsed.port
    if port not in _PORTS and not (any_port and port and port < 65536):
        raise FileRefused("only the ports 80 and 443 are read")
    return parsed.copy_with(fragment=None, raw_path=parsed.raw_path)


def key_of_url(url: str) -> str:
    """The URL without fragment, in its normal form: no needless escapes, so that globs and keys mean one thing.

    Raises:
        FileRefused: not a URL that a web source may name; ports are not looked at.
    """
    parsed = check_url(url, any_port=True)
    return str(httpx.URL(_ESCAPE.sub(_unescaped, str(parsed))))


def _unescaped(match: re.Match[str]) -> str:
    char = chr(int(match.group(1), 16))
    return char if char in _UNRESERVED else match.group(0).upper()
