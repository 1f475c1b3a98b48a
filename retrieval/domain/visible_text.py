"""What people see of a text. Characters that nobody sees can carry words to a program or turn the order of those that are seen."""

import unicodedata

OPENING_BRACKETS = r"\[<{\u3010\uff3b\uff1c"
"""Of labels, tags and templates, as a class of a regular expression: plain, corner and full-width."""

_SPACES = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029")
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc")
"""Letters and marks by category, yet nothing is drawn for them."""
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Controls, formats (zero-width, bidirectional, tags), halves of surrogate pairs, private use, unassigned."""
_HARMLESS_UNSEEN = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff\u034f")
"""Found in honest texts: hyphenation and joiners. Without them a text reads the same."""


def without_unseen(text: str) -> str:
    """`text` without what nobody sees; white space of every kind stays."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character for character in text if not is_unseen(character))


def is_unseen(character: str) -> bool:
    if character in _SPACES:
        return False
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _BLANK_LETTERS or _is_variation(character)


def is_smuggling(character: str) -> bool:
    """Whether no honest sentence holds the character: it moves a cursor, turns the writing or hides a letter."""
    return is_unseen(character) and character not in _HARMLESS_UNSEEN and character not in "\ufe0e\ufe0f"


def _is_variation(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
