"""CSV files that a spreadsheet opens without computing anything in them.

A cell that begins as a formula does would be one, whoever wrote it: it gets an apostrophe in front (OWASP, "CSV Injection"). White space
in front is no protection, so it is looked past. Every cell is quoted, with no line break inside: a cell cannot begin anywhere else.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from unicodedata import category

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the first four in full width, which some programs take for the same."""
_BREAKS = frozenset({"Cc", "Zl", "Zp"})
"""Unicode categories of characters that end a line, or that some program may take for its end."""


def as_csv(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The names and the rows as RFC 4180 has them, in UTF-8 with a byte order mark, by which spreadsheets know it."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + written.getvalue()


def safe_cell(text: str) -> str:
    """The text on one line, nothing of which is computed."""
    line = "".join(" " if category(character) in _BREAKS else character for character in text)
    return f"'{line}" if text.startswith(_FORMULA) or line.lstrip().startswith(_FORMULA) else line
