"""What the routes are given: the wired service, and the principal that the route has authenticated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request, Security
from fastapi import Query as QueryParameters
from fastapi.security import APIKeyHeader, HTTPBearer

from api.authentication import Authenticator
from api.consistency import ConsistencyTokens
from api.cursors import Cursors
from api.schemas import NoParameters
from retrieval.domain.answers import Answer, AnswerSentence, Retrieved
from retrieval.domain.citations import CheckedCitation
from retrieval.domain.clock import Clock
from retrieval.domain.diffs import TextDiff
from retrieval.domain.embedding_models import EmbeddingModel
from retrieval.domain.permissions import Principal
from retrieval.domain.pushing import PushStatus
from retrieval.domain.queries import Query
from retrieval.domain.versions import DocumentHistory
from retrieval.learning_service.service import LearningService
from retrieval.lineage_service import LineageService
from retrieval.ports.access_requests import AccessRequesting
from retrieval.ports.audit import AuditLog, AuditReader
from retrieval.ports.directory import Directory
from retrieval.ports.graph import EntityPage, NamedEntities, Neighbourhood
from retrieval.ports.health import HealthReader
from retrieval.ports.idempotency import IdempotencyStore
from retrieval.ports.keys import ApiKeyStore
from retrieval.ports.moments import MomentReader
from retrieval.ports.reading import DocumentPage, ReadableDocument
from retrieval.ports.reviewing import Escalating, Reviewing
from retrieval.ports.sources import OwnedSources
from retrieval.ports.usage import Budgets, UsageReader
from retrieval.push_service import Push
from retrieval.settings import Settings


class Knowledge(Protocol):
    """`retrieval.service.KnowledgeService`, as the routes use it."""

    def retrieve(self, principal: Principal, query: Query, *, request_id: str | None) -> Retrieved: ...

    def document(self, principal: Principal, document: str, *, version: str | None, request_id: str | None) -> ReadableDocument: ...

    def list_documents(
        self, principal: Principal, *, source: str | None, after: str, count: int, request_id: str | None
    ) -> DocumentPage: ...


class Answers(Protocol):
    """`retrieval.answer_service.AnswerService`, as the routes use it."""

    def answer(
        self, principal: Principal, query: Query, *, with_passages: bool, person_wanted: bool | None = None, request_id: str | None
    ) -> Answer: ...

    def curated(self, principal: Principal, query: Query, *, request_id: str | None) -> Answer | None: ...

    def stream(
        self, principal: Principal, query: Query, *, with_passages: bool, person_wanted: bool | None = None, request_id: str | None
    ) -> Iterator[AnswerSentence | Answer]: ...


class Citations(Protocol):
    """`retrieval.citation_service.CitationService`, as the routes use it."""

    def check(self, principal: Principal, citation: str, *, request_id: str | None) -> CheckedCitation: ...


class Graph(Protocol):
    """`retrieval.graph_service.GraphService`, as the routes use it."""

    def entity(self, principal: Principal, entity: str, *, after: str, count: int, request_id: str | None) -> EntityPage: ...

    def named(self, principal: Principal, name: str, *, after: str, count: int, request_id: str | None) -> NamedEntities: ...

    def neighbourhood(
        self, principal: Principal, entity: str, *, depth: int, entities: int | None, request_id: str | None
    ) -> Neighbourhood: ...


class Pushing(Protocol):
    """`retrieval.push_service.PushService`, as the routes use it."""

    def put(self, principal: Principal, source: str, key: str, push: Push, *, request_id: str | None) -> PushStatus: ...

    def delete(self, principal: Principal, source: str, key: str, *, sequence: int | None, request_id: str | None) -> PushStatus: ...

    def status(self, principal: Principal, source: str, key: str) -> PushStatus: ...


class Audit(AuditLog, AuditReader, Protocol):
    """The audit log, as the routes use it."""


class KeyHolder(Protocol):
    """The part of the catalog that the API touches itself."""

    @property
    def history(self) -> MomentReader: ...

    @property
    def keys(self) -> ApiKeyStore: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def owned(self) -> OwnedSources: ...

    @property
    def health(self) -> HealthReader: ...

    @property
    def idempotency(self) -> IdempotencyStore: ...

    @property
    def usage(self) -> UsageReader: ...

    @property
    def budgets(self) -> Budgets: ...


class Versions(Protocol):
    """`retrieval.version_service.VersionReading`, as the routes use it."""

    def history(self, principal: Principal, document: str, *, request_id: str | None = None) -> DocumentHistory: ...

    def diff(
        self, principal: Principal, document: str, before: int, after: int, *, request_id: str | None = None
    ) -> tuple[DocumentHistory, TextDiff]: ...


class Wiring(Protocol):
    """What `retrieval.bootstrap.open_service` gives."""

    @property
    def settings(self) -> Settings: ...

    @property
    def knowledge(self) -> Knowledge: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def graph(self) -> Graph: ...

    @property
    def escalations(self) -> Escalating: ...

    @property
    def reviews(self) -> Reviewing: ...

    @property
    def access(self) -> AccessRequesting: ...

    @property
    def citations(self) -> Citations: ...

    @property
    def versions(self) -> Versions: ...

    @property
    def learning(self) -> LearningService: ...

    @property
    def pushing(self) -> Pushing: ...

    @property
    def lineage(self) -> LineageService: ...

    @property
    def catalog(self) -> KeyHolder: ...

    @property
    def token_key(self) -> bytes:
        """32 bytes that stay the same across restarts and replicas."""

    def embedding_models(self) -> Sequence[tuple[EmbeddingModel, bool]]:
        """The live model and those ready to become it, each with whether this process can answer by it. Anybody may read it."""

    def readiness(self) -> Sequence[tuple[str, bool, str]]:
        """(part, whether it is ready, why not or how far behind). Anybody may read it: no revision, no count of documents."""


@dataclass(frozen=True)
class Parts:
    """The wiring and what the API makes of it once."""

    wiring: Wiring
    authenticator: Authenticator
    tokens: ConsistencyTokens
    cursors: Cursors
    clock: Clock

    @property
    def settings(self) -> Settings:
        return self.wiring.settings


def parts_of(request: Request) -> Parts:
    return cast(Parts, request.app.state.parts)


async def _parts(request: Request) -> Parts:
    return parts_of(request)


BEARER, ON_BEHALF = "bearer", "onBehalfOf"
"""Names of the security schemes in the API's description."""
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name=BEARER,
    description="An API key made by `archivist keys create`, `ak_…`, or an access token of the configured OIDC issuer.",
)
_on_behalf = APIKeyHeader(
    name="X-On-Behalf-Of",
    auto_error=False,
    scheme_name=ON_BEHALF,
    description="Beside an application's own credential: the API key or access token of the user it asks for. Both must be allowed to see.",
)


async def _caller(
    request: Request, _bearer: Annotated[object, Security(_bearer)], _on_behalf: Annotated[object, Security(_on_behalf)]
) -> Principal:
    """The principal that the route authenticated before it read anything else of the request; an undeclared route has none and fails."""
    return cast(Principal, request.state.principal)


Wired = Annotated[Parts, Depends(_parts)]
Unparametrised = Annotated[NoParameters, QueryParameters()]
Caller = Annotated[Principal, Depends(_caller)]
