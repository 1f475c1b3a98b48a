"""The HTTP API, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from api.authentication import Authentication
from api.consistency import ConsistencyTokens
from api.cursors import Cursors
from api.deadlines import Admission, Deadline
from api.declared import check_declared
from api.dependencies import Parts, Wiring
from api.description import describe
from api.errors import install_error_handlers
from api.identity.accepted import AcceptedCredentials
from api.limits import LimitedAuthenticator
from api.middleware import BodyLimit, HeadLimit, RequestEnvelope
from api.preflight import check_startable
from api.routes import (
    access_requests,
    answer,
    audit,
    citations,
    curated,
    documents,
    escalations,
    feedback,
    gaps,
    graph,
    health,
    keys,
    lineage,
    push,
    recalls,
    retrieve,
    reviews,
    sources,
    usage,
    versions,
)
from api.scim.routes import ROUTES as SCIM_ROUTES
from api.scim.schemas import PREFIX as SCIM_PREFIX
from api.sealing import derived_key
from api.web.console import console
from api.web.routes import ROUTERS as CONSOLE_ROUTERS
from retrieval.domain.clock import Clock, SystemClock
from retrieval.settings import Settings

WATCHING_THREADS = 2
"""Beside those that answer requests, for whoever asks whether the service is ready."""


def create_app(wiring: Wiring, *, clock: Clock | None = None, development: bool = False) -> FastAPI:
    """The application over a wired service, which whoever opened it closes. `development` lets in whoever says `dev:<user>`.

    Raises:
        InvalidInput: the settings would let somebody in who has no business there.
    """
    settings = wiring.settings
    check_startable(settings, development=development)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = settings.api_threads + WATCHING_THREADS
        yield

    app = FastAPI(
        title="Archivist",
        version=version("archivist"),
        lifespan=lifespan,
        openapi_url=None,  # served by a declared route, so that every route is one
        redirect_slashes=False,  # a redirect would repeat the Host header of the request
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False},
    )
    clock = clock or SystemClock()
    credentials = AcceptedCredentials(settings, wiring.catalog.keys, clock, development=development)
    app.state.parts = Parts(
        wiring,
        LimitedAuthenticator(Authentication(credentials.kind_of, wiring.catalog.directory), settings),
        ConsistencyTokens(wiring.token_key),
        Cursors(derived_key(wiring.token_key, b"cursors"), clock=clock, kept=timedelta(seconds=settings.cursor_seconds)),
        clock,
    )
    for routes in (
        *(retrieve, answer, citations, feedback, escalations, documents, versions, graph),
        *(reviews, sources, push, access_requests, curated, gaps, keys, audit, lineage, recalls, usage),
        *SCIM_ROUTES,
        health,
    ):
        app.include_router(routes.router)
    app.state.console = console(settings, wiring.token_key, clock)
    for router in CONSOLE_ROUTERS:
        app.include_router(router)
    check_declared(app)
    install_error_handlers(app)
    _surround(app, settings)
    describe(app)
    return app


def _surround(app: FastAPI, settings: Settings) -> None:
    """What a request passes before a route sees it. The one added last comes first."""
    app.add_middleware(Admission, working=settings.api_threads, waiting=settings.api_queue)
    app.add_middleware(Deadline, seconds=settings.request_deadline_seconds)
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.request_max_bytes,
        seconds=settings.request_body_seconds,
        max_bytes_under={SCIM_PREFIX: settings.scim_max_bytes, push.PREFIX: push.largest_body(settings)},
    )
    app.add_middleware(
        HeadLimit,
        max_headers=settings.request_max_headers,
        max_header_bytes=settings.request_max_header_bytes,
        max_target_bytes=settings.request_max_target_bytes,
    )
    app.add_middleware(RequestEnvelope, behind_https=settings.api_behind_https)
