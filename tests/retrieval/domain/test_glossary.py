"""A glossary is checked as a whole: what is wrong is named by entry and field, with the limit and without the value."""

import pytest

from retrieval.domain.errors import InvalidInput
from retrieval.domain.glossary import GlossaryLimits, fingerprint_of, glossary_of
from retrieval.domain.graph import GlossaryTerm

LIMITS = GlossaryLimits(terms=3, aliases=2, name_characters=20, definition_characters=30)


def problems(*entries: object) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidInput) as refused:
        glossary_of({"terms": list(entries)}, LIMITS)
    return [(problem.field, problem.limit) for problem in refused.value.problems]


def test_terms_are_taken_as_they_are_written_but_for_surplus_space():
    raw = {"terms": [{"name": " travel  desk ", "kind": "team", "aliases": ["TD"], "definition": "Books trains.\n"}, {"name": "no"}]}

    assert glossary_of(raw, LIMITS) == (GlossaryTerm("travel desk", "team", ("TD",), "Books trains."), GlossaryTerm("no"))


@pytest.mark.parametrize("raw", [None, [], "terms", {}, {"terms": {}}, {"terms": [], "version": "1"}], ids=repr)
def test_a_glossary_is_a_list_of_terms(raw: object):
    with pytest.raises(InvalidInput, match="terms"):
        glossary_of(raw, LIMITS)


def test_every_mistake_is_named_at_once():
    found = problems({"name": "x" * 21, "kind": 7, "colour": "red"}, {"aliases": "TD"}, "TD")

    assert found == [
        ("terms[1].colour", "name, kind, aliases, definition"),
        ("terms[1].name", "1 to 20 characters"),
        ("terms[1].kind", None),
        ("terms[2].name", "1 to 20 characters"),
        ("terms[2].aliases", None),
        ("terms[3]", None),
    ]


@pytest.mark.parametrize(
    ("entry", "field", "limit"),
    [
        ({"name": ""}, "terms[1].name", "1 to 20 characters"),
        ({"name": "--"}, "terms[1].name", "1 to 20 characters"),
        ({"name": "two\nlines"}, "terms[1].name", "1 to 20 characters"),
        ({"name": ["a list"]}, "terms[1].name", "1 to 20 characters"),
        ({"name": "a1", "aliases": ["b1", "c1", "d1"]}, "terms[1].aliases", "2 aliases"),
        ({"name": "a1", "aliases": ["b1", "x" * 21]}, "terms[1].aliases[2]", "1 to 20 characters"),
        ({"name": "a1", "definition": "x" * 31}, "terms[1].definition", "30 characters"),
        ({"name": "a1", "definition": "nul\0"}, "terms[1].definition", "30 characters"),
        ({"name": "a1", "kind": "x" * 51}, "terms[1].kind", "50 characters"),
    ],
)
def test_a_mistake_names_its_field_and_limit(entry: dict[str, object], field: str, limit: str):
    assert problems(entry) == [(field, limit)]


def test_too_many_terms_are_refused_before_each_is_looked_at():
    assert problems(*[{"name": f"t{n}"} for n in range(4)]) == [("terms", "3 terms")]


def test_a_name_means_one_term():
    found = problems({"name": "Travel desk", "aliases": ["TD", "td"]}, {"name": "TRAVEL  DESK"}, {"name": "other", "aliases": ["td"]})

    assert found == [("terms[2].name", None), ("terms[3].aliases[1]", None)]


def test_the_fingerprint_is_of_what_is_found_in_texts():
    term = GlossaryTerm("travel desk", "team", ("TD",), "Books trains.")

    assert fingerprint_of([term]) == fingerprint_of([GlossaryTerm("Travel Desk", "", ("TD",), "Other.")])
    assert fingerprint_of([term]) != fingerprint_of([GlossaryTerm("travel desk")])
    assert fingerprint_of([GlossaryTerm("a1"), GlossaryTerm("b1")]) == fingerprint_of([GlossaryTerm("b1"), GlossaryTerm("a1")])
