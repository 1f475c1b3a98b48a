"""In what one thing two statements differ, so that not both can be true. Empty for all that is no contradiction beyond doubt."""

from collections.abc import Sequence

from retrieval.domain.asked_for import asked_kinds, asks_for_a_name
from retrieval.domain.documents import Span
from retrieval.domain.quantities import Quantity
from retrieval.domain.statements import Statement, opposed
from retrieval.domain.terms import stem, terms

SAME_STATEMENT = 0.75
"""Part of the terms of both together that both have, where a sentence is said again but for one thing."""
SAME_MATTER = 0.4
"""The same where that one thing is what the question asks for."""
LONGEST_NAME = 5
"""Words."""
_JOINING = frozenset({"and", "or"})


def contradiction(question: str, one: Statement, other: Statement) -> str:
    """The two values, or the words, in which they differ, as `30 days / 25 days`; empty where they do not contradict each other."""
    if one.marks != other.marks:
        return ""
    alike = shared(one.terms, other.terms)
    if alike < SAME_MATTER:
        return ""
    if alike < SAME_STATEMENT:
        return _quantity(one, other, asked_kinds(question), only_asked=True)
    return _quantity(one, other, asked_kinds(question)) or _polarity(one, other) or _name(question, one, other)


def shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Part of the terms of both together that both have, 0 to 1 (Jaccard)."""
    return len(one & other) / len(one | other) if one or other else 0.0


def _quantity(one: Statement, other: Statement, asked: frozenset[str], *, only_asked: bool = False) -> str:
    if _have_other_names(one, other) or one.negations != other.negations or _are_opposed(one, other):
        return ""
    pairs = _paired(one.quantities, other.quantities)
    differing = [pair for pair in pairs if not pair[0].agrees_with(pair[1])]
    if len(differing) != 1:
        return ""
    mine, theirs = differing[0]
    if mine.kind not in asked and (only_asked or mine.is_scope):
        return ""
    return f"{mine.span.of(one.text)} / {theirs.span.of(other.text)}"


def _paired(one: Sequence[Quantity], other: Sequence[Quantity]) -> list[tuple[Quantity, Quantity]]:
    """Each quantity with the one of the other statement that it compares with; none where one has no counterpart."""
    left, right = (sorted(found, key=lambda quantity: quantity.kind) for found in (one, other))
    if [quantity.kind for quantity in left] != [quantity.kind for quantity in right]:
        return []
    return list(zip(left, right, strict=True))


def _have_other_names(one: Statement, other: Statement) -> bool:
    """Whether each names what the other does not have: they are about different things."""
    return bool(one.names - other.terms) and bool(other.names - one.terms)


def _are_opposed(one: Statement, other: Statement) -> bool:
    return any(opposed(mine, theirs) for mine in one.terms - other.terms for theirs in other.terms - one.terms)


def _polarity(one: Statement, other: Statement) -> str:
    pairs = _paired(one.quantities, other.quantities)
    if len(pairs) != max(len(one.quantities), len(other.quantities)) or not all(mine.agrees_with(theirs) for mine, theirs in pairs):
        return ""
    mine, theirs = one.terms - other.terms, other.terms - one.terms
    if abs(one.negations - other.negations) == 1 and not mine | theirs:
        return "not"
    if one.negations == other.negations and len(mine) == len(theirs) == 1:
        (left,), (right,) = mine, theirs
        return f"{left} / {right}" if opposed(left, right) else ""
    return ""


def _name(question: str, one: Statement, other: Statement) -> str:
    """Two names after the same word, which the question asks for; what stands around them is the same."""
    if not asks_for_a_name(question) or one.negations != other.negations:
        return ""
    pairs = _paired(one.quantities, other.quantities)
    if len(pairs) != max(len(one.quantities), len(other.quantities)) or not all(mine.agrees_with(theirs) for mine, theirs in pairs):
        return ""
    mine, theirs = one.terms - other.terms, other.terms - one.terms
    if not mine or not theirs or not mine <= one.names or not theirs <= other.names:
        return ""
    if (mine | theirs) & frozenset(terms(question)):
        return ""
    left, right = _slot(one, mine), _slot(other, theirs)
    return f"{left[1]} / {right[1]}" if left is not None and right is not None and left[0] == right[0] else ""


def _slot(said: Statement, own: frozenset[str]) -> tuple[str, str] | None:
    """The word before a name and the name, where its words stand together and are joined with nothing."""
    places = [at for at, word in enumerate(said.words) if stem(word.text) in own]
    if places[-1] - places[0] >= LONGEST_NAME:
        return None
    before = said.words[places[0] - 1].text if places[0] else ""
    after = said.words[places[-1] + 1].text if places[-1] + 1 < len(said.words) else ""
    if _JOINING & {before, after}:
        return None
    return before, Span(said.words[places[0]].start, said.words[places[-1]].end).of(said.text)
