"""Quoted phrases: what a query asks for word by word, and whether a text holds it.

Texts are compared as sequences of words and marks. Case, white space, typographic variants of quotes and hyphens and Unicode's
compatibility forms do not count; every other mark does, so `ERR-1042` is not `ERR 1042`.
"""
# ruff: noqa: RUF001 -- the quotes of many scripts are what this file is about

import re
import unicodedata
from collections.abc import Iterator, Sequence

from retrieval.domain.errors import InvalidInput

_CLOSERS = {'"': '"', "＂": "＂", "“": "”“", "„": "“”", "”": "”", "«": "»", "»": "«", "「": "」", "『": "』"}
"""An opening quote and what may close it. Curled quotes are used in either direction, depending on the language."""
_DIRECTED = frozenset("「『」』")
"""Quotes that say by themselves whether they open or close; the others open before a word and close behind one."""
_TRAILING = ".,;:!?… "
"""Marks that American style puts before the closing quote, whether they belong to the phrase or not."""

_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that put no space between words: each of their characters stands for itself."""
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+|[^\w\s]|_")
_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "ǃ": "!",
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
    }
)
_MARK = "ǃ"
"""A letter of no European language: before its number it keeps a mark apart from every word."""
BOUNDARY = _MARK
"""Between worded texts: in none of them, so that no phrase reaches from one into the next."""


def phrases_in(query: str) -> tuple[str, ...]:
    """The query's quoted phrases in order, each once, without their quotes. A quote that nothing closes is text.

    What holds neither a letter nor a digit is no phrase.
    """
    found = (phrase.strip(_TRAILING) for phrase in _quoted(query))
    return tuple(dict.fromkeys(phrase for phrase in found if any(map(str.isalnum, phrase))))


def checked_phrases(query: str, *, most: int, most_words: int) -> tuple[str, ...]:
    """The same.

    Raises:
        InvalidInput: names `query`: more phrases than `most`, or one with more words and marks than `most_words`.
    """
    found = phrases_in(query)
    if len(found) > most:
        raise InvalidInput.of("query", "has too many quoted phrases", limit=f"{most} phrases")
    if any(len(worded(phrase).split()) > most_words for phrase in found):
        raise InvalidInput.of("query", "has too long a quoted phrase", limit=f"{most_words} words and marks")
    return found


def worded(text: str) -> str:
    """The text's words and marks with a space between any two: equal for texts that are equal but for what does not count.

    Every token is made of letters and digits, marks of the letter U+01C3 and their code.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.translate(_SAME)).casefold())
    return " ".join(_token(match.group()) for match in _TOKEN.finditer(folded.translate(_SAME)))


def holds(phrases: Sequence[str], *texts: str) -> bool:
    """Whether each phrase stands in one of the texts, whole, from the beginning of a word to the end of one."""
    places = [f" {worded(text)} " for text in texts] if phrases else []
    return all(any(f" {worded(phrase)} " in place for place in places) for phrase in phrases)


def _token(token: str) -> str:
    return token if token.isalnum() else f"{_MARK}{ord(token):x}"


def _quoted(query: str) -> Iterator[str]:
    unclosed: set[str] = set()
    at = 0
    while at < len(query):
        closers = _CLOSERS.get(query[at], "")
        end = _end(query, at, closers) if closers and closers not in unclosed and _opens(query, at) else at
        if end is None:
            unclosed.add(closers)
        elif end > at:
            yield query[at + 1 : end]
        at = max(at, end or 0) + 1


def _opens(query: str, at: int) -> bool:
    return query[at] in _DIRECTED or at == 0 or not query[at - 1].isalnum()


def _end(query: str, start: int, closers: str) -> int | None:
    """Where the quote that opens at `start` is closed; None where nothing closes it, nor any that opens later."""
    for at in range(start + 1, len(query)):
        if query[at] in closers and (query[at] in _DIRECTED or at + 1 == len(query) or not query[at + 1].isalnum()):
            return at
    return None
