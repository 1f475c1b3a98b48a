"""Generated text as plain sentences: nothing in them is drawn, opened or run by whatever shows them.

Two things happen to a sentence. What can be taken off without a trace is: emphasis, marks of lists and headings, joiners. Then, on what
is left, one active thing refuses the whole sentence, because a sentence that carries one was not written to answer a question, and
mending hostile text is a game that the mender loses. The order matters: what taking off puts together is looked at as well.

What is active is judged by the most eager reader: Markdown, HTML, a terminal, a chat program that links every `name.tld` it meets.
"""

import re
import unicodedata
from html import unescape

from retrieval.domain.visible_text import is_smuggling, without_unseen

LONGEST_WORD = 60
"""A longer run of ASCII without a space is no word: encoded data, or a key."""
STACKED_MARKS = 3
"""So many combining marks upon one letter belong to no script: they cover the lines around."""

_LEADING = re.compile(r"\A(?:[#>]+\s+|[-*+\u2022\u2023\u25aa\u25e6\u2013]\s+|\(?\d{1,2}\)\s+)+")
_EMPHASIS = re.compile(r"(?<!\w)[*_]++(?=\S)|(?<=\S)[*_]++(?!\w)|~~+")
"""Where it opens or closes; inside a word it may be an operator or a part of a name."""
_EMPTY_BRACKETS = re.compile(r"\s*(?:\[\s*\]|\(\s*\)|\u3010\s*\u3011)")
_SPACE_BEFORE_END = re.compile(r"\s+(?=[.,;:!?](?:\s|\Z))")

_DOTS = r"[.\u3002\uff0e\uff61\u2024]"
_INERT_ENDINGS = re.compile(r"(?:txt|[ct]sv|json|ya?ml|xml|pdf|docx?|xlsx?|pptx?|odt|log|ini|cfg|conf|toml|sql|js)\Z", re.IGNORECASE)
"""Endings of files that are no top-level domains: nothing links `report.pdf`."""
_ACTIVE = re.compile(
    r"""
      `                                                # code
    | <[a-z/!?%@#]                                     # tags, comments, mentions
    | %[0-9a-f]{2}%[0-9a-f]{2} | %(?:3[ace]|2[2f]|00)  # percent-encoding
    | \\(?:x[0-9a-f]{2}|u[{0-9a-f])                    # escapes
    | \\[a-z]+\s*[{\[]                                 # TeX
    | \\\\\w                                           # network paths
    | \{\{ | \{% | \$\{ | \$\(                         # templates, substitution
    | !\[ | \]\s*[(\[:] | \[\[                         # images, links, references
    | \w:// | //\w | \bwww\b. | xn--                   # addresses
    | \b(?:https?|javascript|vbscript|livescript|data|mailto|tel|sms|file|blob|ftp|ws|wss|cid|jar|about|intent|magnet|ssh|git|ldap):\S
    | [^\s@]@[^\s@] | (?<!\w)@\w                       # e-mail addresses, mentions
    | \d(?:\.\d+){3}[/:]\w                             # addresses of machines
    | \A[=@|\t]                                        # formulas, rows of tables
    """,
    re.IGNORECASE | re.VERBOSE,
)
_HOST = re.compile(rf"[\w-]{_DOTS}(?P<ending>[^\W\d_]{{2,}})(?!\w)")
_STACK = re.compile(rf"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{{{STACKED_MARKS},}}")
_NO_WORD = re.compile(rf"[!-~]{{{LONGEST_WORD + 1},}}")


def plain_sentence(text: str) -> str | None:
    """One generated sentence as plain text on one line; None when it holds anything active or hidden, or no word."""
    if any(is_smuggling(character) for character in text):
        return None
    line = " ".join(without_unseen(text).split())
    bare = _EMPTY_BRACKETS.sub("", _EMPHASIS.sub("", _LEADING.sub("", line)))
    plain = _SPACE_BEFORE_END.sub("", " ".join(bare.split()))
    if not any(character.isalnum() for character in plain) or is_active(plain):
        return None
    return plain


def is_active(text: str) -> bool:
    """Whether some program that shows `text` would draw, link or run a part of it. Full-width and other compatible forms count alike."""
    return any(_acts(form) for form in {text, unicodedata.normalize("NFKC", text)})


def _acts(text: str) -> bool:
    if unescape(text) != text:
        return True  # a character reference, which HTML reads without its semicolon, too
    if _ACTIVE.search(text) or _NO_WORD.search(text) or _STACK.search(unicodedata.normalize("NFD", text)):
        return True
    return any(not _INERT_ENDINGS.match(found["ending"]) for found in _HOST.finditer(text))
