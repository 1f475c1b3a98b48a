"""A PostgreSQL 15 of the tests' own: a temporary cluster on a free loopback port, gone when they end."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
START_SECONDS = 30


def missing() -> str | None:
    """Why no cluster can be started here; None when one can."""
    if not _PLACES or not (_PLACES[0] / "initdb").exists():
        return "PostgreSQL's server programs are not installed (Debian: postgresql-15)"
    return None


@contextmanager
def cluster() -> Iterator[str]:
    """The URL of an empty database server (without a database name at its end)."""
    programs = _PLACES[0]
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="archivist-postgres-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    os.chown(folder, owner.pw_uid, owner.pw_gid)

    def run(*command: str) -> None:
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(command, check=True, capture_output=True, cwd=folder, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, **identity)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    run(str(programs / "initdb"), "-D", data, "-U", "archivist", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync=off"
    try:
        run(str(programs / "pg_ctl"), "-D", data, "-w", "-t", str(START_SECONDS), "-o", options, "-l", str(folder / "log"), "start")
        yield f"postgresql+psycopg://archivist@127.0.0.1:{port}"
    finally:
        subprocess.run(
            [str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop"],
            check=False,
            capture_output=True,
            cwd=folder,
            **({"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}),
        )
        time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
