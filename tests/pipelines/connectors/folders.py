"""Writing and listing small folders."""

from pathlib import Path

from retrieval.domain.documents import SourceFile


def write(root: Path, *names: str, content: str = "text") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def keys(connector) -> list[str]:
    return [file.key for file in connector.list()]


def listed(connector, key: str) -> SourceFile:
    return next(file for file in connector.list() if file.key == key)
