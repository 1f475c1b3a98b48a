"""`python -m pipelines.serve`: Dagster's UI and its daemon on Archivist's definitions, until SIGTERM or Ctrl-C."""

import os
import sys
from pathlib import Path

from pipelines.home import prepare_dagster_home
from retrieval.settings import Settings


def main() -> None:
    settings = Settings()
    home = prepare_dagster_home(settings)
    environment = {**settings.as_environment(), "DAGSTER_HOME": str(home)}
    command = [
        str(Path(sys.executable).with_name("dagster")),
        "dev",
        "--module-name",
        "pipelines.definitions",
        "--host",
        settings.dagster_host,
        "--port",
        str(settings.dagster_port),
    ]
    os.execve(command[0], command, environment)  # noqa: S606 - signals then reach Dagster itself


if __name__ == "__main__":
    main()
