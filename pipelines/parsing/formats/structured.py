"""JSON and JSON lines as text that a person can read: one `path: value` per line, one block per record."""

import json
from collections.abc import Iterator

from pipelines.parsing.canonical import Block, Reading
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.formats.decode import decode
from pipelines.parsing.formats.paragraphs import paragraphs
from pipelines.parsing.source import Source
from retrieval.domain.documents import ElementKind


def read_json(source: Source) -> Reading:
    """Text that is no valid JSON is read as plain text."""
    text = decode(source.content)
    try:
        blocks = list(_blocks(_parse(text)))
    except ValueError:
        blocks = list(paragraphs(text))
    return Reading(MEDIA_TYPES[FileType.JSON], "json", blocks)


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        return [json.loads(line) for line in lines]


def _blocks(value: object) -> Iterator[Block]:
    records = value if isinstance(value, list) and any(isinstance(item, dict | list) for item in value) else [value]
    for record in records:
        lines = list(_lines("", record))
        if lines:
            yield Block(ElementKind.TEXT, "\n".join(lines))


def _lines(path: str, value: object) -> Iterator[str]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _lines(f"{path}.{key}" if path else str(key), item)
        case list() if any(isinstance(item, dict | list) for item in value):
            for number, item in enumerate(value, 1):
                yield from _lines(f"{path}[{number}]", item)
        case list():
            yield from _lines(path, ", ".join(_scalar(item) for item in value))
        case None | "":
            return
        case _:
            shown = " ".join(_scalar(value).split())
            yield f"{path}: {shown}" if path else shown


def _scalar(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
