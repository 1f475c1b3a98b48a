"""The facts of current versions: found once, replaced and forgotten with their documents, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from pipelines.stages import graph as stage
from retrieval.adapters.catalog.catalog import Catalog
from retrieval.adapters.catalog.tables import audit, entities, entity_names, glossary_terms, graph_documents, mentions, relations
from retrieval.domain.errors import Conflict, Fenced, InvalidInput
from retrieval.domain.graph import GlossaryTerm, Mention, PassageFacts, Relation, RelationKind, entity_id
from retrieval.domain.ingestion import GraphChanges, VersionFacts
from retrieval.ports.graph import GraphDocument
from tests.story import ANN, PUBLIC, Story

pytestmark = pytest.mark.contract

ENGINE = "The engine raises ERR-1042. It was drawn by Ada Lovelace."
PUMP = "The pump raises ERR-1042. It was drawn by Luigi Menabrea."
ERR, ADA, LUIGI = map(entity_id, ("ERR-1042", "Ada Lovelace", "Luigi Menabrea"))


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog)


def held(story: Story) -> dict[str, GraphDocument]:
    with story.catalog.graph_feed.snapshot() as (_, documents):
        return {document.document: document for document in documents}


def mentioned(story: Story) -> set[str]:
    return {mention.entity for document in held(story).values() for facts in document.passages for mention in facts.mentions}


def rows(story: Story) -> dict[str, int]:
    tables = (graph_documents, entities, entity_names, mentions, relations)
    with story.catalog.database.read() as connection:
        return {table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0) for table in tables}


def numbers_without_their_order(story: Story) -> list[tuple[object, ...]]:
    """Everything the graph holds, by ids and names."""
    return sorted((d.document, d.source, d.access_class, d.passages) for d in held(story).values())


def test_a_published_document_gets_its_facts(story: Story):
    changes = story.relate(story.sync({"engine": (ENGINE, PUBLIC)}))

    assert {ERR, ADA, entity_id("engine")} <= mentioned(story)
    [document] = held(story).values()
    [err] = [m for facts in document.passages for m in facts.mentions if m.entity == ERR]
    assert err.span is not None
    assert err.span.of(ENGINE) == "ERR-1042"
    assert changes.extracted == 1
    assert changes.mentions == rows(story)["mentions"] == sum(len(facts.mentions) for facts in document.passages)
    assert changes.relations == rows(story)["relations"] > 0


def test_what_is_unchanged_is_not_looked_at_again_and_takes_no_revision(story: Story):
    files = {"engine": (ENGINE, PUBLIC), "pump": (PUMP, PUBLIC)}
    story.relate(story.sync(files))
    before, facts = story.feed.revision(), rows(story)

    changes = story.relate(story.sync(files))

    assert changes == GraphChanges()
    assert story.feed.revision() == before
    assert rows(story) == facts


def test_only_the_changed_document_is_looked_at_again(story: Story):
    story.relate(story.sync({"engine": (ENGINE, PUBLIC), "pump": (PUMP, PUBLIC)}))

    changes = story.relate(story.sync({"engine": (ENGINE.replace("Ada Lovelace", "Charles Babbage"), PUBLIC), "pump": (PUMP, PUBLIC)}))

    assert changes.extracted == 1
    assert changes.entities_removed == 1
    assert ADA not in mentioned(story)
    with story.catalog.database.read() as connection:
        assert set(connection.scalars(select(entities.c.id))) == mentioned(story)
    assert {entity_id("Charles Babbage"), ERR, LUIGI} <= mentioned(story)


def test_facts_of_a_version_that_is_no_longer_current_are_not_held_before_they_are_replaced(story: Story):
    story.relate(story.sync({"engine": (ENGINE, PUBLIC)}))

    story.sync({"engine": ("Nothing is raised. It was drawn by nobody.", PUBLIC)})

    assert mentioned(story) == set()


def test_a_removed_document_takes_what_only_it_mentioned_with_it(story: Story):
    story.relate(story.sync({"engine": (ENGINE, PUBLIC), "pump": (PUMP, PUBLIC)}))
    before = rows(story)

    changes = story.relate(story.sync({"pump": (PUMP, PUBLIC)}))

    assert changes.facts_removed == 1
    assert changes.entities_removed == before["entities"] - rows(story)["entities"] > 0
    assert ADA not in mentioned(story)
    assert {ERR, LUIGI} <= mentioned(story)
    with story.catalog.database.read() as connection:
        assert set(connection.scalars(select(entities.c.id))) == mentioned(story)


def test_a_graph_that_lost_everything_holds_no_row(story: Story):
    story.relate(story.sync({"engine": (ENGINE, PUBLIC), "pump": (PUMP, PUBLIC)}))

    story.relate(story.sync({}))

    assert set(rows(story).values()) == {0}


def test_two_sources_share_an_entity_until_the_last_of_them_forgets_it(catalog: Catalog):
    one, other = Story(catalog, source="handbook"), Story(catalog, source="wiki")
    one.relate(one.sync({"engine": (ENGINE, PUBLIC)}))
    other.relate(other.sync({"pump": (PUMP, PUBLIC)}))

    one.relate(one.sync({}))
    after_the_first = mentioned(one)
    other.relate(other.sync({}))

    assert {ERR, LUIGI} <= after_the_first
    assert ADA not in after_the_first
    assert set(rows(one).values()) == {0}


def test_a_newer_extractor_looks_at_everything_again(story: Story, monkeypatch: pytest.MonkeyPatch):
    files = {"engine": (ENGINE, PUBLIC), "pump": (PUMP, PUBLIC)}
    story.relate(story.sync(files))
    before = numbers_without_their_order(story)
    monkeypatch.setattr(stage, "EXTRACTOR_VERSION", stage.EXTRACTOR_VERSION + 1)

    changes = story.relate(story.sync(files))

    assert changes.extracted == 2
    assert numbers_without_their_order(story) == before


def test_a_glossary_with_new_words_looks_at_its_source_again_and_one_with_new_definitions_does_not(catalog: Catalog):
    story, other = Story(catalog), Story(catalog, source="wiki")
    files = {"engine": (ENGINE, PUBLIC)}
    story.relate(story.sync(files))
    other.relate(other.sync(files))

    catalog.glossaries.apply("handbook", [GlossaryTerm("engine failure", aliases=("ERR-1042",))], by="user:dana")
    with_words, elsewhere = story.relate(story.sync(files)), other.relate(other.sync(files))
    catalog.glossaries.apply("handbook", [GlossaryTerm("engine failure", "fault", ("ERR-1042",), "It broke.")], by="user:dana")
    with_definitions = story.relate(story.sync(files))

    assert (with_words.extracted, elsewhere.extracted, with_definitions.extracted) == (1, 0, 0)
    assert entity_id("engine failure") in mentioned(story)


def test_a_run_that_ended_between_two_batches_is_completed_by_the_next(story: Story, catalog: Catalog):
    files = {f"doc {n}": (ENGINE.replace("1042", f"{n}000"), PUBLIC) for n in range(1, 8)}
    run = story.sync(files)
    store = catalog.graph_store
    extractor = stage.extractor_of(())
    first = [next(iter(store.stale(run, extractor=extractor)))]
    store.replace(run, [VersionFacts(work.document, work.version, ()) for work in first], extractor="an older one")
    list(store.forget_withdrawn(run, batch=1))

    story.relate(story.sync(files), batch=2)

    assert {entity_id(f"ERR-{n}000") for n in range(1, 8)} <= mentioned(story)
    assert rows(story)["graph_documents"] == 7


def test_batches_of_any_size_give_the_same_graph(story: Story, catalog: Catalog):
    files = {f"doc {n}": (f"{ENGINE} {PUMP}", PUBLIC) for n in range(5)}
    run = story.sync(files)
    story.relate(run, batch=1)
    one_by_one = numbers_without_their_order(story)
    with catalog.database.write() as connection:
        connection.execute(graph_documents.update().values(extractor="another"))

    story.relate(run, batch=100)

    assert numbers_without_their_order(story) == one_by_one


def test_a_run_that_was_overtaken_writes_nothing(story: Story, catalog: Catalog):
    run = story.sync({"engine": (ENGINE, PUBLIC)})
    catalog.runs.start("handbook", "a newer one")

    with pytest.raises(Fenced):
        story.relate(run)

    assert set(rows(story).values()) == {0}


def test_facts_of_a_version_that_was_replaced_meanwhile_are_left_out(story: Story, catalog: Catalog):
    run = story.sync({"engine": (ENGINE, PUBLIC)})
    [work] = catalog.graph_store.stale(run, extractor="x")
    run = story.sync({"engine": (PUMP, PUBLIC)})

    changes = catalog.graph_store.replace(run, [VersionFacts(work.document, work.version, ())], extractor="x")

    assert changes == GraphChanges()
    assert set(rows(story).values()) == {0}


def test_retiring_a_source_takes_all_its_facts(story: Story, catalog: Catalog):
    story.relate(story.sync({"engine": (ENGINE, PUBLIC), "pump": (PUMP, PUBLIC)}))

    catalog.publishing.retire("handbook", by="user:dana")

    assert set(rows(story).values()) == {0}


def test_relations_are_kept_only_between_entities_that_their_passage_mentions_and_long_names_are_none():
    long, short = "X" * 201, "Ada"
    facts = PassageFacts(
        "p",
        tuple(
            replace(Mention(entity_id(name), stage.facts_of("p", title="t", heading_path=(), text="").mentions[0].kind, name, None))
            for name in (long, short)
        ),
        tuple(Relation(RelationKind.DEFINES, entity_id(a), entity_id(b)) for a, b in ((short, long), (short, short), (short, short))),
    )

    kept = stage._kept(facts, 200)

    assert [mention.name for mention in kept.mentions] == [short]
    assert kept.relations == (Relation(RelationKind.DEFINES, entity_id(short), entity_id(short)),)


def test_counts_are_of_one_source_and_name_terms_only(story: Story, catalog: Catalog):
    other = Story(catalog, source="wiki")
    other.relate(other.sync({"more": (PUMP, PUBLIC)}))
    catalog.glossaries.apply("handbook", [GlossaryTerm("ERR-1042")], by="user:dana")
    story.relate(story.sync({"engine": (ENGINE, PUBLIC), "pump": (PUMP, PUBLIC)}))

    counts = catalog.graph_store.counts("handbook", most=3)

    assert counts.entities["title"] == 2
    assert counts.mentions == sum(len(f.mentions) for d in held(story).values() if d.source == "handbook" for f in d.passages)
    named = {each.entity: each.term for each in counts.most_mentioned}
    assert named[ERR] == "ERR-1042"
    assert [term for entity, term in named.items() if entity != ERR] == ["", ""]


def test_every_glossary_is_kept_and_its_change_is_recorded(story: Story, catalog: Catalog):
    terms = [GlossaryTerm("travel desk", "team", ("TD",), "Books trains.")]
    versions = [catalog.glossaries.apply("handbook", each, by="user:dana") for each in ([], terms, terms, [])]

    assert versions == [0, 1, 1, 2]
    assert catalog.glossaries.terms("handbook") == ()
    with catalog.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(glossary_terms)) == 0
        recorded = connection.scalars(select(audit.c.action).where(audit.c.action == "glossary.changed")).all()
    assert len(recorded) == 2


def test_a_glossary_belongs_to_a_source_that_is_open(story: Story, catalog: Catalog):
    with pytest.raises(InvalidInput, match="no such source"):
        catalog.glossaries.apply("nowhere", [GlossaryTerm("x1")], by="user:dana")
    catalog.publishing.retire("handbook", by="user:dana")

    with pytest.raises(Conflict, match="retired"):
        catalog.glossaries.apply("handbook", [GlossaryTerm("x1")], by="user:dana")
    assert catalog.gate.scope(ANN).is_empty
