"""Find the facts of current versions that have none, and take away those of versions that are not current any more."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice

from retrieval.domain.entities import EXTRACTOR_VERSION, Glossary, facts_of
from retrieval.domain.glossary import fingerprint_of
from retrieval.domain.graph import GlossaryTerm, Mention, PassageFacts, Relation, entity_key
from retrieval.domain.ingestion import GraphChanges, GraphWork, SourceRun, VersionFacts
from retrieval.ports.ingestion import GraphStore

MAX_KEY_BYTES = 1_000
"""Of a name without regard to case and spelling, in UTF-8: what every database can look up by."""


def update_graph(
    store: GraphStore,
    run: SourceRun,
    *,
    glossary: Sequence[GlossaryTerm],
    batch: int,
    max_name_characters: int,
    progress: Callable[[int], None] = lambda _done: None,
) -> GraphChanges:
    """Bring the graph to the current versions of the run's source. Run again, it changes nothing.

    `batch` documents are written, or taken away, in one transaction; names longer than `max_name_characters` are no entities.
    """
    total = GraphChanges()
    extractor, terms = extractor_of(glossary), Glossary(glossary)
    for some in _portions(store.stale(run, extractor=extractor), batch):
        found = [_found(work, terms, max_name_characters) for work in some]
        total = _sum(total, store.replace(run, found, extractor=extractor))
        progress(total.extracted)
    for changes in store.forget_withdrawn(run, batch=batch):
        total = _sum(total, changes)
    return total


def extractor_of(glossary: Sequence[GlossaryTerm]) -> str:
    """The name of the way from passage to facts. Under another one every current version is looked at again."""
    return f"extractor {EXTRACTOR_VERSION}, glossary {fingerprint_of(glossary)}"


def _found(work: GraphWork, glossary: Glossary, max_name_characters: int) -> VersionFacts:
    title, uri = work.title, work.uri
    facts = (facts_of(p.id, title=title, heading_path=p.heading_path, text=p.text, glossary=glossary, uri=uri) for p in work.passages)
    return VersionFacts(work.document, work.version, tuple(_kept(each, max_name_characters) for each in facts))


def _kept(facts: PassageFacts, max_name_characters: int) -> PassageFacts:
    """Without names that are too long, and with each relation once, between entities that the passage mentions."""
    mentions = tuple(mention for mention in facts.mentions if _is_name(mention, max_name_characters))
    mentioned = {mention.entity for mention in mentions}
    relations = dict.fromkeys(relation for relation in facts.relations if _is_between(relation, mentioned))
    return PassageFacts(facts.passage, mentions, tuple(relations))


def _is_name(mention: Mention, max_characters: int) -> bool:
    return len(mention.name) <= max_characters and len(entity_key(mention.name).encode("utf-8", "replace")) <= MAX_KEY_BYTES


def _is_between(relation: Relation, mentioned: set[str]) -> bool:
    return relation.subject in mentioned and relation.object in mentioned


def _portions(work: Iterable[GraphWork], size: int) -> Iterator[list[GraphWork]]:
    ahead = iter(work)
    while some := list(islice(ahead, size)):
        yield some


def _sum(one: GraphChanges, other: GraphChanges) -> GraphChanges:
    return GraphChanges(**{name: count + getattr(other, name) for name, count in asdict(one).items()})
