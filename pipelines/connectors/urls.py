"""URLs that a web source may name, and the one form in which they are keys."""

import re

import httpx

from pipelines.connectors.port import FileRefused
from retrieval.adapters.network import urls

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def check_url(url: str, *, any_port: bool) -> httpx.URL:
    """The URL, parsed once: what is checked here is what is connected to.

    Raises:
        FileRefused: says which part is not allowed.
    """
    try:
        return urls.check_url(url, any_port=any_port)
    except urls.UrlRefused as refused:
        raise FileRefused(str(refused)) from refused


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
