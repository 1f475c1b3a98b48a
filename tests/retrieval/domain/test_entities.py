"""What a passage says for the graph, by kind, in several languages. Texts are made up; what is expected was read off by hand."""
# ruff: noqa: RUF001 -- the punctuation of many scripts is tested

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.domain.entities import LONGEST_NAME, Glossary, facts_of, title_names
from retrieval.domain.graph import EntityKind, GlossaryTerm, PassageFacts, Relation, RelationKind, entity_id, entity_key


def facts(
    text: str, *, title: str = "", headings: tuple[str, ...] = (), terms: tuple[GlossaryTerm, ...] = (), uri: str = ""
) -> PassageFacts:
    return facts_of("p", title=title, heading_path=headings, text=text, glossary=Glossary(terms), uri=uri)


def named(found: PassageFacts, kind: EntityKind) -> list[str]:
    return [mention.name for mention in found.mentions if mention.kind is kind]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "He was married to Teutberga and met Lothair II of Lotharingia.",
            ["Teutberga", "Lothair II", "Lothair II of Lotharingia", "Lotharingia"],
        ),
        (
            "A play by Christian August, Prince of Anhalt-Zerbst.",
            ["Christian August", "Christian August, Prince of Anhalt-Zerbst", "Prince of Anhalt-Zerbst", "Anhalt-Zerbst"],
        ),
        ("A queen, the wife of Conchobar mac Nessa.", ["Conchobar mac Nessa"]),
        ("On 11 November 1875 it rained in May.", []),
        ("The pump stopped. It was switched on again.", []),
        ("Pumps stop. Some Pumps start.", ["Pumps"]),
        ("We saw Beauty and the Beast twice.", ["Beauty", "Beauty and the Beast", "Beast"]),
        (
            "Das Kind sah Angela Merkel und eine Kuh mit dem Hund, ist das nicht ein Ding?",
            ["Angela Merkel"],
        ),
        ("Анна Каренина поехала в город Москва на поезде.", ["Анна Каренина", "Москва"]),
        ("El poeta Gabriel García Márquez nació en Aracataca y vivió lejos.", ["Gabriel García Márquez", "Aracataca"]),
        ("他在《红楼梦》中写道，见「東京物語」。", ["红楼梦", "東京物語"]),
        ("«Война и мир» — роман.", ["Война и мир"]),
        ("THE PUMP IS BROKEN AND NOBODY KNOWS WHY", []),
        ('He said "we are not going anywhere today" and left.', []),
    ],
)
def test_names_are_capitalised_words_and_quotes(text, expected):
    assert sorted(named(facts(text), EntityKind.NAME)) == sorted(expected)


def test_a_title_is_mentioned_by_its_passages_and_by_whoever_writes_it_shorter():
    other = facts("The music of Billy Elliot is by Stephen Warbeck.", title="Music")
    own = facts("", title="Billy Elliot (film)")

    assert named(own, EntityKind.TITLE) == ["Billy Elliot (film)", "Billy Elliot"]
    assert {mention.entity for mention in own.mentions} & {mention.entity for mention in other.mentions} == {entity_id("billy elliot")}


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Lambert, Margrave of Tuscany", ("Lambert, Margrave of Tuscany", "Lambert")),
        ("Stem cells, niches and repair.", ("Stem cells, niches and repair",)),
        ("Diet, infection and wheezy illness", ("Diet, infection and wheezy illness",)),
        ("Palo Alto (2013 film)", ("Palo Alto (2013 film)", "Palo Alto")),
        ("", ()),
    ],
)
def test_a_title_is_shortened_where_it_is_a_name(title, expected):
    assert title_names(title) == expected


def test_case_space_apostrophe_and_article_do_not_tell_names_apart():
    assert entity_key("The  Angel’s Share") == entity_key("angel's share")
    assert entity_key("The") == "the"


def test_an_acronym_expands_to_the_words_whose_letters_it_has():
    found = facts("The mean time between failures (MTBF) grows; MTTR (mean time to recovery) does not (see SLA).")

    assert named(found, EntityKind.ACRONYM) == ["MTBF", "mean time between failures", "MTTR", "mean time to recovery", "SLA"]
    assert [relation for relation in found.relations if relation.kind is RelationKind.EXPANDS] == [
        Relation(RelationKind.EXPANDS, entity_id("MTBF"), entity_id("mean time between failures")),
        Relation(RelationKind.EXPANDS, entity_id("MTTR"), entity_id("mean time to recovery")),
    ]


@pytest.mark.parametrize("text", ["the answer was bad (XYZ)", "they left (in 2001)", "Louis (XIV)", "failures (MTBF)"])
def test_brackets_that_are_no_acronym_expand_nothing(text):
    assert not [relation for relation in facts(text).relations if relation.kind is RelationKind.EXPANDS]


def test_identifiers_are_taken_whole():
    found = facts("Set max_retries in RetryPolicy or maxDelay; see ERR-1042 and McDonald of iPhone, not e-mail or and/or.")

    assert named(found, EntityKind.IDENTIFIER) == ["max_retries", "RetryPolicy", "maxDelay", "ERR-1042", "iPhone"]


def test_links_meet_where_the_document_is():
    linking = facts("See [the guide](../guide.md#top) or https://example.org/a.", title="Start", uri="https://wiki/x/start.md")
    linked = facts("Here.", title="Guide", uri="https://wiki/guide.md")

    assert named(linked, EntityKind.LINK) == ["https://wiki/guide.md"]
    targets = {relation.object for relation in linking.relations if relation.kind is RelationKind.LINKS_TO}
    assert targets == {entity_id("https://wiki/guide.md"), entity_id("https://example.org/a")}
    assert "the guide" in named(linking, EntityKind.NAME)


def test_a_glossary_s_term_is_found_by_its_aliases_as_words_and_a_name_of_capitals_by_case():
    terms = (GlossaryTerm("Data owner", aliases=("source owner",)), GlossaryTerm("IT"))

    found = facts("Ask the Source  Owner, not datasource owners. It is about IT.", terms=terms)

    assert [(m.entity, m.name) for m in found.mentions if m.kind is EntityKind.TERM] == [
        (entity_id("data owner"), "Source  Owner"),
        (entity_id("IT"), "IT"),
    ]


def test_a_term_that_is_a_title_is_both():
    found = facts("What it is.", title="Data owner", terms=(GlossaryTerm("Data owner"),))

    assert [(mention.kind, mention.span) for mention in found.mentions] == [(EntityKind.TERM, None), (EntityKind.TITLE, None)]


def test_a_heading_is_part_of_what_it_stands_under():
    found = facts("Wait.", title="Handbook", headings=("Retries", "Limits"))

    assert named(found, EntityKind.HEADING) == ["Retries", "Limits"]
    assert set(found.relations) == {
        Relation(RelationKind.PART_OF, entity_id("Retries"), entity_id("Handbook")),
        Relation(RelationKind.PART_OF, entity_id("Limits"), entity_id("Retries")),
    }


def test_a_short_form_of_a_longer_name_in_the_text_is_no_entity_of_its_own():
    assert named(facts("We met Etan Boritzer there, and Boritzer sang."), EntityKind.NAME) == ["Etan Boritzer"]
    assert "Bertha" in named(facts("A son of Adalbert II and Bertha was there."), EntityKind.NAME)


def test_what_is_too_long_for_a_name_is_none():
    assert facts("", title="word " * LONGEST_NAME).mentions == ()


@settings(max_examples=200)
@given(st.text("aB (.)'’[]_-#/:\n«»中ÀЖ1", max_size=120), st.text("aB (),_-1", max_size=40))
def test_spans_lie_in_the_text_and_say_what_the_mention_says(text, title):
    found = facts(text, title=title, headings=(title,), uri="https://wiki/a")

    for mention in found.mentions:
        if mention.span is not None:
            assert mention.span.end <= len(text)
            assert mention.span.of(text)
    assert len({(mention.entity, mention.kind) for mention in found.mentions}) == len(found.mentions)
    assert all(relation.subject != relation.object for relation in found.relations)
    assert found == facts(text, title=title, headings=(title,), uri="https://wiki/a")


@pytest.mark.parametrize(
    "text", ["(" * 20_000, "A " * 20_000, "A. " * 20_000, "A and " * 8_000, "[" * 20_000, "_" * 20_000, '"' * 20_000, "AB-" * 9_000]
)
def test_it_is_quick_whatever_the_text(text):
    facts(text)
