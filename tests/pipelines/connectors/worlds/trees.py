"""Folders on this machine, in an object store and in a git repository."""

import os
import shutil
import subprocess
import uuid
from datetime import datetime
from pathlib import Path

import fsspec

from pipelines.connectors import files, git
from tests.pipelines.connectors.worlds.world import World


class LocalFolder(World):
    """With a second folder that is still to be listed when everything vanishes."""

    plugin = files.PLUGIN

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self.root = folder / "root"
        (self.root / "z").mkdir(parents=True)
        self.location = {"root": str(self.root)}
        self._changes = 0

    def put(self, name: str, text: str) -> None:
        path = self.root / self.key(name)
        path.write_text(text)
        self._changes += 1
        os.utime(path, (1_700_000_000 + self._changes, 1_700_000_000 + self._changes))

    def remove(self, name: str) -> None:
        (self.root / self.key(name)).unlink()

    def break_off(self) -> None:
        self.root.rename(self.folder / "away")

    def mend(self) -> None:
        (self.folder / "away").rename(self.root)

    def key(self, name: str) -> str:
        return f"{name}.txt"


class ObjectStore(World):
    """fsspec's store in memory, whose folder goes away."""

    plugin = files.PLUGIN

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self._store = fsspec.filesystem("memory")
        self._bucket = f"/bucket-{uuid.uuid4().hex}/docs"
        self._store.pipe_file(f"{self._bucket}/z/.keep", b"x")
        self.location = {"root": f"memory:/{self._bucket}"}

    def put(self, name: str, text: str) -> None:
        self._store.pipe_file(f"{self._bucket}/{self.key(name)}", text.encode())

    def remove(self, name: str) -> None:
        self._store.rm(f"{self._bucket}/{self.key(name)}")

    def break_off(self) -> None:
        self._away = {path: store[path] for store in [self._store.store] for path in list(store) if path.startswith(self._bucket)}
        self._store.rm(self._bucket, recursive=True)

    def mend(self) -> None:
        self._store.store.update(self._away)

    def close(self) -> None:
        if self._store.exists(self._bucket):
            self._store.rm(self._bucket, recursive=True)

    def key(self, name: str) -> str:
        return f"{name}.txt"

    def takes(self, name: str) -> bool:
        return "[" not in name  # fsspec takes it for a pattern when it removes


class GitRepository(World):
    """A repository with a work tree, of which a tree object can go missing."""

    plugin = git.PLUGIN
    breaks_after = 0

    def __init__(self, folder, request) -> None:
        super().__init__(folder, request)
        self.root = folder / "repository"
        self.root.mkdir()
        self.run("init", "--quiet", "--initial-branch=main")
        self.location = {"repository": str(self.root)}

    def run(self, *arguments: str, at: datetime | None = None) -> str:
        """What git says. `at`: when whoever commits does so."""
        identity = ("-c", "user.name=Dana", "-c", "user.email=dana@example.com", "-c", "gc.auto=0")
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            **({"GIT_COMMITTER_DATE": at.isoformat()} if at else {}),
        }
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.root, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message: str = "change") -> str:
        self.run("add", "--all")
        self.run("commit", "--quiet", "--allow-empty", "--message", message)
        return self.run("rev-parse", "HEAD")

    def put(self, name: str, text: str) -> None:
        (self.root / self.key(name)).write_text(text)
        self.commit()

    def remove(self, name: str) -> None:
        (self.root / self.key(name)).unlink()
        self.commit()

    def break_off(self) -> None:
        tree = self.run("rev-parse", "HEAD^{tree}")
        self._missing = self.root / ".git" / "objects" / tree[:2] / tree[2:]
        shutil.move(self._missing, self.folder / "object")

    def mend(self) -> None:
        shutil.move(self.folder / "object", self._missing)

    def key(self, name: str) -> str:
        return f"{name}.txt"


def repository_in(folder: Path) -> GitRepository:
    return GitRepository(folder, None)
