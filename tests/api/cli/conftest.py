"""The command, run in this process against a data directory of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.main import app

Archivist = Callable[..., Result]


@pytest.fixture
def archivist(tmp_path: Path) -> Archivist:
    def run(*arguments: str, input: str | None = None, **environment: str) -> Result:
        variables = {"ARCHIVIST_DATA_DIRECTORY": str(tmp_path), "COLUMNS": "200", "NO_COLOR": "1", **environment}
        return CliRunner().invoke(app, list(arguments), input=input, env=variables)

    return run
