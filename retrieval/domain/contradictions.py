"""In what one thing two statements differ, so that not both can be true. Empty for all that is no contradiction beyond doubt."""

from collections.abc import Sequence

from retrieval.domain.asked_for import asked_kinds, asks_for_a_name
from retrieval.domain.documents import Span
from retrieval.domain.quantity import Quantity
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
    if others := _polarity(one, other) or _name(question, one, other):
        return others
    alike = shared(one.terms, other.terms)
    return _quantity(one, other, asked_kinds(question), alone=alike >= SAME_STATEMENT) if alike >= SAME_MATTER else ""


def shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Part of the terms of both together that both have, 0 to 1 (Jaccard)."""
    return len(one & other) / len(one | other) if one or other else 0.0


def _quantity(one: Statement, other: Statement, asked: frozenset[str], *, alone: bool) -> str:
    """The one quantity that differs. What may say for what something holds has to be asked for; so has any, unless it differs alone."""
    if _have_other_names(one, other) or _are_parallel(one, other) or one.negations != other.negations:
        return ""
    differing = [pair for pair in _paired(one.quantities, other.quantities) if not pair[0].agrees_with(pair[1])]
    if len(differing) != 1:
        return ""
    mine, theirs = differing[0]
    if mine.kind not in asked and (mine.is_scope or not alone):
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


def _are_parallel(one: Statement, other: Statement) -> bool:
    """Whether different terms stand at the same place, after or before the same word, as in `first review` and `second review`."""
    mine, theirs = (_neighbours(said, said.terms - than.terms) for said, than in ((one, other), (other, one)))
    return bool(mine & theirs)


def _neighbours(said: Statement, own: frozenset[str]) -> frozenset[tuple[int, str]]:
    """The words right before (-1) and right behind (1) each of those terms."""
    places = [at for at, word in enumerate(said.words) if stem(word.text) in own]
    return frozenset((step, said.words[at + step].text) for at in places for step in (-1, 1) if 0 <= at + step < len(said.words))


def _agree_in_quantities(one: Statement, other: Statement) -> bool:
    pairs = _paired(one.quantities, other.quantities)
    return len(pairs) == max(len(one.quantities), len(other.quantities)) and all(mine.agrees_with(theirs) for mine, theirs in pairs)


def _polarity(one: Statement, other: Statement) -> str:
    """`not`, or two opposites, where nothing else differs."""
    if not _agree_in_quantities(one, other):
        return ""
    mine, theirs = one.terms - other.terms, other.terms - one.terms
    if not mine | theirs:
        return "not" if abs(one.negations - other.negations) == 1 else ""
    if one.negations != other.negations or len(mine) != 1 or len(theirs) != 1:
        return ""
    (left,), (right,) = mine, theirs
    return f"{left} / {right}" if opposed(left, right) else ""


def _name(question: str, one: Statement, other: Statement) -> str:
    """Two names after the same word, which the question asks for, where nothing else differs."""
    mine, theirs = one.terms - other.terms, other.terms - one.terms
    if not mine or not theirs or not mine <= one.names or not theirs <= other.names:
        return ""
    if not asks_for_a_name(question) or one.negations != other.negations or not _agree_in_quantities(one, other):
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
