"""Small graphs: documents of one passage for each text, extracted as the pipeline does, in a graph in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from retrieval.adapters.graph.memory import MemoryGraph
from retrieval.domain.entities import facts_of
from retrieval.domain.ids import passage_id
from retrieval.domain.permissions import AccessScope, Principal
from retrieval.domain.runs import FusedHit
from retrieval.ports.graph import GraphDocument
from retrieval.ports.writing import Change

REVISION = 1


def passage(title: str, ordinal: int = 0) -> str:
    return passage_id(title, ordinal)


def document(title: str, *texts: str, access_class: int = 1, source: str = "wiki") -> GraphDocument:
    facts = tuple(facts_of(passage(title, n), title=title, heading_path=(), text=text) for n, text in enumerate(texts))
    return GraphDocument(f"doc_{title}", source, access_class, facts)


class Feed:
    """A GraphFeed over documents in memory."""

    def __init__(self, *documents: GraphDocument) -> None:
        self.held = {one.document: one for one in documents}
        self.log: list[Change] = []
        self.at = REVISION

    def change(self, *documents: GraphDocument, access_only: bool = False) -> None:
        self.at += 1
        for one in documents:
            self.held[one.document] = one
            self.log.append(Change(self.at, one.document, access_only=access_only))

    def revision(self) -> int:
        return self.at

    def changes(self, after: int, *, limit: int) -> list[Change]:
        return [change for change in self.log if change.revision > after][:limit]

    def documents(self, wanted: Sequence[str]) -> list[GraphDocument]:
        return [self.held.get(one) or GraphDocument(one, "", 0, ()) for one in wanted]

    @contextmanager
    def snapshot(self) -> Iterator[tuple[int, Iterator[GraphDocument]]]:
        yield self.at, iter([one for one in self.held.values() if one.passages])


def graph_of(*documents: GraphDocument) -> MemoryGraph:
    graph = MemoryGraph()
    graph.load(Feed(*documents))
    return graph


def scope_of(*classes: int, readable_passages: int = 100, revision: int = REVISION) -> AccessScope:
    return AccessScope(Principal("dana"), tuple(sorted(classes)), revision, readable_passages)


def fused(*found: tuple[str, float]) -> tuple[FusedHit, ...]:
    """Hits by title, best first."""
    return tuple(FusedHit(passage(title), score, None, None, None, None) for title, score in found)


def texts_of(written: Mapping[str, str]) -> Callable[[Sequence[str]], Mapping[str, str]]:
    """`written`: title to text."""
    held = {passage(title): text for title, text in written.items()}
    return lambda wanted: {one: held[one] for one in wanted if one in held}
