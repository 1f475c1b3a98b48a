"""`archivist serve`: the API as a process that ends in order."""

import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from api.cli.output import note
from retrieval.settings import Settings

GRACE_SECONDS = 10
"""For requests that are being answered when the process is told to end."""
DEVELOPMENT_WARNING = (
    "WARNING: --dev is on. Whoever reaches this port reads whatever any principal may read, by saying 'Bearer dev:<user>:<groups>'. "
    "No credential is checked. Never use it with documents that are not yours."
)


def serve(
    *,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on. Default: ARCHIVIST_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Default: ARCHIVIST_PORT, else 8000.")] = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="Believe whoever says 'Bearer dev:ann' or 'dev:ann:finance,board'. On a loopback address only.")
    ] = False,
) -> None:
    """Serve the API until Ctrl-C or SIGTERM.

    With the embedded index (ARCHIVIST_INDEX_BACKEND=edge) this process owns it, so only one may run on the same data directory.
    /healthz says whether it lives, /readyz whether it can answer, /openapi.json what it takes.
    """
    import uvicorn  # noqa: PLC0415 - what only serving needs is loaded only to serve

    from api.app import create_app  # noqa: PLC0415
    from api.logs import configure_logs  # noqa: PLC0415
    from api.preflight import check_startable  # noqa: PLC0415
    from retrieval.bootstrap import open_service  # noqa: PLC0415

    chosen = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = Settings(**chosen)  # type: ignore[arg-type]  # each has its own field's type
    check_startable(settings, development=dev)
    configure_logs(settings.log_level)
    if dev:
        note(DEVELOPMENT_WARNING)
    signal.signal(signal.SIGTERM, _end)  # uvicorn restores it after its own shutdown and raises the signal again
    with open_service(settings) as service:
        uvicorn.run(
            create_app(service, development=dev),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,  # it would log paths with their parameters; ours logs routes
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )


def _end(_signal: int, _frame: FrameType | None) -> None:
    """Leave by way of every `with` block, so that the index is closed and its owner's lock given back."""
    sys.exit(0)
