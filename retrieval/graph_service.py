"""Reading the knowledge graph: check the limits, read what the principal may see, record it, show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.domain.audit import OPERATOR
from retrieval.domain.errors import InvalidInput, NotReadable
from retrieval.domain.graph import entity_key
from retrieval.domain.permissions import Principal
from retrieval.ports.audit import AuditLog
from retrieval.ports.graph import EntityPage, GraphReader, NamedEntities, Neighbourhood, Subgraph
from retrieval.settings import Settings
from retrieval.steps import record


@dataclass(frozen=True)
class GraphService:
    """What is asked of the knowledge graph. Every method takes the principal first.

    Every read is recorded before anything of it is returned; one that cannot be recorded is refused.
    """

    settings: Settings
    graph: GraphReader
    audit: AuditLog

    def entity(self, principal: Principal, entity: str, *, after: str, count: int, request_id: str | None = None) -> EntityPage:
        """An entity and passages that mention it, from after `after` on.

        Raises:
            NotReadable: absent, or only passages mention it that the principal may not read.
        """
        try:
            page = self.graph.entity(principal, entity, after=after, count=count)
        except NotReadable:
            self.audit.record(record.refused_graph(principal, entity, request_id=request_id))
            raise
        self.audit.record(record.entity(principal, page, request_id=request_id))
        return page

    def named(self, principal: Principal, name: str, *, after: str, count: int, request_id: str | None = None) -> NamedEntities:
        """Entities whose names begin with `name`. Raises InvalidInput naming `name`."""
        self._check_name(name)
        page = self.graph.named(principal, name, after=after, count=count)
        self.audit.record(record.named_entities(principal, page, request_id=request_id))
        return page

    def neighbourhood(
        self, principal: Principal, entity: str, *, depth: int, entities: int | None = None, request_id: str | None = None
    ) -> Neighbourhood:
        """What surrounds an entity within `depth` relations; `entities` at most, the service's default without it.

        Raises:
            InvalidInput: names `depth` or `limit`.
            NotReadable: absent, or only passages mention it that the principal may not read.
        """
        wanted = self.settings.graph_default_entities if entities is None else entities
        if not 1 <= depth <= self.settings.graph_max_depth:
            raise InvalidInput.of("depth", "is out of range", limit=f"1 to {self.settings.graph_max_depth}")
        if not 1 <= wanted <= self.settings.graph_max_entities:
            raise InvalidInput.of("limit", "is out of range", limit=f"1 to {self.settings.graph_max_entities} entities")
        try:
            bounds = self.settings.graph_max_passages, self.settings.graph_max_relations
            found = self.graph.neighbourhood(principal, entity, depth=depth, entities=wanted, passages=bounds[0], relations=bounds[1])
        except NotReadable:
            self.audit.record(record.refused_graph(principal, entity, request_id=request_id))
            raise
        for entry in record.neighbourhood(principal, found, request_id=request_id):
            self.audit.record(entry)
        return found

    def export(self, principal: Principal, *, sources: Sequence[str] = (), by: str = OPERATOR.subject) -> Subgraph:
        """All that the principal may see, of these sources or of all; `by` is the subject who writes it to a file.

        Raises:
            InvalidInput: it stands on more passages than may be exported at once.
        """
        found = self.graph.subgraph(principal, sources=sources, passages=self.settings.graph_export_max_passages)
        for entry in record.exported_graph(principal, found, by=by):
            self.audit.record(entry)
        return found

    def _check_name(self, name: str) -> None:
        limits = self.settings.graph_name_min_characters, self.settings.graph_name_max_characters
        if not limits[0] <= len(entity_key(name)) or len(name) > limits[1]:
            raise InvalidInput.of("name", "is too short or too long", limit=f"{limits[0]} to {limits[1]} characters")
