"""What keeps a parsing process small and apart: resource limits, a session of its own, no network, no new privileges."""

import contextlib
import ctypes
import os
import resource
import signal
from pathlib import Path

from pipelines.parsing.limits import Limits

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 256
_libc = ctypes.CDLL(None, use_errno=True)


def cut_network() -> bool:
    """Move this process, and all that it forks, into an empty network; say whether the platform allowed it.

    Needs root, or user namespaces for everyone. Must run while the process has one thread.
    """
    if not hasattr(_libc, "unshare"):
        return False
    if _libc.unshare(_CLONE_NEWNET) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    with contextlib.suppress(OSError):  # without the maps we are nobody, which parses as well
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    return True


def forbid_new_privileges() -> None:
    """From here on no program that this process starts gains rights, set-user-id or not."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of what the processes that this one forks leave behind, so that it can be waited for here."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """End this process when `parent`, which forked it, ends in whatever way."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit_resources(limits: Limits) -> None:
    """Apply to this process; the programs that it starts inherit them."""
    largest_file = max(4 * limits.text_characters, limits.expanded_bytes) + (64 << 20)
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 5),
        (resource.RLIMIT_FSIZE, largest_file, largest_file),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, allowed = resource.getrlimit(kind)
        if allowed != resource.RLIM_INFINITY:
            soft, hard = min(soft, allowed), min(hard, allowed)  # noqa: PLW2901  ours, unless the system's own is tighter
        resource.setrlimit(kind, (soft, hard))
