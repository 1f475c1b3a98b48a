"""The whole test suite in parts, one more at a time than there are cores: `python -m tests.side_by_side [pytest's arguments]`.

Most tests keep one core busy, and those of several processes mostly wait.

Where memory can hold them, the tests' files are kept in memory: a catalog waits for the disk at every commit.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

PARTS = (
    ("tests/e2e", "tests/faults"),
    ("tests/contract", "tests/architecture", "tests/data"),
    ("tests/permissions",),
    ("tests/api",),
    ("tests/pipelines/dagster",),
    ("tests/pipelines/connectors", "tests/pipelines/parsing", "tests/pipelines/inspection", "tests/pipelines/stages"),
    ("tests/retrieval",),
    ("tests/web",),
)
"""Folders that are run together, those that take longest first. Whatever is in none of them is run at the end."""
AT_ONCE = (os.cpu_count() or 1) + 1
IN_MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 8 * 2**30
NOTHING_COLLECTED = 5


def main(arguments: list[str]) -> int:
    """The worst of all exit codes. Each part's output is printed when it has ended."""
    named = [folder for part in PARTS for folder in part]
    rest = ["tests", *(f"--ignore={folder}" for folder in named)]
    worst = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for ended in as_completed([pool.submit(_run, [*arguments, *part]) for part in (*PARTS, rest)]):
            code, output = ended.result()
            print(output, flush=True)
            worst = max(worst, 0 if code == NOTHING_COLLECTED else code)
    return worst


def _run(arguments: Sequence[str]) -> tuple[int, str]:
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", *arguments]
    ended = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **_where_files_go()})
    said = ended.stdout.decode("utf-8", "replace")
    return ended.returncode, f"{said}\n{' '.join(arguments)}: {time.monotonic() - begun:.0f} s, exit code {ended.returncode}\n"


def _where_files_go() -> dict[str, str]:
    """For pytest. Empty: where it always puts them."""
    if not IN_MEMORY.is_dir() or shutil.disk_usage(IN_MEMORY).free < ENOUGH_BYTES:
        return {}
    return {"PYTEST_DEBUG_TEMPROOT": str(IN_MEMORY)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
