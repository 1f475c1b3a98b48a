"""Sentences as spans of a text. Small and deterministic; made for prose in Latin script and full-width punctuation.

A sentence ends at a blank line, before a list marker on its own line, and at `.`, `!`, `?` or their full-width forms, unless what
stands around the mark says otherwise: a known abbreviation, an initial, the number of a list entry, or a small letter that carries on.
"""
# ruff: noqa: RUF001 -- the punctuation of many scripts is what this file is about

import re
from collections.abc import Iterator

from retrieval.domain.documents import Span

_CLOSING = "\"'”’»)\\]}"
_OPENING = "\"'“‘«(\\[{¿¡*_"
_END = re.compile(
    rf"(?P<wide>[。！？]++[{_CLOSING}」』）]*+)"
    rf"|(?<![.!?…])(?P<mark>[.!?…]++)[{_CLOSING}]*+(?=\s)"
    r"|(?P<line>\n(?=[^\S\n]*+(?:\n|(?:[-*•‣▪◦–]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s)))"
)
"""Possessive throughout: linear in the text, whatever it holds."""
_NEXT = re.compile(rf"\s*(?:[{_OPENING}]*)(\S?)")
_FIRST_WORD = re.compile(rf"\s*[{_OPENING}]*(\w+)")
_LAST_WORD = re.compile(r"(?:[^\W_]+\.)*[^\W_]+\Z")
_ENUMERATOR = re.compile(r"\s*[(\[]?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})\Z")
_LONGEST_WORD = 40

_ALWAYS = """
    adm al approx asst atty ave bldg blvd ca capt cf cmdr col comdr dept det dir dist dr ed eds e.g eg eqn eq est esp ext fig figs gen
    gov hon i.e ie incl insp lt maj max messrs min mme mr mrs ms mt n.b nr op para paras pl pp pres prof prop ref refs rep resp rev
    sec sen sgt sr st supt tel univ viz vol vols vs a.k.a s.t z.b d.h bzw ggf vgl
"""
"""After these a sentence goes on, whatever follows."""
_BEFORE_NUMBER = """
    art ch chap cl no nos p par pt sect tab v ver jan feb mar apr jun jul aug sep sept oct nov dec
"""
"""After these a sentence goes on when a number follows."""
_STARTERS = """
    A After All Also Although An And Any As At Because Before Both But By Each Finally First For From Further Furthermore He Here How
    However I If In It Its Many More Most Moreover My No None Not Of On One Only Or Our She Since So Some Such That The Their Then
    There These They This Those Thus To Under Unless Until We What When Where Which While Who Why With You Your
"""
"""Words that open a sentence: before them a single letter is more likely its last word than somebody's initial."""
_ALWAYS_WORDS, _BEFORE_NUMBER_WORDS, _STARTER_WORDS = (frozenset(words.split()) for words in (_ALWAYS, _BEFORE_NUMBER, _STARTERS))


def sentences(text: str) -> list[Span]:
    """The sentences of `text` in order: never empty, without surrounding white space, together every other character."""
    found: list[Span] = []
    start = 0
    for end in _ends(text):
        _append_trimmed(found, text, start, end)
        start = end
    _append_trimmed(found, text, start, len(text))
    return found


def _ends(text: str) -> Iterator[int]:
    start = 0
    for match in _END.finditer(text):
        if match.lastgroup == "mark" and _carries_on(text, start, match):
            continue
        start = match.end()
        yield start


def _carries_on(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the mark is inside a sentence that began at `start` rather than its end."""
    following = _NEXT.match(text, match.end())
    first = following.group(1) if following else ""
    if first.islower():
        return True
    if match.group("mark") != ".":
        return False
    before = text[max(start, match.start() - _LONGEST_WORD) : match.start()]
    if start + len(before) == match.start() and _ENUMERATOR.match(before):
        return True
    return _abbreviates(before, first, text, match.end())


def _abbreviates(before: str, first: str, text: str, end: int) -> bool:
    found = _LAST_WORD.search(before)
    if found is None:
        return False
    word = found.group()
    lowered = word.lower()
    if lowered in _ALWAYS_WORDS:
        return True
    if lowered in _BEFORE_NUMBER_WORDS:
        return first.isdigit()
    if (len(word) == 1 and word.isupper()) or _is_initials(word):
        opening = _FIRST_WORD.match(text, end)
        return opening is None or opening.group(1) not in _STARTER_WORDS
    return False


def _is_initials(word: str) -> bool:
    """Whether a word is letters with points between, such as `U.S` or `p.m`."""
    return "." in word and all(len(part) == 1 and part.isalpha() for part in word.split("."))


def _append_trimmed(found: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        found.append(Span(start, end))
