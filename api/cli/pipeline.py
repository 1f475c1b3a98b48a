"""The pipeline's work, done in a process of its own."""

import subprocess
import sys

import typer


def run_pipeline(module: str, *arguments: str) -> None:
    """Run one of the pipeline's programs with our output, and end as it ends."""
    with subprocess.Popen([sys.executable, "-m", module, *arguments]) as program:  # noqa: S603 - our own program, no shell
        try:
            code = program.wait()
        except KeyboardInterrupt:
            code = program.wait()  # the terminal has told it too; let it end in order
    raise typer.Exit(code if code >= 0 else 128 - code)
