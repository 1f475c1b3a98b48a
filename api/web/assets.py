"""Style sheet, script and icon, each under a name that holds a hash of its content: browsers keep them until they change."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath

from retrieval.domain.errors import NotReadable

FILES = ("console.css", "icon.svg", "vendor/htmx.min.js")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """A file as browsers are sent it."""

    name: str
    content: bytes
    media_type: str


class Assets:
    """The console's files, read once."""

    def __init__(self) -> None:
        self._of = {PurePosixPath(path).name: _read(path) for path in FILES}
        self._named: Mapping[str, Asset] = {asset.name: asset for asset in self._of.values()}

    def name(self, file: str) -> str:
        """`console.css` as it is linked to, e.g. `console.1f3a9c07d2b4.css`."""
        return self._of[file].name

    def find(self, name: str) -> Asset:
        """Raises NotReadable."""
        if name not in self._named:
            raise NotReadable("no such file")
        return self._named[name]


def _read(path: str) -> Asset:
    content = files("api.web").joinpath("static", path).read_bytes()
    file = PurePosixPath(path)
    digest = hashlib.blake2b(content, digest_size=6).hexdigest()
    return Asset(f"{file.stem}.{digest}{file.suffix}", content, _TYPES[file.suffix])
