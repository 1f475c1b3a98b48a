"""Identifiers, such as `ERR-1042`, `max_retries`, `retryPolicy`, `v2.3.1` and `conf/app.yaml`: sought whole and in parts."""

import re
from collections.abc import Iterator

MAX_IDENTIFIER = 128
"""Characters. What is longer, such as encoded bytes, is sought in its parts alone."""
LEAST_PART = 2
"""Letters. A word with a shorter part, such as `mRNA`, `iPhone` or `PhD`, is one word."""

_JOINT = r"[-_.:/\\@#\u2010\u2011\u2013]++"
_COMPOUND = re.compile(rf"(?<![^\W_])[^\W_]++(?:{_JOINT}[^\W_]++)++")
"""Words that marks join without a space. Possessive: linear in the text, whatever it holds."""
_JOINTS = re.compile(_JOINT)
_DIGITS_MEET = re.compile(rf"(?<=\d){_JOINT}(?=\d)")
_SEGMENTS = re.compile(r"[:/\\@#]+")
"""Marks that join identifiers to a longer one: a path's folders, an address's halves."""
_TELLING = re.compile(r"[\d_A-Z.:/\\@#]")
"""What tells an identifier from a word with a hyphen, such as `long-term`: ranking by those as a whole loses, measured."""
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z]{2})")
"""Between two parts of `retryPolicy` or `XMLParser`; not in `APIs`."""


def wholes(text: str) -> list[str]:
    """Each identifier that marks hold together, as one word without them.

    So `retry_policy`, `Retry.policy` and `RetryPolicy` are the same word. Between digits an `x` stands for the marks: `1.12` is not
    `11.2`.
    """
    return [whole for found in identifiers(text) for whole in _wholes(found)]


def identifiers(text: str) -> list[str]:
    """Those that marks hold together, as they are written."""
    return [found.group() for found in _COMPOUND.finditer(text) if _TELLING.search(found.group())]


def words(text: str) -> list[str]:
    """Runs of letters and digits, as they are written."""
    return _WORD.findall(text)


def humps(text: str) -> list[str]:
    """The parts of `camelCase`; those that marks hold together are words anyway."""
    return [part for word in words(text) for part in _parts(word)]


def codes(text: str) -> list[str]:
    """The identifiers whose parts mean little by themselves: with a digit, and opening with a letter or of three parts or more."""
    return [found.group() for found in _COMPOUND.finditer(text) if _is_code(found.group())]


def without_codes(text: str) -> str:
    return _COMPOUND.sub(lambda found: " " if _is_code(found.group()) else found.group(), text)


def _is_code(identifier: str) -> bool:
    has_digit = any(map(str.isdigit, identifier))
    return has_digit and (identifier[0].isalpha() or len(_JOINTS.findall(identifier)) > 1)


def _wholes(identifier: str) -> Iterator[str]:
    yield from _whole(identifier)
    segments = _SEGMENTS.split(identifier)
    for segment in segments if len(segments) > 1 else ():
        if _JOINTS.search(segment):
            yield from _whole(segment)


def _whole(identifier: str) -> Iterator[str]:
    if len(identifier) <= MAX_IDENTIFIER:
        yield _JOINTS.sub("", _DIGITS_MEET.sub("x", identifier))


def _parts(word: str) -> list[str]:
    if word.islower() or word.isupper() or len(word) > MAX_IDENTIFIER:
        return []
    parts = _HUMP.split(word)
    return parts if len(parts) > 1 and min(map(len, parts)) >= LEAST_PART else []
