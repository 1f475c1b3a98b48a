"""The graph as a principal may see it, on SQLite and on PostgreSQL: of readable passages only, in one order, page by page."""

import random
from dataclasses import replace
from itertools import combinations

import pytest

from retrieval.adapters.catalog.catalog import Catalog
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.graph import EntityKind, GlossaryTerm, RelationKind, entity_id
from retrieval.domain.permissions import Principal
from retrieval.ports.graph import EntityPage, Neighbourhood, Subgraph
from tests.story import ANN, BOB, PUBLIC, Story, allow

pytestmark = [pytest.mark.contract, pytest.mark.permissions]

BOARD = allow("user:bob")
CODES = [f"ERR-{n}" for n in range(1000, 1012)]
ERR = entity_id("ERR-1000")


@pytest.fixture
def story(catalog: Catalog) -> Story:
    return Story(catalog)


def publish(story: Story, files: dict[str, tuple[str, object]]) -> None:
    story.relate(story.sync(files))  # type: ignore[arg-type]


def page(catalog: Catalog, who: Principal, entity: str = ERR, after: str = "", count: int = 50) -> EntityPage:
    return catalog.graph.entity(who, entity, after=after, count=count)


def around(
    catalog: Catalog, who: Principal, entity: str = ERR, *, depth: int = 1, entities: int = 50, passages: int = 1000
) -> Neighbourhood:
    return catalog.graph.neighbourhood(who, entity, depth=depth, entities=entities, passages=passages, relations=1000)


def names(found: Neighbourhood, distance: int) -> list[str]:
    return [each.entity.name for each in found.neighbours if each.distance == distance]


def weights(found: Neighbourhood) -> dict[tuple[str, str], int]:
    """Of the co-mentions between codes."""
    written = {each.entity.id: each.entity.name for each in found.neighbours}
    pairs = {(written[r.subject], written[r.object]): r.weight for r in found.relations if r.kind is RelationKind.MENTIONED_WITH}
    return {tuple(sorted(pair)): weight for pair, weight in pairs.items() if all(name.startswith("ERR-") for name in pair)}  # type: ignore[misc]


def test_names_kinds_and_counts_are_those_of_readable_passages(story: Story, catalog: Catalog):
    publish(
        story,
        {
            "a": ("It was drawn by Ada Lovelace. It was built by ada lovelace.", PUBLIC),
            "b": ("It was drawn by ADA Lovelace. So was another by ADA Lovelace.", BOARD),
            "Ada Lovelace": ("She drew it.", BOARD),
        },
    )
    ada = entity_id("Ada Lovelace")

    for_ann, for_bob = page(catalog, ANN, ada), page(catalog, BOB, ada)

    assert (for_ann.entity.name, for_ann.entity.passages, for_ann.entity.documents) == ("Ada Lovelace", 1, 1)
    assert for_ann.entity.kinds == (EntityKind.NAME,)
    assert [(each.name, each.passages) for each in for_ann.names] == [("Ada Lovelace", 1)]
    assert (for_bob.entity.name, for_bob.entity.kinds) == ("Ada Lovelace", (EntityKind.TITLE, EntityKind.NAME))
    assert (for_bob.entity.passages, for_bob.entity.documents) == (4, 3)
    assert [(each.name, each.passages) for each in for_bob.names] == [("ADA Lovelace", 2), ("Ada Lovelace", 2)]


def test_an_entity_of_hidden_passages_alone_is_unknown(story: Story, catalog: Catalog):
    publish(story, {"a": ("see ERR-1000 there.", BOARD), "b": ("see ERR-1001 there.", PUBLIC)})

    for who, entity in ((ANN, ERR), (ANN, entity_id("never mentioned")), (Principal("nobody", sources=frozenset()), entity_id("ERR-1001"))):
        with pytest.raises(NotReadable):
            page(catalog, who, entity)
        with pytest.raises(NotReadable):
            around(catalog, who, entity)
    assert page(catalog, BOB).entity.name == "ERR-1000"
    assert catalog.graph.named(ANN, "err", after="", count=10).entities == (page(catalog, ANN, entity_id("ERR-1001")).entity,)


def test_what_is_revoked_in_between_is_gone_at_the_next_page(story: Story, catalog: Catalog):
    files = {f"doc {n}": ("see ERR-1000 there.", PUBLIC) for n in range(4)}
    publish(story, files)
    first = page(catalog, ANN, count=2)
    assert first.last is not None

    story.record(story.start(), {key: (text, BOARD) for key, (text, _) in files.items()})

    with pytest.raises(NotReadable):
        page(catalog, ANN, after=first.last, count=2)
    with pytest.raises(NotReadable):
        around(catalog, ANN)


def test_facts_of_a_superseded_version_are_shown_to_nobody(story: Story, catalog: Catalog):
    publish(story, {"a": ("see ERR-1000 there.", PUBLIC)})

    story.sync({"a": ("see nothing there.", PUBLIC)})

    with pytest.raises(NotReadable):
        page(catalog, ANN)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
def test_pages_together_are_all_mentions_once_in_one_order(story: Story, catalog: Catalog, count: int):
    publish(story, {f"doc {n}": ("see ERR-1000 there. or here ERR-1000 too.", PUBLIC if n % 3 else BOARD) for n in range(6)})
    whole = page(catalog, ANN).mentions
    found, after = [], ""
    while True:
        each = page(catalog, ANN, after=after, count=count)
        found += each.mentions
        if each.last is None:
            break
        after = each.last

    assert [m.passage for m in found] == [m.passage for m in whole]
    assert len(whole) == 8 == page(catalog, ANN).entity.passages
    assert [(m.passage.document, m.passage.ordinal) for m in whole] == sorted((m.passage.document, m.passage.ordinal) for m in whole)
    for mention in whole:
        [written] = mention.mentions
        assert written.span is not None
        assert written.span.of(mention.passage.text) == written.name == "ERR-1000"


@pytest.mark.parametrize("count", [1, 2, 50])
def test_entities_are_found_by_the_beginning_of_a_readable_name(story: Story, catalog: Catalog, count: int):
    publish(
        story,
        {
            "a": ("see ERR-1000, also ERR-1001 there,, also ERR-2000.", PUBLIC),
            "b": ("see ERR-1002 there,, also ERR-1000.", BOARD),
        },
    )

    def found(who: Principal, name: str) -> list[tuple[str, int]]:
        entities, after = [], ""
        while True:
            each = catalog.graph.named(who, name, after=after, count=count)
            entities += [(entity.name, entity.passages) for entity in each.entities]
            if each.last is None:
                return entities
            after = each.last

    assert found(ANN, "err-1") == [("ERR-1000", 1), ("ERR-1001", 1)]
    assert found(ANN, " ERR-1") == [("ERR-1000", 1), ("ERR-1001", 1)]
    assert found(BOB, "err-1") == [("ERR-1000", 2), ("ERR-1001", 1), ("ERR-1002", 1)]
    assert found(ANN, "err-1002") == []
    assert found(ANN, "%") == []
    assert found(Principal("x", sources=frozenset()), "err") == []


def test_a_definition_is_for_those_who_read_a_passage_of_its_source_that_mentions_the_term(catalog: Catalog):
    handbook, wiki = Story(catalog), Story(catalog, source="wiki")
    catalog.glossaries.apply("handbook", [GlossaryTerm("engine failure", "fault", ("ERR-1000",), "It broke.")], by="user:dana")
    catalog.glossaries.apply("wiki", [GlossaryTerm("engine failure", "", ("ERR-1000",), "Ask the wiki.")], by="user:dana")
    publish(handbook, {"a": ("see ERR-1000 there.", BOARD), "b": ("Nothing to see.", PUBLIC)})
    publish(wiki, {"c": ("see ERR-1000 there.", PUBLIC)})
    failure = entity_id("engine failure")

    for_ann, for_bob = page(catalog, ANN, failure), page(catalog, BOB, failure)

    assert [(d.source, d.kind, d.text) for d in for_ann.definitions] == [("wiki", "", "Ask the wiki.")]
    assert [(d.source, d.kind, d.text) for d in for_bob.definitions] == [("handbook", "fault", "It broke."), ("wiki", "", "Ask the wiki.")]
    assert for_ann.entity.name == "ERR-1000"  # as the passage writes it: the glossary's name stands in no readable passage


def test_weights_are_counted_over_readable_passages(story: Story, catalog: Catalog):
    publish(
        story,
        {
            "a": ("see ERR-1000, also ERR-1001.", PUBLIC),
            "b": ("see ERR-1000, also ERR-1001, also ERR-1002.", PUBLIC),
            "c": ("see ERR-1000, also ERR-1002.", BOARD),
            "d": ("see ERR-1002, also ERR-1003.", BOARD),
        },
    )

    for_ann, for_bob = around(catalog, ANN, depth=2), around(catalog, BOB, depth=2)

    assert weights(for_ann) == {("ERR-1000", "ERR-1001"): 2, ("ERR-1000", "ERR-1002"): 1, ("ERR-1001", "ERR-1002"): 1}
    assert weights(for_bob) == {
        ("ERR-1000", "ERR-1001"): 2,
        ("ERR-1000", "ERR-1002"): 2,
        ("ERR-1001", "ERR-1002"): 1,
        ("ERR-1002", "ERR-1003"): 1,
    }
    assert names(for_ann, 0) == names(for_bob, 0) == ["ERR-1000"]
    assert "ERR-1003" not in names(for_ann, 2)
    assert "ERR-1003" in names(for_bob, 2)
    assert [each.entity.passages for each in for_ann.neighbours if each.entity.name == "ERR-1002"] == [1]


def test_typed_relations_come_with_the_passages_that_support_them(story: Story, catalog: Catalog):
    publish(
        story,
        {
            "a": ("The Mean Time Between Failures (MTBF) is long.", PUBLIC),
            "b": ("Our Mean Time Between Failures (MTBF) is short.", BOARD),
        },
    )
    short, long = entity_id("MTBF"), entity_id("Mean Time Between Failures")

    def expanding(who: Principal) -> list[tuple[str, str, int, int]]:
        relations = around(catalog, who, short).relations
        return [(r.subject, r.object, r.weight, len(r.passages)) for r in relations if r.kind is RelationKind.EXPANDS]

    assert expanding(ANN) == [(short, long, 1, 1)]
    assert expanding(BOB) == [(short, long, 2, 2)]


def test_the_nearest_and_most_often_connected_come_first_and_fill_the_limit(story: Story, catalog: Catalog):
    publish(
        story,
        {
            "a": ("see ERR-1000, also ERR-1001.", PUBLIC),
            "b": ("see ERR-1000, also ERR-1001.", PUBLIC),
            "c": ("see ERR-1000, also ERR-1002.", PUBLIC),
            "d": ("see ERR-1001, also ERR-1003.", PUBLIC),
        },
    )

    assert names(around(catalog, ANN, entities=2), 1) == ["ERR-1001"]
    assert set(names(around(catalog, ANN, depth=1), 1)) >= {"ERR-1001", "ERR-1002"}
    assert "ERR-1003" not in names(around(catalog, ANN, depth=1), 1)
    assert "ERR-1003" in names(around(catalog, ANN, depth=2), 2)
    assert len(around(catalog, ANN, depth=3, entities=4).neighbours) == 4


def test_an_entity_without_neighbours_stands_alone(story: Story, catalog: Catalog):
    publish(story, {"a": ("see ERR-1000.", PUBLIC)})

    found = around(catalog, ANN, entities=1)

    assert [(each.entity.id, each.distance) for each in found.neighbours] == [(ERR, 0)]
    assert (found.relations, found.passages) == ((), ())


def test_a_world_without_the_hidden_documents_is_the_same_at_every_depth(story: Story, catalog: Catalog):
    drawn = random.Random(3)
    files = {}
    for n in range(40):
        text = ". ".join(f"see {', also '.join(drawn.sample(CODES, 3))}" for _ in range(2)) + "."
        files[f"doc {n}"] = (text, PUBLIC if drawn.random() < 0.4 else BOARD)
    catalog.glossaries.apply("handbook", [GlossaryTerm("the first", "fault", ("ERR-1000",), "Broken.")], by="user:dana")
    publish(story, files)  # type: ignore[arg-type]
    entities = [entity_id(name) for name in (*CODES, "the first", *files)]
    with_hidden = [seen(catalog, entity) for entity in entities]
    export = catalog.graph.subgraph(ANN, sources=(), passages=1000)

    publish(story, {key: file for key, file in files.items() if file[1] == PUBLIC})  # type: ignore[arg-type]

    assert [seen(catalog, entity) for entity in entities] == with_hidden
    assert replace(catalog.graph.subgraph(ANN, sources=(), passages=1000), revision=0) == replace(export, revision=0)
    assert sum(1 for each in with_hidden if each == "unknown") > 10
    assert sum(1 for each in with_hidden if each != "unknown") > 10


def seen(catalog: Catalog, entity: str) -> object:
    """All that Ann sees of an entity, without the revision."""
    try:
        found = [around(catalog, ANN, entity, depth=depth, entities=8, passages=5) for depth in (1, 2, 3)]
        whole = page(catalog, ANN, entity, count=3)
    except NotReadable:
        return "unknown"
    mentions = [replace(each, passage=replace(each.passage, revision=0)) for each in whole.mentions]
    return [replace(each, revision=0) for each in found], replace(whole, mentions=tuple(mentions), revision=0)


def test_an_export_holds_what_a_naive_reading_of_the_readable_facts_gives(story: Story, catalog: Catalog):
    publish(
        story,
        {
            "a": ("see ERR-1000, also ERR-1001. then ERR-1002.", PUBLIC),
            "b": ("see ERR-1001, also ERR-1003.", BOARD),
        },
    )

    for who in (ANN, BOB):
        found = catalog.graph.subgraph(who, sources=(), passages=1000)
        expected = readable_facts(catalog, who)
        assert {(passage, entity) for passage, entity, _ in found.mentions} == {
            (p, m.entity) for p, f in expected.items() for m in f.mentions
        }
        assert set(found.relations) == {(r.kind, r.subject, r.object, p) for p, f in expected.items() for r in f.relations}
        assert {each.passage for each in found.passages} == set(expected)
        assert {each.id for each in found.entities} == {entity for _, entity, _ in found.mentions}
        assert co_mentions(found) >= co_mentions(catalog.graph.subgraph(ANN, sources=(), passages=1000))


def readable_facts(catalog: Catalog, who: Principal) -> dict[str, object]:
    classes = catalog.gate.scope(who).classes
    with catalog.graph_feed.snapshot() as (_, documents):
        return {facts.passage: facts for document in documents if document.access_class in classes for facts in document.passages}


def co_mentions(graph: Subgraph) -> set[tuple[str, str]]:
    by_passage: dict[str, set[str]] = {}
    for passage, entity, _ in graph.mentions:
        by_passage.setdefault(passage, set()).add(entity)
    return {pair for entities in by_passage.values() for pair in combinations(sorted(entities), 2)}


def test_an_export_of_too_much_says_so(story: Story, catalog: Catalog):
    publish(story, {"a": ("see ERR-1000. And more.", PUBLIC), "b": ("see ERR-1000.", BOARD)})

    assert len(catalog.graph.subgraph(ANN, sources=("handbook",), passages=2).passages) == 2
    with pytest.raises(InvalidInput, match="2 passages"):
        catalog.graph.subgraph(BOB, sources=(), passages=2)
    assert catalog.graph.subgraph(BOB, sources=("wiki",), passages=2).entities == ()
