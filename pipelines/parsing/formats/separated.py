"""Comma-, semicolon- and tab-separated values: one table.

The standard library reads them. `unstructured` goes through pandas, which rounds numbers, drops leading zeros and gives up on
a single column.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import PurePosixPath

from pipelines.parsing import rejections
from pipelines.parsing.canonical import Block, Reading, table_text
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.formats.decode import decode
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.source import Source
from retrieval.domain.documents import ElementKind

_DELIMITERS = ",;\t|"
_SAMPLED_LINES = 20
csv.field_size_limit(10 * 2**20)


def read_separated(source: Source) -> Reading:
    text = decode(source.content)
    rows = _bounded(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, source.name)), source.limits.table_cells)
    return Reading(MEDIA_TYPES[FileType.CSV], "csv", [Block(ElementKind.TABLE, table_text(rows))])


def _delimiter(text: str, name: str) -> str:
    """The delimiter that stands equally often on most of the first lines; a comma when there is none."""
    if PurePosixPath(name).suffix.lower() in (".tsv", ".tab"):
        return "\t"
    sample = [line for line in text[: 2**16].splitlines()[:_SAMPLED_LINES] if line.strip()]

    def agreement(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(sample, delimiter=delimiter)]
        usual = max(set(counts), key=counts.count, default=1)
        return (counts.count(usual) if usual > 1 else 0, usual)

    return max(_DELIMITERS, key=agreement) if sample else ","


def _bounded(rows: Iterator[list[str]], max_cells: int) -> Iterator[list[str]]:
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > max_cells:
            raise Rejected(rejections.too_many("table cells or more", cells, max_cells))
        yield row
