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
from api.declared import check_declared
from api.dependencies import Parts, Wiring
from api.description import describe
from api.errors import install_error_handlers
from api.identity.accepted import AcceptedCredentials
from api.middleware import BodyLimit, RequestEnvelope
from api.preflight import check_startable
from api.routes import answer, documents, health, keys, retrieve, sources
from api.sealing import derived_key
from retrieval.domain.clock import Clock, SystemClock


def create_app(wiring: Wiring, *, clock: Clock | None = None, development: bool = False) -> FastAPI:
    """The application over a wired service, which whoever opened it closes. `development` lets in whoever says `dev:<user>`.

    Raises:
        InvalidInput: the settings would let somebody in who has no business there.
    """
    settings = wiring.settings
    check_startable(settings, development=development)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = settings.api_threads
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
        Authentication(credentials.kind_of, wiring.catalog.directory),
        ConsistencyTokens(wiring.token_key),
        Cursors(derived_key(wiring.token_key, b"cursors"), clock=clock, kept=timedelta(seconds=settings.cursor_seconds)),
        clock,
    )
    for routes in (retrieve, answer, documents, sources, keys, health):
        app.include_router(routes.router)
    check_declared(app)
    install_error_handlers(app)
    app.add_middleware(BodyLimit, max_bytes=settings.request_max_bytes)
    app.add_middleware(RequestEnvelope)
    describe(app)
    return app
