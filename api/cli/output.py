"""What the commands print: tables and text for people on a terminal, JSON for scripts. Text of documents is made harmless first."""

import json
import sys
import unicodedata
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of text for people.")]

UNLIMITED_WIDTH = 10_000
"""Columns. A table in a file or a pipe has one line for each row."""
_KEPT = "\n\t"
_DIRECTION_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def console() -> Console:
    """Standard output, as wide as it takes where nobody's terminal limits it. Made anew for each command: the stream may be redirected."""
    is_terminal = sys.stdout.isatty()
    return Console(file=sys.stdout, highlight=False, soft_wrap=not is_terminal, width=None if is_terminal else UNLIMITED_WIDTH)


def note(line: str) -> None:
    """One line for the person at the terminal, on standard error, out of the way of scripts."""
    typer.echo(harmless(line), err=True)


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A table, or the sentence `empty` when there are no rows."""
    if not rows:
        note(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(_cell(cell))) for cell in row))
    console().print(table)


def harmless(text: str) -> str:
    """Without characters that move the cursor, change colours or turn the direction of writing."""
    return "".join(c for c in text if c in _KEPT or (unicodedata.category(c) != "Cc" and c not in _DIRECTION_MARKS))


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
