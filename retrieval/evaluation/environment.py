"""Where figures were measured."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_CPU_INFORMATION = Path("/proc/cpuinfo")
_GIT_SECONDS = 10


def environment() -> Mapping[str, str]:
    """The machine and the commit (`-dirty` when files differ from it), for a report to carry."""
    return {"commit": _commit(), "processor": _processor(), "cores": str(os.cpu_count()), "python": platform.python_version()}


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "-C", str(_REPOSITORY), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=False)  # noqa: S603 -- fixed arguments
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    if _CPU_INFORMATION.is_file():
        for line in _CPU_INFORMATION.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
