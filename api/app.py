"""The HTTP API, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from api.authentication import ApiKeys
from api.consistency import ConsistencyTokens
from api.dependencies import Parts, Wiring
from api.description import describe
from api.errors import install_error_handlers
from api.middleware import BodyLimit, RequestEnvelope
from api.routes import answer, documents, health, retrieve
from retrieval.domain.clock import Clock, SystemClock


def create_app(wiring: Wiring, *, clock: Clock | None = None) -> FastAPI:
    """The application over a wired service, which whoever opened it closes."""
    settings = wiring.settings

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
    app.state.parts = Parts(wiring, ApiKeys(wiring.catalog.keys, clock or SystemClock()), ConsistencyTokens(wiring.token_key))
    for routes in (retrieve, answer, documents, health):
        app.include_router(routes.router)
    install_error_handlers(app)
    app.add_middleware(BodyLimit, max_bytes=settings.request_max_bytes)
    app.add_middleware(RequestEnvelope)
    describe(app)
    return app
