"""A glossary file is plain YAML: text, lists and mappings, each key once."""

import pytest

from retrieval.adapters.glossary_yaml import read_glossary
from retrieval.domain.errors import InvalidInput
from retrieval.domain.graph import GlossaryTerm
from retrieval.settings import Settings


def read(text: str, **limits: object) -> tuple[GlossaryTerm, ...]:
    return read_glossary(text.encode(), Settings(**limits))


def test_words_that_yaml_takes_for_values_stay_words():
    assert read("terms: [{name: no, aliases: [1.10, 2026-01-01]}]") == (GlossaryTerm("no", aliases=("1.10", "2026-01-01")),)


@pytest.mark.parametrize(
    "text",
    [
        "terms: [{name: a1}",
        "terms: &all [{name: a1, aliases: [*all]}]",
        "a: &a [x, x]\nterms: [{name: a1, aliases: *a}]",
        "terms: [{name: a1, name: b1}]",
        "terms: [[[[[[[[a]]]]]]]]",
        "terms: !!python/object/apply:os.system [ls]",
        "? [a, b]\n: c\n",
        "\x00",
        "",
    ],
)
def test_what_is_not_plain_yaml_is_refused(text: str):
    with pytest.raises(InvalidInput) as refused:
        read(text)

    assert refused.value.problems[0].field.startswith(("glossary", "terms"))


def test_a_file_beyond_the_limit_is_refused_unread():
    with pytest.raises(InvalidInput, match="10 bytes"):
        read("terms: [{name: a1", glossary_max_bytes=10)


def test_the_settings_limits_are_those_of_the_file():
    with pytest.raises(InvalidInput, match="1 terms"):
        read("terms: [{name: a1}, {name: b1}]", glossary_max_terms=1)
    with pytest.raises(InvalidInput, match="1 to 2 characters"):
        read("terms: [{name: abc}]", graph_name_max_characters=2)
