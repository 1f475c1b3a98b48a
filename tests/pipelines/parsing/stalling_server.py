"""A fork server whose reader starts a program that does not end, without asking that it end with the reader."""

import subprocess

from pipelines.parsing import child, server
from pipelines.parsing.limits import Limits
from pipelines.parsing.request import Request


def stall(request: Request, limits: Limits) -> None:
    del limits
    subprocess.run(["/bin/sleep", "600"], cwd=request.directory, check=False)


if __name__ == "__main__":
    child.run = stall
    server.start()
