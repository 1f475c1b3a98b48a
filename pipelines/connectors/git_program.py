"""The git program, so started that a repository can make it do nothing but read and, where asked for, fetch over https.

It runs no hook, filter, pager, credential helper or transport of the repository's own choosing, asks nobody, follows no redirect, and is
bounded in memory and in what it writes. Only commands that read objects are used: what is written for people obeys the repository.
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import IO

from retrieval.domain.errors import SourceUnavailable

_ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "core.fsmonitor": "false",
        "core.hooksPath": "/dev/null",
        "core.packedGitLimit": "256m",
        "core.packedGitWindowSize": "32m",
        "credential.helper": "",
        "fetch.recurseSubmodules": "false",
        "gc.auto": "0",
        "http.followRedirects": "false",
        "http.proxy": "",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "60",
        "maintenance.auto": "false",
        "pack.threads": "1",
        "safe.directory": "*",
    }
)
_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "GIT_ASKPASS": "/bin/false",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "PATH": os.defpath,
    }
)
_PIECE_BYTES = 64 * 1024
_MOST_TOLD = 8 * 1024


class GitFailed(SourceUnavailable):
    """The program ended with an error. `told` is what it wrote, which may hold addresses: for telling reasons apart, not for people."""

    def __init__(self, message: str, *, told: str) -> None:
        super().__init__(message)
        self.told = told


def is_installed() -> bool:
    return shutil.which("git", path=os.defpath) is not None


@dataclass(frozen=True)
class GitLimits:
    """`written_bytes` is of one file, a pack for instance."""

    seconds: int
    memory_bytes: int
    written_bytes: int


@dataclass(frozen=True)
class Git:
    """One repository's program.

    Attributes:
        directory: of the repository's objects, what `.git` usually is.
        configuration: further settings, which may hold credentials: they are handed over in the environment, where no other user sees them.
        protocols: that it may speak, with colons between them; none for a repository that is only read.
    """

    directory: Path
    limits: GitLimits
    configuration: Mapping[str, str] = field(default_factory=dict)
    protocols: str = ""

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """What a command writes. For what is small.

        Raises:
            GitFailed: it ended with an error, took too long, or wanted more than it may have.
        """
        try:
            ended = subprocess.run(  # noqa: S603 - no shell; what sources name is checked before
                [*_COMMAND, *arguments],
                input=given,
                capture_output=True,
                timeout=self.limits.seconds,
                check=False,
                cwd="/",
                env=self._environment(),
                preexec_fn=partial(_limit, self.limits),
            )
        except subprocess.TimeoutExpired:
            raise GitFailed(f"git took longer than {self.limits.seconds} seconds", told="") from None
        except OSError as error:
            raise GitFailed("the program git cannot be started", told="") from error
        _check(ended.returncode, ended.stderr)
        return ended.stdout

    def parts(self, *arguments: str, given: bytes = b"") -> Iterator[bytes]:
        """What a command writes, cut at each NUL, as it comes."""
        with TemporaryFile() as file:
            file.write(given)
            file.seek(0)
            program = self.start(*arguments, reads=file)
            try:
                yield from _cut(program)
                _check(program.wait(self.limits.seconds), b"")
            finally:
                end(program)

    def start(self, *arguments: str, reads: IO[bytes] | int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """A command that is running, for `end` to end."""
        try:
            return subprocess.Popen(  # noqa: S603 - as above
                [*_COMMAND, *arguments],
                stdin=reads,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=self._environment(),
                preexec_fn=partial(_limit, self.limits),  # noqa: PLW1509 - it calls nothing that could wait for a lock
            )
        except OSError as error:
            raise GitFailed("the program git cannot be started", told="") from error

    def _environment(self) -> Mapping[str, str]:
        configuration = {**_ALWAYS, **self.configuration}
        numbered = {"GIT_CONFIG_COUNT": str(len(configuration))}
        for number, (name, value) in enumerate(configuration.items()):
            numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return {**_ENVIRONMENT, **numbered, "GIT_DIR": str(self.directory), "GIT_ALLOW_PROTOCOL": self.protocols}


_COMMAND: Sequence[str] = ("git", "--no-pager", "--literal-pathspecs")


def end(program: subprocess.Popen[bytes]) -> None:
    """Stop a command and give back what it held."""
    program.kill()
    for pipe in (program.stdin, program.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    program.wait()


def _cut(program: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert program.stdout is not None
    rest = b""
    while piece := program.stdout.read(_PIECE_BYTES):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole


def _check(code: int, told: bytes) -> None:
    if code:
        raise GitFailed("the repository cannot be read: git ended with an error", told=told[-_MOST_TOLD:].decode("utf-8", "replace"))


def _limit(limits: GitLimits) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.written_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        _, allowed = resource.getrlimit(kind)
        most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)  # noqa: PLW2901 - ours, unless the system's is tighter
        resource.setrlimit(kind, (most, most))
