"""Excel workbooks, sheet by sheet. A sheet counts as a page and its name as a heading.

openpyxl and xlrd read them directly. `unstructured` goes through pandas, which rounds 0.12345678 to six digits, puts midnight
behind every date and takes forty times as long: figures must be cited as they stand.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import PurePosixPath

import openpyxl
import xlrd

from pipelines.parsing import rejections
from pipelines.parsing.canonical import Block, Reading, table_text
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.source import Source
from retrieval.domain.documents import ElementKind


def read_xlsx(source: Source) -> Reading:
    workbook = openpyxl.load_workbook(io.BytesIO(source.content), read_only=True, data_only=True)
    cells = _Cells(source.limits.table_cells)
    blocks: list[Block] = []
    for page, sheet in enumerate(workbook.worksheets, 1):
        sheet.reset_dimensions()  # what the file says about its size need not be true
        blocks += _sheet(sheet.title, page, cells.counted([_shown(cell) for cell in row] for row in sheet.iter_rows(values_only=True)))
    properties = workbook.properties
    metadata = {"author": properties.creator or "", "subject": properties.subject or "", "keywords": properties.keywords or ""}
    return Reading(
        MEDIA_TYPES[FileType.XLSX], "openpyxl", blocks, title=properties.title or PurePosixPath(source.name).stem, metadata=metadata
    )


def read_xls(source: Source) -> Reading:
    workbook = xlrd.open_workbook(file_contents=source.content, on_demand=True)
    cells = _Cells(source.limits.table_cells)
    blocks: list[Block] = []
    for page, sheet in enumerate(workbook.sheets(), 1):
        rows = ([_shown(_of_xls(cell, workbook.datemode)) for cell in sheet.row(number)] for number in range(sheet.nrows))
        blocks += _sheet(sheet.name, page, cells.counted(rows))
    title = PurePosixPath(source.name).stem
    return Reading(MEDIA_TYPES[FileType.XLS], "xlrd", blocks, title=title, metadata={"author": workbook.user_name or ""})


class _Cells:
    """Counts the filled cells of a workbook."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    def counted(self, rows: Iterable[list[str]]) -> Iterator[list[str]]:
        for row in rows:
            self._count += sum(cell != "" for cell in row)
            if self._count > self._most:
                raise Rejected(rejections.too_many("table cells or more", self._count, self._most))
            yield row


def _sheet(name: str, page: int, rows: Iterable[list[str]]) -> Iterator[Block]:
    """The sheet's name, then its parts between empty rows. A part whose rows have one cell each is text."""
    heading: Block | None = Block(ElementKind.HEADING, name, page, level=1)
    for filled, group in groupby(rows, key=any):
        if not filled:
            continue
        if heading is not None:
            yield heading
            heading = None
        yield from _part(_trimmed(list(group)), page)


def _part(rows: Sequence[list[str]], page: int) -> Iterator[Block]:
    """Leading rows of a single cell are the part's captions."""
    start = 0
    while start < len(rows) and sum(cell != "" for cell in rows[start]) == 1:
        yield Block(ElementKind.TEXT, "".join(rows[start]), page)
        start += 1
    if start < len(rows):
        yield Block(ElementKind.TABLE, table_text(rows[start:]), page)


def _trimmed(rows: Sequence[list[str]]) -> list[list[str]]:
    """Rows without the columns that are empty in all of them."""
    used = sorted({column for row in rows for column, cell in enumerate(row) if cell})
    return [[row[column] if column < len(row) else "" for column in used] for row in rows]


def _of_xls(cell: xlrd.sheet.Cell, datemode: int) -> object:
    match cell.ctype:
        case xlrd.XL_CELL_DATE:
            try:
                return xlrd.xldate_as_datetime(cell.value, datemode)
            except (xlrd.xldate.XLDateError, OverflowError):
                return cell.value
        case xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        case xlrd.XL_CELL_ERROR:
            return xlrd.error_text_from_code.get(cell.value, "")
        case _:
            return cell.value


def _shown(value: object) -> str:  # noqa: PLR0911  one line per type is the clearest form
    """A cell as a person would write it: no midnight behind a date, no `.0` behind a whole number, no digit lost."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
        case datetime():
            midnight = value.time() == time()
            return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="minutes" if not value.second else "seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return " ".join(str(value).split())
