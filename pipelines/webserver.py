"""The Dagster UI for several people, behind an authenticating proxy: `python -m pipelines.webserver`. Its daemon runs by itself.

Unlike `dagster-webserver` it refuses what `mutations.yaml` leaves to administrators.
"""

import signal
import sys
from typing import Any

import uvicorn
from dagster._core.workspace.context import IWorkspaceProcessContext, WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster_webserver.app import create_app_from_workspace_process_context

from pipelines.console import console, error_lines
from pipelines.gatekeeper import Gatekeeper
from pipelines.home import dagster_instance
from pipelines.serve import DEFINITIONS
from retrieval.domain.errors import ArchivistError
from retrieval.settings import Settings


def guarded_app(context: IWorkspaceProcessContext[Any], settings: Settings) -> Gatekeeper:
    """Dagster's web application with the gatekeeper in front."""
    return Gatekeeper(create_app_from_workspace_process_context(context), settings)


def main() -> int:
    """Until SIGTERM or Ctrl-C. Returns 0, or 1 for settings that cannot be."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    try:
        settings = Settings()
        with dagster_instance(settings) as instance, WorkspaceProcessContext(instance, _definitions()) as context:
            uvicorn.run(
                guarded_app(context, settings),
                host=settings.dagster_host,
                port=settings.dagster_port,
                log_level="warning",
                proxy_headers=False,
                access_log=False,
            )
    except ArchivistError as error:
        for line in error_lines(error):
            console().print(line, style="red", markup=False, soft_wrap=True)
        return 1
    return 0


def _definitions() -> ModuleTarget:
    return ModuleTarget(DEFINITIONS, attribute=None, working_directory=None, location_name=DEFINITIONS)


if __name__ == "__main__":
    sys.exit(main())
