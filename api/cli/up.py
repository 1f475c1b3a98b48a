"""`archivist up`: everything on one machine, until Ctrl-C."""

import time

from api.cli.output import console
from api.cli.stack import Stack
from retrieval.settings import Settings

WATCH_SECONDS = 1.0


def up() -> None:
    """Start the API, the Dagster UI and its daemon, and keep them until Ctrl-C. For one machine; `deploy/` is for more."""
    with Stack(Settings()) as stack:
        stack.wait_until_up("api")
        stack.wait_until_up("dagster")
        watch(stack, f"API      {stack.api_url}\nConsole  {stack.api_url}/console\nDagster  {stack.dagster_url}\nCtrl-C ends both.")


def watch(stack: Stack, said: str) -> None:
    """Until Ctrl-C, which is heeded as soon as `said` is printed. Raises Unavailable when a part ends by itself."""
    try:
        console().print(said)
        while True:
            stack.check()
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        console().print("\nStopping …")
