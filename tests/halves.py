"""The whole test suite, one half beside the other, because most tests keep one core busy: `python -m tests.halves [pytest's arguments]`."""

import subprocess
import sys
from pathlib import Path

FIRST_HALF = ("tests/api", "tests/architecture", "tests/contract", "tests/data")
REPORT = Path("reports/test-first-half.txt")
"""What the first half prints; shown when both are at their end."""


def main(arguments: list[str]) -> int:
    """The worse of both exit codes."""
    command = [sys.executable, "-m", "pytest", *arguments]
    REPORT.parent.mkdir(exist_ok=True)
    with REPORT.open("wb") as report, subprocess.Popen([*command, *FIRST_HALF], stdout=report, stderr=subprocess.STDOUT) as first:
        second = subprocess.run([*command, "tests", *(f"--ignore={folder}" for folder in FIRST_HALF)], check=False)
    print(REPORT.read_text(encoding="utf-8", errors="replace"))
    return max(first.returncode, second.returncode)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
