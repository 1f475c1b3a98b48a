"""Programs that readers start: found on the path, fed and read without a shell, ended with the document's process."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial

from pipelines.parsing import isolation, rejections
from pipelines.parsing.rejections import Rejected


def require(program: str, *, kind: str, package: str) -> str:
    """The program's path.

    Raises:
        Rejected: it is not installed; the reason names the package.
    """
    path = shutil.which(program)
    if path is None:
        raise Rejected(rejections.needs_program(kind, program, package))
    return path


def run(arguments: Sequence[str], *, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end. The document's wall time is the time limit: its end takes the whole session with it."""
    return subprocess.run(  # noqa: S603  fixed programs with our own arguments
        arguments,
        input=given,
        capture_output=True,
        check=False,
        preexec_fn=partial(isolation.die_with_parent, os.getpid()),
    )
