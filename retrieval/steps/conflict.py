"""Contradictions in evidence: two readable sentences that differ in one value of the same statement, or in its polarity.

Precision before recall, because a false contradiction blocks a good answer. Two sentences contradict each other when

- they stand in different documents or under different headings, and both bear on the question;
- what they say is the same but for one thing: nearly all terms are shared, as are all names, identifiers and other quantities;
- that one thing is a quantity for which both cannot hold (`30 days` and `25 days`, not `90 minutes` and `1.5 hours`, not `20 to 30` and
  `25`), a negation or a pair of opposites (`allowed` and `forbidden`), or the name after the same word (`approved by X` and `by Y`).

A year, a section or a version that differs beside a value says for what the value holds: then it is no contradiction, and neither is a
difference that stands in the titles of two documents alike (`Office guide Berlin`, `Office guide Paris`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

from retrieval.domain.answers import Conflict
from retrieval.domain.contradictions import contradiction
from retrieval.domain.evidence import Evidence
from retrieval.domain.passages import ReadablePassage
from retrieval.domain.statements import statement
from retrieval.domain.terms import STOP_WORDS, terms

_WORD = re.compile(r"(?<![\w.@/-])[^\W\d_]+(?![\w@/-]|\.\w)")
"""Not the parts of addresses and identifiers."""
LOOKED_AT = 24
"""Of the evidence, the best: pairs grow with the square."""
LEAST_ASKED = 0.5
"""Part of the question's terms that both sentences have, their titles and headings counted."""
LEAST_SHARED_TERMS = 3
MOST_TERMS = 40
"""A longer sentence states too many things."""
SIBLING_TITLES = 0.5
"""Part of the shorter title's terms that the other has, too."""


def conflicts(question: str, evidence: Sequence[Evidence], *, most: int) -> tuple[Conflict, ...]:
    """At most `most` contradictions, those between the best evidence first. Each side in its order of evidence.

    Args:
        question: as it was asked.
        evidence: best first.
        most: none are looked for beyond these.
    """
    asked = _Asked.of(question)
    looked_at = [_LookedAt.of(one) for one in evidence[:LOOKED_AT]]
    found: list[Conflict] = []
    for one, other in sorted(combinations(range(len(looked_at)), 2), key=lambda pair: (sum(pair), pair)):
        about = _differ_in(asked, looked_at[one], looked_at[other]) if len(found) < most else ""
        if about:
            found.append(_conflict(evidence[one], evidence[other], about))
    return tuple(found)


@dataclass(frozen=True)
class _Asked:
    """A question, its terms, and those of them that belong to names."""

    question: str
    terms: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Self:
        return cls(question, frozenset(terms(question)), statement(question).names)


@dataclass(frozen=True)
class _LookedAt:
    """A piece of evidence, its terms, and the same with those of its title and headings."""

    evidence: Evidence
    said: frozenset[str]
    in_context: frozenset[str]

    @classmethod
    def of(cls, evidence: Evidence) -> Self:
        said = frozenset(terms(evidence.text))
        return cls(evidence, said, said | frozenset(terms(" ".join((evidence.passage.title, *evidence.passage.heading_path)))))


def _differ_in(asked: _Asked, one: _LookedAt, other: _LookedAt) -> str:
    """What the two differ in; empty where they do not contradict each other."""
    if len(one.said & other.said) < LEAST_SHARED_TERMS or max(len(one.said), len(other.said)) > MOST_TERMS:
        return ""
    if not _are_about(asked, one, other) or not _stand_apart(one.evidence, other.evidence):
        return ""
    if _are_siblings(one.evidence, other.evidence) or _are_about_others(one.evidence.passage, other.evidence.passage):
        return ""
    return contradiction(asked.question, statement(one.evidence.text), statement(other.evidence.text))


def _are_about(asked: _Asked, one: _LookedAt, other: _LookedAt) -> bool:
    """Whether both bear on the question, and on the same of what it names."""
    if len(asked.terms & one.in_context & other.in_context) < max(LEAST_ASKED * len(asked.terms), 1):
        return False
    return not asked.names & (one.in_context ^ other.in_context)


def _stand_apart(one: Evidence, other: Evidence) -> bool:
    """Whether they stand in different documents, or under different headings of one."""
    if one.passage.document != other.passage.document:
        return True
    return one.passage.id != other.passage.id and one.passage.heading_path != other.passage.heading_path


def _are_siblings(one: Evidence, other: Evidence) -> bool:
    """Whether the titles or the headings are alike but for words that each has alone: the two are about different things."""
    titles = (one.passage.title, other.passage.title)
    headings = (" ".join(one.passage.heading_path), " ".join(other.passage.heading_path))
    return any(_differ_alike(frozenset(terms(mine)), frozenset(terms(theirs))) for mine, theirs in (titles, headings))


def _differ_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one - other) and bool(other - one) and len(one & other) >= SIBLING_TITLES * min(len(one), len(other))


def _are_about_others(one: ReadablePassage, other: ReadablePassage) -> bool:
    """Whether the documents are named after different people or things, of which each tells without naming them again."""
    mine, theirs = frozenset(terms(one.title)), frozenset(terms(other.title))
    return bool(mine) and bool(theirs) and not mine & theirs and _is_named_after_one(one) and _is_named_after_one(other)


def _is_named_after_one(passage: ReadablePassage) -> bool:
    """Whether the title is a name: none of its words stands in small letters, there or in the text."""
    spelled = frozenset(_WORD.findall(passage.title)) - STOP_WORDS
    return not any(word.islower() for word in spelled) and not {word.lower() for word in spelled} & frozenset(_WORD.findall(passage.text))


def _conflict(one: Evidence, other: Evidence, about: str) -> Conflict:
    return Conflict(one.citation, other.citation, about, (one.passage.modified_at, other.passage.modified_at))
