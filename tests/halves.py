"""The whole test suite, one half beside the other, because most tests keep one core busy: `python -m tests.halves [pytest's arguments]`.

Where memory can hold them, the tests' files are kept in memory: a catalog waits for the disk at every commit.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FIRST_HALF = ("tests/api", "tests/architecture", "tests/contract", "tests/data")
REPORT = Path("reports/test-first-half.txt")
"""What the first half prints; shown when both are at their end."""
IN_MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 8 * 2**30


def main(arguments: list[str]) -> int:
    """The worse of both exit codes."""
    command = [sys.executable, "-m", "pytest", *arguments]
    environment = {**os.environ, **_where_files_go()}
    REPORT.parent.mkdir(exist_ok=True)
    with (
        REPORT.open("wb") as report,
        subprocess.Popen([*command, *FIRST_HALF], stdout=report, stderr=subprocess.STDOUT, env=environment) as first,
    ):
        second = subprocess.run([*command, "tests", *(f"--ignore={folder}" for folder in FIRST_HALF)], check=False, env=environment)
    print(REPORT.read_text(encoding="utf-8", errors="replace"))
    return max(first.returncode, second.returncode)


def _where_files_go() -> dict[str, str]:
    """For pytest. Empty: where it always puts them."""
    if not IN_MEMORY.is_dir() or shutil.disk_usage(IN_MEMORY).free < ENOUGH_BYTES:
        return {}
    return {"PYTEST_DEBUG_TEMPROOT": str(IN_MEMORY)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
