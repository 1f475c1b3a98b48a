"""Names in running text: capitalised words that belong together, and what stands in quotes. By letters alone, without a dictionary.

Made for scripts with capitals; in the others only quotes tell a name. Where a language writes every noun with a capital, a single word
tells nothing and only names of several words are taken.
"""
# ruff: noqa: RUF001 -- the punctuation of many scripts is what this file is about

import re
from functools import lru_cache
from itertools import groupby, pairwise

from retrieval.domain.documents import Span
from retrieval.domain.terms import terms

LONGEST_NAME_WORDS = 10
LONGEST_QUOTE = 60
"""Characters; a longer quote is speech."""
_SHOUTING = 0.6
"""Share of a text's words that are all capitals: above it, capitals tell nothing."""
_FEW_WORDS = 6
"""So few words may all be a name."""
_NOUNS_WITH_CAPITALS = frozenset({"und", "der", "die", "das", "den", "dem", "ist", "nicht", "mit", "ein", "eine"})
"""Words of the language that writes every noun with a capital."""
_FEW_OF_THEM = 0.05


def _capitals() -> str:
    """Every capital of the Basic Multilingual Plane as ranges of a character class."""
    codes = [code for code in range(0x10000) if chr(code).isupper() or chr(code).istitle()]
    runs = [[code for _, code in run] for _, run in groupby(enumerate(codes), key=lambda pair: pair[1] - pair[0])]
    return "".join(chr(run[0]) if len(run) == 1 else f"{chr(run[0])}-{chr(run[-1])}" for run in runs)


CAPITAL = f"[{_capitals()}]"
_WORD = rf"(?:(?:{CAPITAL}\.)++|(?:St|Dr|Mr|Mrs|Ms|Mt|Ste|Jr|Sr)\.(?=\s{CAPITAL})|{CAPITAL}\w*+(?:['’\-](?!s\b)\w++)*+)"
_PARTICLE = r"(?:of|the|de|la|le|du|des|del|della|di|da|do|dos|van|von|zu|zur|der|den|dem|bin|ibn|al|el|y|av|af|ter|ten|mac|ap|abu|ben)"
_NAME = re.compile(rf"(?<![\w'’@#/\-]){_WORD}(?:(?:\s|-\s|\s(?:{_PARTICLE}\s){{1,2}}+)(?:{_WORD}|\d{{1,4}}+(?![\w.,])))*+")
_JOINING = re.compile(r"\s(?:(?:and|in|for|to|on|at|with|a|an|from|by|or|is|und|et|e|i|och|og|&)\s){1,3}+(?:the\s)?|:\s|,\s")
"""Between two names that may be one: both are told, and the whole."""
_QUOTED = re.compile(r"[\"“«„]\s?([^\"“”«»„\n]{2,60}?)\s?[\"”»“]|《([^》\n]{1,60})》|「([^」\n]{1,60})」")
_LONGEST_JOINING = 16
_OF = re.compile(r"\s(?:of|de|von|di|du)\s(?:the\s)?")
_WORDS = re.compile(r"\S+")
_ARTICLES = frozenset({"the", "a", "an"})
_OPENING_ARTICLES = frozenset(
    """
    der die das den dem ein eine le la les un une el los las una il lo gli
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
_SENTENCE_START = re.compile(r"(?:\A|[.!?:;…]['\"”’»)\]]*\s+|\n\s*|[-•*]\s)[\"“«(\[]*\Z")
_CALENDAR = frozenset(
    """
    january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)


def names(text: str) -> list[Span]:
    """Where `text` names something, in order of the start; spans may overlap where one name may be part of a longer one.

    The first word of a sentence alone is no name unless the text writes it with a capital inside a sentence too.
    """
    written = text.split()
    lowered = frozenset(written)
    matches = list(_NAME.finditer(text))
    if len(written) > _FEW_WORDS and sum(map(str.isupper, written)) > _SHOUTING * len(written):
        return sorted({*_quoted(text)})
    capitals_tell = _capitals_tell(written, lowered)
    plain: list[Span] = []
    opening: list[Span] = []
    for match in matches:
        span, opens = _trimmed(text, match, lowered)
        if span is None:
            continue
        alone = " " not in span.of(text)
        if capitals_tell or not alone:
            (opening if opens and alone else plain).append(span)
        if opens and (tail := _without_first(text, span)) is not None:
            plain.append(tail)
    sure = {span.of(text) for span in plain}
    plain += [span for span in opening if span.of(text) in sure]
    plain.sort()
    return sorted({*plain, *_joined(text, plain), *_parts(text, plain), *_quoted(text)})


def _capitals_tell(written: list[str], lowered: frozenset[str]) -> bool:
    """Whether a capital inside a sentence tells a single word to be a name."""
    if lowered.isdisjoint(_NOUNS_WITH_CAPITALS):
        return True
    return sum(word in _NOUNS_WITH_CAPITALS for word in written) < _FEW_OF_THEM * len(written)


def _trimmed(text: str, match: re.Match[str], lowered: frozenset[str]) -> tuple[Span | None, bool]:
    """The name without words that only a sentence's start or the calendar writes with a capital, and whether it opens a sentence."""
    words = list(_WORDS.finditer(text, *match.span()))
    opens = _SENTENCE_START.search(text, max(0, match.start() - 8), match.start()) is not None
    first, last = 0, len(words)
    while first < last and _is_no_opening(words[first].group(), lowered, opens=opens and first == 0, alone=last - first == 1):
        first += 1
    if first == last or last - first > LONGEST_NAME_WORDS:
        return None, opens
    span = Span(words[first].start(), words[last - 1].end())
    return (span if len(span) > 1 else None), opens and first == 0


def _without_first(text: str, span: Span) -> Span | None:
    """`Later Ann Lee came`: the first word of a sentence may be no part of the name behind it, where that has two words or more."""
    words = list(_WORDS.finditer(text, span.start, span.end))
    return Span(words[1].start(), span.end) if len(words) > 2 and words[1].group()[0].isupper() else None


def _is_no_opening(word: str, lowered: frozenset[str], *, opens: bool, alone: bool) -> bool:
    lower = word.lower()
    if lower in _CALENDAR or not word[0].isupper():
        return True
    if lower in _ARTICLES:
        return alone
    if opens and lower in _OPENING_ARTICLES:
        return True
    return (opens and lower in lowered) or ((opens or alone) and len(word) > 1 and not word.isupper() and _is_stop_word(lower))


@lru_cache(maxsize=65_536)
def _is_stop_word(word: str) -> bool:
    return not terms(word)


def _joined(text: str, plain: list[Span]) -> list[Span]:
    """Two neighbours and what stands between, as one name."""
    found = []
    for one, other in pairwise(plain):
        between = text[one.end : other.start]
        if len(between) <= _LONGEST_JOINING and _JOINING.fullmatch(between):
            found.append(Span(one.start, other.end))
    return found


def _parts(text: str, plain: list[Span]) -> list[Span]:
    """`Lothair II of Lotharingia` is `Lothair II` and `Lotharingia` too; `King of Italy` is `Italy`."""
    found = []
    for span in plain:
        of = _OF.search(text, span.start, span.end)
        if of is not None:
            head = Span(span.start, of.start())
            found += [Span(of.end(), span.end), *([head] if " " in head.of(text) else [])]
    return found


def _quoted(text: str) -> list[Span]:
    found = []
    for match in _QUOTED.finditer(text):
        span = Span(*next(match.span(group) for group in (1, 2, 3) if match.group(group)))
        first = text[span.start]
        if not first.islower() and any(char.isalpha() for char in span.of(text)):
            found.append(span)
    return found
