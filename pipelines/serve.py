"""The Dagster UI with its daemon on one machine: `python -m pipelines.serve`. Ends with SIGTERM or Ctrl-C, and all it started with it."""

import os
import signal
import sys

from pipelines.home import dagster_environment
from pipelines.pools import limit_pools
from retrieval.settings import Settings

DEFINITIONS = "pipelines.definitions"
_WITHOUT_ADVICE = ["-W", "ignore:Function `dev_command` is superseded"]
"""To use a tool that Archivist does not need."""


def main() -> None:
    """Become `dagster dev`: signals reach it directly, nothing of ours stands between."""
    settings = Settings()
    limit_pools(settings)
    address = ["--host", settings.dagster_host, "--port", str(settings.dagster_port)]
    quiet = ["--log-level", "warning", "--code-server-log-level", "warning"]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # a shell's background job ignores SIGINT, and Dagster would then ignore SIGTERM too
    command = [sys.executable, *_WITHOUT_ADVICE, "-m", "dagster", "dev", "--module-name", DEFINITIONS, *address, *quiet]
    os.execve(sys.executable, command, dagster_environment(settings))  # noqa: S606 - our own command, no shell


if __name__ == "__main__":
    main()
